package sim

import (
	"bytes"
	"fmt"
)

// maxCommand is the longest command executed; what says it is longer is noise
// and is skipped.
const maxCommand = 1 << 20

// maxComplaints bounds the list of complaints.
const maxComplaints = 100

// executor is the command interpreter: what has been set, and the line being
// composed. Commands are collected byte by byte until they are complete.
type executor struct {
	lexer lexer

	font      int
	width     int
	height    int
	bold      bool
	underline bool
	inverse   bool
	align     int
	spacing   int // dots of a line feed
	left      int // margin in dots
	area      int // width of the print area in dots
	page      byte
	twoBytes  bool
	lead      byte // first byte of a two-byte character

	toDisplay bool

	cells []cell
	x     int

	barHeight int
	barWidth  int
	qrModule  int
	qrData    []byte
	graphics  *raster // stored by GS ( L

	complaints []string
}

// newExecutor is the state after switching on. ESC @ comes back to it.
func newExecutor(m model) executor {
	return executor{
		width: 1, height: 1, spacing: 30, area: m.dots, twoBytes: m.twoBytes,
		barHeight: 162, barWidth: 3, qrModule: 3,
	}
}

// reset is ESC @: settings go, the unprinted line goes, the symbol store stays.
func (e *executor) reset(m model) {
	fresh := newExecutor(m)
	fresh.qrData, fresh.complaints = e.qrData, e.complaints
	*e = fresh
}

// complain notes what a real printer would have printed as rubbish.
func (e *executor) complain(format string, args ...any) {
	if len(e.complaints) < maxComplaints {
		e.complaints = append(e.complaints, fmt.Sprintf(format, args...))
	}
}

// Complaints lists what a real printer of this kind would have misprinted.
func (p *Printer) Complaints() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.executor.complaints...)
}

// feed takes the next byte in turn.
func (e *executor) feed(p *Printer, b byte) {
	command, refused := e.lexer.next(b)
	switch {
	case refused > 0:
		e.complain("command of %d bytes", refused)
	case command == nil:
	case e.toDisplay && !bytes.HasPrefix(command, []byte{0x1B, '='}):
		if p.display != nil {
			p.display.receive(command)
		}
	case len(command) == 1:
		e.plain(p, b)
	default:
		e.execute(p, command)
	}
}

// plain is a character or a control of one byte.
func (e *executor) plain(p *Printer, b byte) {
	switch {
	case e.lead != 0:
		e.lead = 0
		e.put('□', 24)
	case b >= 0x80 && e.twoBytes:
		e.lead = b
	case b >= 0x20 && b != 0x7F:
		e.put(decode(e.page, b), e.pitch())
	case b == 0x0A:
		e.printLine(p)
	case b == 0x09:
		tab := 8 * e.pitch()
		e.x = (e.x/tab + 1) * tab
	case b == 0x18:
		e.cells, e.x = nil, 0
	}
	if len(e.cells) > 0 && e.x > e.area {
		last := e.cells[len(e.cells)-1]
		e.cells = e.cells[:len(e.cells)-1]
		e.printLine(p)
		last.x = 0
		e.cells, e.x = append(e.cells, last), last.width
	}
}

// pitch is the width of a character in dots: font A 12, font B 9.
func (e *executor) pitch() int {
	if e.font == 1 {
		return 9
	}
	return 12
}

// put composes a character on the line.
func (e *executor) put(r rune, pitch int) {
	c := cell{
		x: e.x, r: r, width: pitch * e.width, pitch: pitch, height: 24 * e.height,
		bold: e.bold, underline: e.underline, inverse: e.inverse,
	}
	if e.font == 1 {
		c.height = 17 * e.height
	}
	e.cells = append(e.cells, c)
	e.x += c.width
}

// printLine brings the line on paper and feeds by the line spacing, or by its
// characters if they are higher.
func (e *executor) printLine(p *Printer) {
	height := e.spacing
	for _, c := range e.cells {
		height = max(height, c.height)
	}
	p.roll.add(item{cells: e.cells, offset: e.left + e.indent(e.x), height: height})
	e.cells, e.x = nil, 0
	p.linePrinted(1)
}

// indent is where something of this width begins, by the alignment.
func (e *executor) indent(width int) int {
	free := max(e.area-width, 0)
	switch e.align {
	case 1:
		return free / 2
	case 2:
		return free
	}
	return 0
}

// flush prints what stands on the line, for commands that act on whole lines.
func (e *executor) flush(p *Printer) {
	if len(e.cells) > 0 {
		e.printLine(p)
	}
}

// atLineStart complains when a picture comes in the middle of a line, where
// printers ignore it.
func (e *executor) atLineStart(what string) bool {
	if len(e.cells) > 0 {
		e.complain("%s in the middle of a line", what)
		return false
	}
	return true
}
