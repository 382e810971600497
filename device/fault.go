package device

import "encoding/json"

// State is all that most of the program needs to know of a device.
type State int

const (
	// Absent: not configured, not found or not plugged in.
	Absent State = iota
	// Ready: open and able to do its work.
	Ready
	// Faulted: found, and needs a person; Status.Fault says why.
	Faulted
)

// String is the word used by `till devices check --json`.
func (s State) String() string {
	switch s {
	case Ready:
		return "ready"
	case Faulted:
		return "faulted"
	}
	return "absent"
}

// MarshalJSON writes the word of String.
func (s State) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// Fault is a word for what is wrong with a device; the empty word is no fault.
// Words are stable: they are stored, sent to the server and matched by programs.
type Fault string

// The words. Sentence gives each its English.
const (
	NoFault       Fault = ""
	NotFound      Fault = "not_found"
	NotPermitted  Fault = "not_permitted"
	InUse         Fault = "in_use"
	Unreachable   Fault = "unreachable"
	Unplugged     Fault = "unplugged"
	NoAnswer      Fault = "no_answer"
	Garbled       Fault = "garbled"
	PaperEnd      Fault = "paper_end"
	PaperNearEnd  Fault = "paper_near_end"
	CoverOpen     Fault = "cover_open"
	CutterJam     Fault = "cutter"
	Mechanical    Fault = "mechanical"
	Recoverable   Fault = "recoverable"
	Unrecoverable Fault = "fatal"
	Offline       Fault = "offline"
)

// The words for a card and its swipe; the reader is ready all the same.
const (
	NoSwipe        Fault = "no_swipe"
	BadSwipe       Fault = "bad_swipe"
	CardEmpty      Fault = "card_empty"
	CardUnreadable Fault = "card_unreadable"
	CardNotWritten Fault = "card_not_written"
	CardDiffers    Fault = "card_differs"
	CardRefused    Fault = "card_refused"
	CardBusy       Fault = "card_busy"
)

var sentences = map[Fault]string{
	NoFault:       "",
	NotFound:      "The device is not there: plug it in or check its name in the configuration.",
	NotPermitted:  "The device may not be opened: let this user into the group that owns it.",
	InUse:         "Another program holds the device: close that program.",
	Unreachable:   "The device cannot be reached: check its cable, power and address.",
	Unplugged:     "The device went away: check its cable and power.",
	NoAnswer:      "The device does not answer: check its cable and power.",
	Garbled:       "The device answers nonsense: check speed and parity in the configuration, and its cable.",
	PaperEnd:      "The printer is out of paper: put in a new roll.",
	PaperNearEnd:  "The paper roll is nearly used up: keep a new one at hand.",
	CoverOpen:     "The printer's cover is open: close it.",
	CutterJam:     "The printer's cutter is stuck: free the paper, then close the cover.",
	Mechanical:    "The printer has a mechanical error: free the paper, then close the cover.",
	Recoverable:   "The printer reports an error: open and close its cover.",
	Unrecoverable: "The printer reports a fatal error: switch it off and on; call service if it stays.",
	Offline:       "The printer is offline: press its online or feed button.",

	NoSwipe:        "No card was swiped: begin again and swipe it.",
	BadSwipe:       "The swipe was uneven: swipe the card again, at a steady speed and to its end.",
	CardEmpty:      "The card is empty.",
	CardUnreadable: "The card cannot be read: swipe it again, at a steady speed and to its end.",
	CardNotWritten: "The card did not take it: swipe again; if that does not help, choose the other kind of stripe, Hi-Co or Lo-Co.",
	CardDiffers:    "The card does not hold what was written: write it again, or take another card.",
	CardRefused:    "The card reader refused the command: it is not an MSR605, MSR606 or MSR206, or lacks this track.",
	CardBusy:       "The card reader is waiting for another swipe: swipe, or cancel that first.",
}

// Sentence says in English what is wrong and what to do. A word this version
// does not know is its own sentence.
func (f Fault) Sentence() string {
	if s, ok := sentences[f]; ok {
		return s
	}
	return string(f)
}

// Faults lists every word in no particular order, for the files of words in
// other languages to be checked against.
func Faults() []Fault {
	all := make([]Fault, 0, len(sentences))
	for f := range sentences {
		if f != NoFault {
			all = append(all, f)
		}
	}
	return all
}

// Status is a device's state at one moment. It is comparable: two equal values
// are no news.
type Status struct {
	State State `json:"state"`
	// Fault is set when State is Faulted, and says why it is Absent if known.
	Fault Fault `json:"fault,omitempty"`
	// Warning does not stop work: PaperNearEnd.
	Warning Fault `json:"warning,omitempty"`
	// Model is what the device calls itself, empty when it does not say.
	Model string `json:"model,omitempty"`
	// Unconfirmed: the device never answers, so its work cannot be confirmed.
	Unconfirmed bool `json:"unconfirmed,omitempty"`
	// Drawer is told by printers with a drawer sense pin.
	Drawer DrawerState `json:"drawer,omitempty"`
}
