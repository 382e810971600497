package device

import "encoding/json"

// DrawerState is what a printer's drawer sense pin says, once its polarity is
// known.
type DrawerState int

// The states. Unknown: no sense pin, or no answer yet.
const (
	DrawerUnknown DrawerState = iota
	DrawerClosed
	DrawerOpen
)

// String is "unknown", "closed" or "open".
func (s DrawerState) String() string {
	switch s {
	case DrawerClosed:
		return "closed"
	case DrawerOpen:
		return "open"
	}
	return "unknown"
}

// MarshalJSON writes the word of String.
func (s DrawerState) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }
