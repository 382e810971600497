package story

import (
	"context"
	"image"
	"io"
	"time"

	"till/protocol"
)

// Shop is one practice shop on fresh data, in parts a story can drive. A part
// that is nil is not there: statements that need it are refused by name before
// anything runs. Program and Clock are always there.
type Shop struct {
	Program Program
	Clock   Clock
	World   World
	Books   Books
	Printer Printer
	Drawer  Drawer
	Display Display
	Scanner Scanner
	Reader  CardReader
	Case    Case
	Cables  Cables
	Ecash   Ecash
	// Further makes another terminal of the shop while the first one runs, with
	// devices of its own; world, clock and server are the same.
	// Gather lets such join from the next start of the first on.
	Gather  func() error
	Further func(ctx context.Context, name string) (*Shop, error)
	Close   func() error // ends what still runs and removes the data
}

// Open makes a shop on fresh data; nothing of it runs before [Program.Start].
type Open func(ctx context.Context) (*Shop, error)

// Program is a terminal of the shop with its embedded server, as a process: it
// is started on the same data as often as the story says.
type Program interface {
	// Start starts it on a terminal and returns once it reads and draws, or
	// with the error that kept it from that.
	Start(ctx context.Context, tty TTY) error
	// Signal gives it a signal by its name without SIG: TERM ends it in good
	// order, KILL without notice, nothing being flushed or told.
	Signal(ctx context.Context, name string) error
	// Ended is closed when the run that the last Start began is over.
	Ended() <-chan struct{}
	// Resize tells it the terminal's new size in cells.
	Resize(width, height int)
	// Screen is the name, out of [Screens], of what is shown now.
	Screen() string
	// Action tells what can be done now.
	Action(name string) Action
}

// Action is what the program says about an action at this moment.
type Action struct {
	Key     string // the first key bound to it, as KEY of stories.md; "" when it is not offered here
	Enabled bool
	Why     string // why it is not enabled, as the person at the screen is told
}

// TTY is the terminal that a program is started on. Like a real one it has no
// line discipline: a program that writes through no pseudo-terminal must itself
// return the carriage at a line feed.
type TTY struct {
	Input         io.Reader // ends with io.EOF when the run is over
	Output        io.Writer
	Width, Height int
	Env           []string // TERM, LANG, COLORTERM, NO_COLOR: what there is of a terminal in its environment
	Locale        string   // such as de-AT, "" for the shop's
	// Filter is for tea.WithFilter; without it the runner cannot know when a
	// key has been handled and waits a moment after each instead.
	Filter Filter
}

// Clock is the practice clock, which program and server read; it runs as fast as
// the machine's.
type Clock interface {
	Advance(ctx context.Context, d time.Duration) error
}

// World is what surrounds the shop: customer, miners, prices, its node.
type World interface {
	// Pay pays and gives the txid once the mempool has it.
	Pay(ctx context.Context, p Payment) (txid string, err error)
	// Replace double-spends an unconfirmed payment back to the customer. A fee
	// rate of 0 is one that suffices.
	Replace(ctx context.Context, txid string, feeRate int64) (string, error)
	Mine(ctx context.Context, blocks int) error
	// Reorg replaces the last blocks; with drop their payments are gone for good.
	Reorg(ctx context.Context, depth int, drop bool) error
	// Rate sets what a bitcoin costs in a currency, as a decimal of its units, or
	// with "down" takes the price away.
	Rate(ctx context.Context, currency, price string) error
	NodeDown(ctx context.Context, down bool) error
}

// Ecash is the customer's wallet for e-cash and the mint of its coins.
type Ecash interface {
	// Offer opens the shop's door to this wallet from its next start on; the program's
	// own customer needs none.
	Offer()
	// Tap begins to pay the bill that is asked for; the screen tells how it goes.
	Tap(ctx context.Context) error
	// Mint takes the mint away, brings it back, or lets every answer wait.
	Mint(ctx context.Context, down bool, delay time.Duration) error
}

// Payment is what the simulated customer pays.
type Payment struct {
	Address     string
	Amount      protocol.Sat
	FeeRate     int64 // milli-sat per vB; 0 is the customer's habit
	Replaceable bool
}

// Books are what the shop knows, for comparison with what it shows.
type Books interface {
	// Sale is the sale that is being paid, else the last one; its State is "" when
	// there was none.
	Sale(ctx context.Context) (Sale, error)
	// Wallet is what the shop's wallet holds, unconfirmed coins included.
	Wallet(ctx context.Context) (protocol.Sat, error)
	// DrawerCash is what should lie in the drawer.
	DrawerCash(ctx context.Context) (protocol.Money, error)
	// Alerts counts the alerts that wait for a person.
	Alerts(ctx context.Context) (int, error)
	// VerifyJournal checks every journal of the shop; the error names the first
	// bad entry.
	VerifyJournal(ctx context.Context) error
}

// Sale is what the books know of a sale.
type Sale struct {
	State    protocol.SaleState
	Flags    []protocol.Flag
	Due      protocol.Sat
	Received protocol.Sat
	TxID     string // of the last payment seen
	Address  string // of its Bitcoin tender
	Rate     protocol.Rate
	Currency protocol.Currency
}

// Printer is a receipt printer with its paper; *sim.Printer is one.
type Printer interface {
	// Obey does what a line of `till devices sim printer` says (cli.md).
	Obey(line string, out io.Writer) error
	Text() string            // all that was printed, line by line
	Lines() int              // of text
	Cuts() int               //
	QRs() []string           // drawn by the printer itself
	Pictures() []image.Image // rasters, in which codes may be
}

// Drawer is a cash drawer; *sim.Printer has one.
type Drawer interface{ DrawerOpen() bool }

// Display is a customer display of rows of characters, counted from 0.
type Display interface{ Row(n int) string }

// Scanner reads a code as a scanner on a serial line does.
type Scanner interface {
	Scan(code string) error
}

// CardReader is a card reader with the person who swipes cards; *sim.CardReader is
// most of one.
type CardReader interface {
	// Obey does what a line of `till devices sim card` says (cli.md).
	Obey(line string, out io.Writer) error
	// Waiting tells whether it waits for a swipe.
	Waiting() bool
	// Holds is nil when the card in hand holds a kind of [CardKinds], else why not.
	Holds(kind string) error
}

// Case is the machine's case with its switch.
type Case interface {
	Open(ctx context.Context) error
}

// Cables are the lines that can be pulled: server printer card scanner display
// network. The error of one that is not there says so.
type Cables interface {
	Pull(line string) error
	Plug(line string) error
}
