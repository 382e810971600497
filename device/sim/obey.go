package sim

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// maxLine is the longest line obeyed.
const maxLine = 8192

// errWords says that a line is none of the language.
var errWords = errors.New("not understood")

// words splits a line and bounds it. An empty line is no command.
func words(line string) ([]string, error) {
	if len(line) > maxLine {
		return nil, fmt.Errorf("line of %d bytes: longer than %d", len(line), maxLine)
	}
	return strings.Fields(line), nil
}

// Obey does what a line of `till devices sim printer` says (cli.md): paper
// out|in|near [after N lines], cover open|closed, error cutter|fatal|recoverable|
// none, offline on|off, stall on|off, garble P, unplug, replug, show, dump; and
// restart, drawer open|closed. show writes the paper's text to out, dump what is
// still in the buffer, in hexadecimal; a nil out swallows both.
func (p *Printer) Obey(line string, out io.Writer) error {
	w, err := words(line)
	if err != nil || len(w) == 0 {
		return err
	}
	if out == nil {
		out = io.Discard
	}
	switch {
	case w[0] == "paper" && len(w) > 1:
		return p.obeyPaper(w[1:])
	case w[0] == "garble" && len(w) == 2:
		chance, err := strconv.ParseFloat(w[1], 64)
		if err != nil || !(chance >= 0 && chance <= 1) {
			return fmt.Errorf("garble %s: must be a number from 0 to 1", w[1])
		}
		p.Garble(chance)
		return nil
	case len(w) == 1 && w[0] == "show":
		_, err := io.WriteString(out, p.Text())
		return err
	case len(w) == 1 && w[0] == "dump":
		_, err := fmt.Fprintf(out, "% x\n", p.unexecuted())
		return err
	}
	act, ok := p.acts()[strings.Join(w, " ")]
	if !ok {
		return fmt.Errorf("%q: %w", line, errWords)
	}
	act()
	return nil
}

// acts are the lines that take no argument.
func (p *Printer) acts() map[string]func() {
	return map[string]func(){
		"cover open":        func() { p.SetCover(true) },
		"cover closed":      func() { p.SetCover(false) },
		"error cutter":      func() { p.SetTrouble(CutterTrouble) },
		"error recoverable": func() { p.SetTrouble(RecoverableTrouble) },
		"error fatal":       func() { p.SetTrouble(FatalTrouble) },
		"error none":        func() { p.SetTrouble(NoTrouble) },
		"offline on":        func() { p.SetOffline(true) },
		"offline off":       func() { p.SetOffline(false) },
		"stall on":          func() { p.Stall(true) },
		"stall off":         func() { p.Stall(false) },
		"drawer open":       func() { p.SetDrawer(true) },
		"drawer closed":     func() { p.SetDrawer(false) },
		"unplug":            p.Unplug,
		"replug":            p.Replug,
		"restart":           p.Restart,
	}
}

func (p *Printer) obeyPaper(w []string) error {
	papers := map[string]Paper{"in": PaperIn, "near": PaperNear, "out": PaperOut}
	paper, ok := papers[w[0]]
	switch {
	case ok && len(w) == 1:
		p.SetPaper(paper)
		return nil
	case ok && len(w) == 4 && w[1] == "after" && (w[3] == "lines" || w[3] == "line"):
		lines, err := strconv.ParseUint(w[2], 10, 16)
		if err != nil {
			return fmt.Errorf("paper after %s: must be a number of lines", w[2])
		}
		p.SetPaperAfter(paper, int(lines))
		return nil
	}
	return fmt.Errorf("paper %s: %w", strings.Join(w, " "), errWords)
}

// unexecuted is what was received and not executed yet.
func (p *Printer) unexecuted() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]byte(nil), p.buffer...)
}
