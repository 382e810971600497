package terminal

import "till/protocol"

// JobState is how far a print job has got.
type JobState string

// The states. A job found printing at start may be on paper or not: ask before
// it is printed again.
const (
	JobPending  JobState = "pending"
	JobPrinting JobState = "printing"
	JobPrinted  JobState = "printed"
	JobDropped  JobState = "dropped"
)

// Job is one paper to print.
type Job struct {
	ID     int64
	Kind   string          // receipt, wallet, address, x, z, …
	Sale   protocol.SaleID // "" none
	Copy   int64           // 1 … n of the sale's receipts, 0 for other papers
	Data   []byte          // the caller's own
	State  JobState
	Queued protocol.Time
}
