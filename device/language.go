package device

// Language is how a kind of printer is spoken to; escpos.Language is one. It
// holds no connection: parsers do.
type Language interface {
	// Greeting is in two parts. mend ends whatever command and line an earlier
	// link broke off in, and does nothing otherwise; it goes before everything
	// else. hello is sent to a printer that is well: it turns automatic status
	// on, asks for names where the printer can tell them, and ends as a job does.
	Greeting() (mend, hello []byte)
	// Adapt is the language for a printer that answered the greeting with
	// these names, in order, and its end or not.
	Adapt(names []string, end bool) Language
	// Questions are answered at once by one byte each, whatever the printer is
	// doing; the first is the cheapest. must tells that every printer of this
	// kind answers: silence is a fault, not a habit.
	Questions() (questions []Question, must bool)
	// Job is the document as chunks: between two of them other commands may be
	// sent. The answer to end comes when everything before it is on paper; no
	// end, no answer. A document of nothing for paper leaves the printer's
	// settings alone. An error is for ever: the document cannot be printed.
	Job(d Document) (chunks [][]byte, end []byte, err error)
	// Recover makes the printer go on after an error that a person has mended.
	Recover() []byte
	// NewParser reads one connection's answers, in pieces of any size.
	NewParser() func(p []byte) []Reply
}

// Question is a request for status with what its answer means.
type Question struct {
	Ask []byte
	// Judge gives the conditions the answer speaks of, and which of them hold.
	Judge func(answer byte) (about, set Condition)
}

// Condition is what a printer says of itself, a set of bits.
type Condition uint16

// The conditions.
const (
	IsOffline Condition = 1 << iota
	IsCoverOpen
	IsPaperEnd
	IsPaperNearEnd
	IsCutterJam
	IsMechanical
	IsRecoverable
	IsFatal
	// IsDrawerPinHigh is the drawer connector's sense pin; whether high means
	// open depends on the drawer.
	IsDrawerPinHigh
)

// blocking are the conditions that a person must end before paper moves.
const blocking = IsOffline | IsCoverOpen | IsPaperEnd | IsCutterJam | IsMechanical | IsRecoverable | IsFatal

// Fault is the word for the condition to tell first: an open cover reports
// itself as paper end and offline as well.
func (c Condition) Fault() Fault {
	for _, f := range []struct {
		when Condition
		word Fault
	}{
		{IsFatal, Unrecoverable},
		{IsCoverOpen, CoverOpen},
		{IsPaperEnd, PaperEnd},
		{IsCutterJam, CutterJam},
		{IsMechanical, Mechanical},
		{IsRecoverable, Recoverable},
		{IsOffline, Offline},
	} {
		if c&f.when != 0 {
			return f.word
		}
	}
	return NoFault
}

// ReplyKind tells a printer's answers apart.
type ReplyKind int

// The kinds of answers.
const (
	// RealTimeReply answers the last Question: Byte.
	RealTimeReply ReplyKind = iota
	// AutomaticReply comes by itself when something changes: About and Set.
	AutomaticReply
	// JobReply answers a job's end.
	JobReply
	// NameReply is a name: Text.
	NameReply
)

// Reply is one answer of a printer.
type Reply struct {
	Kind       ReplyKind
	Byte       byte
	About, Set Condition
	Text       string
}
