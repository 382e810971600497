package sim

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Obey does what a line of `till devices sim card` says (cli.md): swipe
// [bad|half], card hi|lo [T1|T2|T3], stall on|off, garble P, unplug, replug,
// show, dump. Tracks are parted by "|" or told apart by their sentinels. show
// writes what is on the card and what the reader waits for to out, dump its
// bits in hexadecimal; a nil out swallows both.
func (r *CardReader) Obey(line string, out io.Writer) error {
	w, err := words(line)
	if err != nil || len(w) == 0 {
		return err
	}
	if out == nil {
		out = io.Discard
	}
	switch {
	case w[0] == "card" && len(w) > 1 && (w[1] == "hi" || w[1] == "lo"):
		_, rest, _ := strings.Cut(strings.TrimSpace(line)[len("card"):], w[1])
		texts, err := splitTracks(strings.TrimSpace(rest))
		if err != nil {
			return err
		}
		return r.Insert(w[1] == "hi", texts...)
	case w[0] == "garble" && len(w) == 2:
		chance, err := strconv.ParseFloat(w[1], 64)
		if err != nil || !(chance >= 0 && chance <= 1) {
			return fmt.Errorf("garble %s: must be a number from 0 to 1", w[1])
		}
		r.Garble(chance)
		return nil
	case len(w) == 1 && w[0] == "show":
		return r.show(out)
	case len(w) == 1 && w[0] == "dump":
		return r.dump(out)
	}
	act, ok := map[string]func(){
		"swipe":      func() { r.Swipe(GoodSwipe) },
		"swipe bad":  func() { r.Swipe(BadSwipe) },
		"swipe half": func() { r.Swipe(HalfSwipe) },
		"stall on":   func() { r.Stall(true) },
		"stall off":  func() { r.Stall(false) },
		"unplug":     r.Unplug,
		"replug":     r.Replug,
	}[strings.Join(w, " ")]
	if !ok {
		return fmt.Errorf("%q: %w", line, errWords)
	}
	act()
	return nil
}

// splitTracks takes the tracks of a line apart: at "|", or at their sentinels,
// the first ;…? being track 2 and the next track 3.
func splitTracks(text string) ([]string, error) {
	switch {
	case text == "":
		return nil, nil
	case strings.Contains(text, "|"):
		return strings.Split(text, "|"), nil
	case !strings.Contains(text, "?"):
		return []string{text}, nil
	}
	var texts []string
	for text != "" {
		one, rest, closed := strings.Cut(text, "?")
		switch {
		case !closed, one == "", one[0] != '%' && one[0] != ';', one[0] == '%' && len(texts) > 0:
			return nil, errors.New("card: write the tracks as %…? ;…? ;…?, or part them by |")
		case one[0] == ';' && len(texts) == 0:
			texts = append(texts, "")
		}
		texts = append(texts, one+"?")
		text = strings.TrimSpace(rest)
	}
	return texts, nil
}

func (r *CardReader) show(out io.Writer) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	kind := "lo"
	if r.card.hi {
		kind = "hi"
	}
	text := "card " + kind + "\n"
	for i, stripe := range r.card.tracks {
		_, _, bits := alphabet(i)
		track, ok := decodeTrack(i, stripe, bits)
		if !ok {
			track = "unreadable"
		}
		text += strings.TrimRight(fmt.Sprintf("%d %s", i+1, track), " ") + "\n"
	}
	waits, ok := map[byte]string{'r': "read", 'm': "read raw", 'w': "write", 'c': "erase", 0x86: "sensor test"}[r.waiting]
	if ok {
		text += "waits for a swipe: " + waits + "\n"
	}
	_, err := io.WriteString(out, text)
	return err
}

func (r *CardReader) dump(out io.Writer) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, stripe := range r.card.tracks {
		if _, err := fmt.Fprintf(out, "%d %x\n", i+1, rawOut(stripe, 8)); err != nil {
			return err
		}
	}
	return nil
}
