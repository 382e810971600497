package story

import (
	"regexp"
	"time"

	"till/protocol"
)

// Statement is one line of a story.
type Statement struct {
	File string
	Line int
	Text string // the line as written
	On   string // the terminal it speaks of, "main" where none is named
	Do   Step
}

// Step is what a statement asks for: one of the types below.
type Step any

// Text is what a looking statement compares with: a string that must be
// contained, a regular expression, or a captured variable.
type Text struct {
	Literal string
	Pattern *regexp.Regexp
	Var     string
}

// Amount is of the shop's currency, or of bitcoin.
type Amount struct {
	Decimal string // of the shop's currency, "12.50"
	Sat     *protocol.Sat
}

// The statements (stories.md). A Within of 0 is the story's patience.
type (
	// Size sets the screen's size in cells.
	Size struct{ Width, Height int }
	// Term sets TERM, Locale the locale, Colour the depth.
	Term     struct{ Name string }
	Locale   struct{ Name string }
	Colour   struct{ Depth string }
	Patience struct{ Time time.Duration }

	// Press sends keys, Hold one key often, TypeText and Paste text.
	Press struct{ Keys []string }
	Hold  struct {
		Key   string
		Times int
	}
	TypeText struct{ Text Text }
	Paste    struct{ Text Text }
	// Scan gives a code to the scanner, or types it as a wedge does.
	Scan struct {
		Text Text
		By   string
	}
	// Act presses the first key bound to the action now.
	Act struct{ Action string }
	// Can looks whether an action is possible, or impossible and why.
	Can struct {
		Action  string
		Not     bool
		Because *Text
	}

	// OnScreen, See, SeeState, NotSee and Never look at the screen.
	OnScreen struct{ Name string }
	See      struct {
		Text   Text
		In     string
		Within time.Duration
	}
	SeeState struct {
		State  string
		Within time.Duration
	}
	NotSee struct {
		Text Text
		In   string
	}
	Never struct {
		Text Text
		For  time.Duration
	}

	// SignIn and SignOut change the user.
	SignIn  struct{ User, PIN string }
	SignOut struct{}
	// Ring adds an amount, Add an item of the catalogue.
	Ring struct {
		Amount Amount
		Name   string
	}
	Add struct {
		Name  string
		Count int
	}

	// Pays is the customer paying what is due, an amount or a part.
	Pays struct {
		Amount      *Amount
		Percent     int
		Fee         string
		Replaceable bool
	}
	Replaces  struct{ Fee string }
	Taps      struct{}
	WalksAway struct{}

	// Mine, Reorg, Rate, Mint and Node move the practice world.
	Mine  struct{ Blocks int }
	Reorg struct {
		Depth int
		Drop  bool
	}
	Rate struct {
		Name  string
		Value string
		Down  bool
	}
	Mint struct {
		State string
		Delay time.Duration
	}
	Node struct{ Up bool }

	// Pull takes a line away, Plug gives it back.
	Pull struct{ Line string }
	Plug struct{ Line string }
	// PrinterIs, Reader and Tamper command the simulated devices.
	PrinterIs struct {
		What  string
		Arg   string
		After int
	}
	Reader struct {
		What   string
		Arg    string
		Tracks []Text
	}
	Tamper struct{}

	// Paper looks at what was printed: text, not, count, qr or cut.
	Paper struct {
		What   string
		Text   *Text
		Count  int
		Within time.Duration
	}
	SeeDisplay struct {
		Row  int
		Text Text
	}
	SeeDrawer struct{ State string }
	CardHolds struct{ Kind string }
	// ReadQR decodes the QR on the screen from its cells.
	ReadQR struct {
		Text   *Text
		As     string
		Within time.Duration
	}

	// Let captures from the screen or sets a variable.
	Let struct {
		Var     string
		Pattern *regexp.Regexp
		Text    string
	}
	// Expect compares two values.
	Expect struct{ Left, Op, Right string }

	Advance struct{ Time time.Duration }
	Wait    struct{ Time time.Duration }
	Stop    struct{ Kill bool }
	Start   struct{}
	Signal  struct{ Name string }
	Shot    struct{ File string }
	Verify  struct{} // journal verify
	Include struct{ File string }
	Say     struct{ Text string }
)
