package protocol

// Lease is an address of the merchant's wallet that is lent to one terminal.
type Lease struct {
	Address string `json:"address"`
	Path    string `json:"path"` // "84'/0'/0'/0/57"
	Leased  Time   `json:"leased"`
}

// Limits of getaddress and queryaddress.
const (
	MaxWant    = 100 // addresses asked for at once
	KeepLeases = 20  // addresses a terminal keeps
	LowLeases  = 10  // at which it asks for more
	MaxQuery   = 16  // addresses asked about at once
)
