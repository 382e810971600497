package device

// JobState is how far a receipt has come.
type JobState int

const (
	// JobQueued: others are before it, or the printer is not there.
	JobQueued JobState = iota
	// JobPrinting: its bytes go out; from here on paper may carry it.
	JobPrinting
	// JobWaiting: the printer needs a person first; Fault says what for.
	JobWaiting
	// JobDone: it is on paper.
	JobDone
	// JobCancelled: it was taken out of the queue before it began.
	JobCancelled
	// JobRefused: it cannot be printed at all, on any attempt.
	JobRefused
)

// String is one lower-case word.
func (s JobState) String() string {
	return [...]string{"queued", "printing", "waiting", "done", "cancelled", "refused"}[s]
}

// Job is one receipt to print.
type Job struct {
	// ID is the caller's name for it; it comes back in reports.
	ID string
	// Document is the receipt as its first copy; the printer heads later
	// copies with Document.Copy.
	Document Document
	// Copies is how many times it was begun before: 0 for a new receipt, the
	// last reported Copies when a job is handed in again after a restart.
	Copies int
}

// JobReport is a step in a job's life, worth storing.
type JobReport struct {
	ID    string
	State JobState
	// Copies counts the copies begun, the present one included: each may be
	// on paper, whole or in part. The n-th is headed COPY n from 2 on.
	Copies int
	// Confirmed, with JobDone: the printer said so. Otherwise it is a printer
	// that never answers, and all is known is that the bytes were written.
	Confirmed bool
	// Fault, with JobWaiting: what the printer waits for.
	Fault Fault
}
