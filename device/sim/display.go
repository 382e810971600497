package sim

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	"till/device"
)

// The size of a customer display.
const (
	displayColumns = 20
	displayLines   = 2
)

// Display is a customer display of two lines of twenty characters. It has no
// way to answer.
type Display struct {
	cd5220 bool
	wire   wire

	mu      sync.Mutex
	command []byte
	cells   [displayLines][displayColumns]rune
	x, y    int
	page    byte
	shown   []byte // all that came, for dump
}

// NewDisplay is a display of the set "epson" or "cd5220".
func NewDisplay(set string) (*Display, error) {
	if set != "epson" && set != "cd5220" {
		return nil, fmt.Errorf("simulate display: set %q is unknown", set)
	}
	d := &Display{cd5220: set == "cd5220"}
	d.clear()
	return d, nil
}

// Dial plugs into the display in memory.
func (d *Display) Dial(context.Context) (device.Link, error) { return d.wire.dial(d.receive) }

// Serve plugs a link into the display until it ends or the context does.
func (d *Display) Serve(ctx context.Context, link device.Link) error {
	return d.wire.listen(ctx, link, d.receive)
}

func (d *Display) plugged(ctx context.Context) error { return d.wire.plugged(ctx) }

// Close takes the display away and ends its goroutines.
func (d *Display) Close() { d.wire.close() }

// Line is what stands on line 1 or 2, without blanks at its end.
func (d *Display) Line(n int) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n < 1 || n > displayLines {
		return ""
	}
	return strings.TrimRight(string(d.cells[n-1][:]), " ")
}

// Obey does what a line of `till devices sim display` says: unplug, replug,
// stall on|off, show, dump.
func (d *Display) Obey(line string, out io.Writer) error {
	w, err := words(line)
	if err != nil || len(w) == 0 {
		return err
	}
	if out == nil {
		out = io.Discard
	}
	switch strings.Join(w, " ") {
	case "unplug":
		d.wire.unplug()
	case "replug":
		d.wire.replug()
	case "stall on":
		d.wire.stall(true)
	case "stall off":
		d.wire.stall(false)
	case "show":
		_, err = fmt.Fprintf(out, "%s\n%s\n", d.Line(1), d.Line(2))
	case "dump":
		d.mu.Lock()
		defer d.mu.Unlock()
		_, err = fmt.Fprintf(out, "% x\n", d.shown)
	default:
		return fmt.Errorf("%q: %w", line, errWords)
	}
	return err
}

// maxShown bounds what dump remembers.
const maxShown = 4096

func (d *Display) receive(data []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, b := range data {
		if d.shown = append(d.shown, b); len(d.shown) > maxShown {
			d.shown = append(d.shown[:0], d.shown[len(d.shown)-maxShown/2:]...)
		}
		d.next(b)
	}
}

func (d *Display) clear() {
	for y := range d.cells {
		for x := range d.cells[y] {
			d.cells[y][x] = ' '
		}
	}
	d.x, d.y = 0, 0
}

// next executes a byte; 1B and 1F begin commands.
func (d *Display) next(b byte) {
	switch {
	case len(d.command) > 0:
		d.command = append(d.command, b)
		if d.complete() {
			d.execute()
			d.command = nil
		}
	case b == 0x1B || b == 0x1F:
		d.command = append(d.command, b)
	case b == 0x0C:
		d.clear()
	case b == 0x0B:
		d.x, d.y = 0, 0
	case b == 0x0D:
		d.x = 0
	case b == 0x0A:
		d.y = (d.y + 1) % displayLines
	case b == 0x08:
		d.x = max(d.x-1, 0)
	case b == 0x09:
		d.forward()
	case b >= 0x20:
		d.cells[d.y][d.x] = decode(d.page, b)
		d.forward()
	}
}

// forward moves the cursor, from the end of one line to the other's beginning.
func (d *Display) forward() {
	if d.x++; d.x == displayColumns {
		d.x, d.y = 0, (d.y+1)%displayLines
	}
}

// complete tells whether all of a command is there.
func (d *Display) complete() bool {
	c := d.command
	if len(c) < 2 {
		return false
	}
	if c[0] == 0x1B && c[1] == 'Q' { // A or B, text, CR
		return c[len(c)-1] == '\r' || len(c) > 3+displayColumns+1
	}
	parameters := 0
	switch [2]byte{c[0], c[1]} {
	case [2]byte{0x1F, '$'}, [2]byte{0x1B, 'l'}:
		parameters = 2
	case [2]byte{0x1F, 'C'}, [2]byte{0x1F, 'X'}, [2]byte{0x1F, 'E'}, [2]byte{0x1B, 't'}, [2]byte{0x1B, 'R'},
		[2]byte{0x1B, '='}, [2]byte{0x1B, '_'}, [2]byte{0x1B, '*'}, [2]byte{0x1B, 'f'}, [2]byte{0x1B, 'c'}:
		parameters = 1
	}
	return len(c) >= 2+parameters
}

func (d *Display) execute() {
	c := d.command
	switch [2]byte{c[0], c[1]} {
	case [2]byte{0x1B, '@'}:
		d.page = 0
		d.clear()
	case [2]byte{0x1B, 't'}:
		d.page = c[2]
	case [2]byte{0x1F, '$'}, [2]byte{0x1B, 'l'}: // column and line, from 1
		if c[2] >= 1 && c[2] <= displayColumns && c[3] >= 1 && c[3] <= displayLines {
			d.x, d.y = int(c[2])-1, int(c[3])-1
		}
	case [2]byte{0x1B, 'Q'}:
		if !d.cd5220 || len(c) < 4 || c[2] != 'A' && c[2] != 'B' {
			return
		}
		line := &d.cells[c[2]-'A']
		for x := range line {
			line[x] = ' '
		}
		for x, b := range c[3 : len(c)-1] {
			if x < displayColumns {
				line[x] = decode(d.page, b)
			}
		}
	}
}
