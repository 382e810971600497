package sim

import (
	"math/rand/v2"
	"sync"

	"till/device"
)

// bufferSize is a TM printer's receive buffer.
const bufferSize = 4096

// Paper is how much paper there is.
type Paper int

// The paper sensors' three answers.
const (
	PaperIn Paper = iota
	PaperNear
	PaperOut
)

// Trouble is an error of the mechanism.
type Trouble int

// The errors, as `till devices sim` names them.
const (
	NoTrouble Trouble = iota
	CutterTrouble
	RecoverableTrouble
	FatalTrouble
)

// Printer is a receipt printer. Its methods are the hands that open covers and
// load paper; its links are its cable.
type Printer struct {
	model  model
	random *rand.Rand // guarded by mu

	talking sync.WaitGroup // the links that were dialled

	mu      sync.Mutex
	changed chan struct{} // closed and replaced at every change
	cable   cable
	display *Display // behind the printer, if any

	paper      Paper
	paperAfter int // lines until paper becomes paperNext; -1 never
	paperNext  Paper
	coverOpen  bool
	trouble    Trouble
	offline    bool
	drawerOpen bool
	pulses     int
	beeps      int

	stalled    bool
	stallAfter int // bytes still received before a stall; -1 never
	garble     float64

	arrival   []byte // tail of what arrived, for real-time commands
	incoming  lexer
	buffer    []byte // received, not executed
	executor  executor
	automatic byte // GS a
	told      [4]byte
	roll      roll
}

// NewPrinter is a printer of one of the profiles of cli.md (printer.profile),
// "auto" being an Epson that says so. random garbles bytes; nil is a fixed
// sequence.
func NewPrinter(profile string, random *rand.Rand) (*Printer, error) {
	m, err := modelOf(profile)
	if err != nil {
		return nil, err
	}
	if random == nil {
		random = rand.New(rand.NewPCG(1, 2))
	}
	p := &Printer{model: m, random: random, changed: make(chan struct{}), paperAfter: -1, stallAfter: -1}
	p.executor = newExecutor(m)
	return p, nil
}

// change runs f with the printer held still, then lets it work and tell.
func (p *Printer) change(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
	p.work()
	p.tellChanges()
	p.wake()
}

// wake is called with mu held.
func (p *Printer) wake() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// SetPaper loads or removes paper.
func (p *Printer) SetPaper(paper Paper) {
	p.change(func() { p.paper, p.paperAfter = paper, -1 })
}

// SetPaperAfter lets paper come to its (near) end after that many lines.
func (p *Printer) SetPaperAfter(paper Paper, lines int) {
	p.change(func() { p.paperNext, p.paperAfter = paper, max(lines, 0) })
}

// SetCover opens or closes the cover.
func (p *Printer) SetCover(open bool) { p.change(func() { p.coverOpen = open }) }

// SetTrouble makes or mends an error.
func (p *Printer) SetTrouble(t Trouble) { p.change(func() { p.trouble = t }) }

// SetOffline presses the online button.
func (p *Printer) SetOffline(off bool) { p.change(func() { p.offline = off }) }

// SetDrawer pushes the drawer shut, or pulls it open with a key.
func (p *Printer) SetDrawer(open bool) { p.change(func() { p.drawerOpen = open }) }

// Stall stops the printer from reading and answering, or lets it go on.
func (p *Printer) Stall(on bool) {
	p.change(func() { p.stalled, p.stallAfter = on, -1 })
}

// StallAfter stalls once that many more bytes have been received.
func (p *Printer) StallAfter(bytes int) { p.change(func() { p.stallAfter = bytes }) }

// Garble damages each byte, both ways, with this chance; at most 1.
func (p *Printer) Garble(chance float64) { p.change(func() { p.garble = min(max(chance, 0), 1) }) }

// Restart switches the printer off and on: it forgets what it received and was
// told, and prints nothing of it. The cable stays.
func (p *Printer) Restart() {
	p.change(func() {
		p.arrival, p.buffer, p.automatic, p.told = nil, nil, 0, [4]byte{}
		p.cable.out, p.incoming = nil, lexer{}
		p.executor = newExecutor(p.model)
		if p.trouble != FatalTrouble {
			p.trouble = NoTrouble
		}
	})
}

// Behind hangs a display on the printer's second connector (ESC =).
func (p *Printer) Behind(d *Display) { p.change(func() { p.display = d }) }

// DrawerOpen tells where the drawer is.
func (p *Printer) DrawerOpen() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.drawerOpen
}

// Pulses counts the drawer pulses.
func (p *Printer) Pulses() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pulses
}

// Received is how many bytes wait to be executed.
func (p *Printer) Received() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.buffer)
}

// blocked tells whether something stands in the way of printing.
func (p *Printer) blocked() bool {
	return p.offline || p.coverOpen || p.paper == PaperOut || p.trouble != NoTrouble
}

// work executes what was received, as far as nothing stands in the way.
func (p *Printer) work() {
	for len(p.buffer) > 0 && !p.blocked() && !p.stalled {
		b := p.buffer[0]
		p.buffer = p.buffer[1:]
		p.executor.feed(p, b)
	}
	if len(p.buffer) == 0 {
		p.buffer = nil
	}
}

// receive takes bytes from the cable. Real-time commands act as they arrive,
// wherever they stand. Between other commands they take no room in the buffer;
// in the middle of one, they are its data as well.
func (p *Printer) receive(data []byte) {
	for _, b := range data {
		if p.garble > 0 && p.random.Float64() < p.garble {
			b ^= 1 << p.random.IntN(8)
		}
		p.arrival = append(p.arrival, b)
		if done, _ := p.incoming.next(b); !p.incoming.alone(done) {
			p.buffer = append(p.buffer, b)
		}
		p.realTime()
		if p.stallAfter > 0 {
			if p.stallAfter--; p.stallAfter == 0 {
				p.stalled, p.stallAfter = true, -1
			}
		}
	}
	p.work()
	p.tellChanges()
	p.wake()
}

// pulse opens the drawer.
func (p *Printer) pulse() {
	p.pulses++
	p.drawerOpen = true
}

// linePrinted moves paper on.
func (p *Printer) linePrinted(lines int) {
	if p.paperAfter < 0 {
		return
	}
	if p.paperAfter -= lines; p.paperAfter <= 0 {
		p.paper, p.paperAfter = p.paperNext, -1
	}
}

var _ device.Dialer = (*Printer)(nil).Dial
