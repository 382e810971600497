package protocol

// Shop is who stands on the receipt.
type Shop struct {
	Name          string       `json:"name"`
	Address       List[string] `json:"address"`
	TaxNumber     string       `json:"tax_number"`
	ReceiptFooter string       `json:"receipt_footer"`
}

// Tax is one rate of sales tax.
type Tax struct {
	Code     string `json:"code"`
	RateBP   int64  `json:"rate_bp"`  // hundredths of a percent
	Included bool   `json:"included"` // prices contain it
}

// Role is what a user may do.
type Role string

// The roles.
const (
	RoleCashier Role = "cashier"
	RoleManager Role = "manager"
	RoleOwner   Role = "owner"
)

// Valid reports whether r is one of the three.
func (r Role) Valid() bool { return r == RoleCashier || r == RoleManager || r == RoleOwner }

// User is a person allowed on this terminal.
type User struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Role        Role   `json:"role"`
	PIN         string `json:"pin"`                    // PHC string, Argon2id
	ApproveSalt string `json:"approve_salt,omitempty"` // 32 hex digits, approvers only
}

// Step is one acceptance step: sales up to an amount need so many
// confirmations; the last step has no amount.
type Step struct {
	UpTo          *Money `json:"up_to,omitempty"`
	Confirmations int64  `json:"confirmations"`
}

// StepFor gives the confirmations that an amount needs: those of the first step
// that reaches it. Steps are in rising order, the last without an amount.
func StepFor(steps []Step, amount Money) int64 {
	for _, s := range steps {
		if s.UpTo == nil || amount.Minor <= s.UpTo.Minor {
			return s.Confirmations
		}
	}
	return HighestStep(steps)
}

// HighestStep gives the most confirmations that any step asks for, at least 1.
func HighestStep(steps []Step) int64 {
	most := int64(1)
	for _, s := range steps {
		most = max(most, s.Confirmations)
	}
	return most
}

// Limits bound what may leave; nil is no limit of that kind.
type Limits struct {
	PerPayout         *Money `json:"per_payout,omitempty"`
	PerTerminalDay    *Money `json:"per_terminal_day,omitempty"`
	PerUserDay        *Money `json:"per_user_day,omitempty"`
	ShopDay           *Money `json:"shop_day,omitempty"`
	PerPayoutSat      *Sat   `json:"per_payout_sat,omitempty"`
	PerTerminalDaySat *Sat   `json:"per_terminal_day_sat,omitempty"`
	PerUserDaySat     *Sat   `json:"per_user_day_sat,omitempty"`
	ShopDaySat        *Sat   `json:"shop_day_sat,omitempty"`
	PinApproval       *Money `json:"pin_approval,omitempty"`
	PinApprovalDay    *Money `json:"pin_approval_day,omitempty"`
	SelfApproval      bool   `json:"self_approval"`
}

// Config is what the server pushes to every terminal, by version.
type Config struct {
	Version          int64          `json:"version"`
	Shop             Shop           `json:"shop"`
	Currency         Currency       `json:"currency"`
	Locale           string         `json:"locale"`
	Network          string         `json:"network"` // mainnet, testnet3, testnet4, signet, regtest
	QuoteKeys        List[QuoteKey] `json:"quote_keys"`
	Tax              List[Tax]      `json:"tax"`
	TipsBP           List[int64]    `json:"tips_bp"`
	CatalogueVersion int64          `json:"catalogue_version"`
	Users            List[User]     `json:"users"`
	Acceptance       List[Step]     `json:"acceptance"`
	Limits           Limits         `json:"limits"`
	PaymentWindowS   int64          `json:"payment_window_s"`
	MerchantURL      string         `json:"merchant_url"`
	MerchantPub      string         `json:"merchant_pub"`
}

// Item is one thing the shop sells. A nil price is typed by the cashier; a nil
// stock is not counted.
type Item struct {
	SKU      string       `json:"sku"`
	Name     string       `json:"name"`
	Category string       `json:"category"`
	Price    *Money       `json:"price"`
	Tax      string       `json:"tax"`
	Barcode  string       `json:"barcode,omitempty"`
	Stock    *int64       `json:"stock"`
	Options  List[string] `json:"options"`
}

// Catalogue is the answer of GET /catalogue.
type Catalogue struct {
	Version int64      `json:"version"`
	Items   List[Item] `json:"items"`
}
