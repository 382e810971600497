package terminal

import "till/protocol"

// Alert is a stored alert. ID is this terminal's own number for it: the server's
// Seq begins anew with a new log.
type Alert struct {
	ID int64
	protocol.Alert
	Urgent       bool          // needs a person
	Acknowledged protocol.Time // by a person, 0 not yet
}
