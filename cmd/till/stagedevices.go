package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"till/device/sim"
	"till/protocol/bitcoin"
)

// shelf is a stage's card reader, scanner and customer display, each on a serial
// port of its own that goes and comes with its plug.
type shelf struct {
	dir     string
	card    *sim.CardReader
	scanner *sim.Scanner
	display *sim.Display
	devices map[string]sim.Peripheral
	stop    context.CancelFunc
	serving sync.WaitGroup
	failed  chan error
}

func openShelf(dir string) (*shelf, error) {
	card, err := sim.NewCardReader("msr605", nil)
	if err != nil {
		return nil, err
	}
	display, err := sim.NewDisplay("epson")
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &shelf{dir: dir, card: card, scanner: sim.NewScanner("\r"), display: display, stop: stop}
	s.devices = map[string]sim.Peripheral{"card": s.card, "scanner": s.scanner, "display": s.display}
	s.failed = make(chan error, len(s.devices))
	for name, d := range s.devices {
		there := make(chan string, 1)
		s.serving.Go(func() {
			err := sim.ServePTY(ctx, s.port(name), d, func(name string) { there <- name })
			if err != nil {
				s.failed <- fmt.Errorf("serve %s: %w", name, err)
			}
		})
		select {
		case <-there:
		case err := <-s.failed:
			return nil, errors.Join(err, s.close())
		}
	}
	return s, nil
}

func (s *shelf) close() error {
	s.stop()
	s.serving.Wait()
	for _, d := range s.devices {
		d.Close()
	}
	select {
	case err := <-s.failed:
		return err
	default:
		return nil
	}
}

func (s *shelf) port(name string) string { return filepath.Join(s.dir, name+".port") }

func (s *shelf) url(name string) string { return "serial://" + s.port(name) }

// Row is a line of the customer's display, counted from 0.
func (s *shelf) Row(n int) string { return s.display.Line(n + 1) }

// scanTime is how long a scan may take over its line.
const scanTime = 5 * time.Second

// Scan holds a code before the scanner.
func (s *shelf) Scan(code string) error {
	ctx, cancel := context.WithTimeout(context.Background(), scanTime)
	defer cancel()
	return s.scanner.Scan(ctx, code)
}

// Obey does what a line says to the card reader.
func (s *shelf) Obey(line string, out io.Writer) error { return s.card.Obey(line, out) }

// Waiting tells whether the card reader waits for a swipe.
func (s *shelf) Waiting() bool { return s.card.Waiting() }

// Holds compares what is on the card in hand.
func (s *shelf) Holds(kind string) error {
	held, err := s.held()
	if err != nil || held == kind || kind == "key" && (held == "minikey" || held == "wif" || held == "bip38") {
		return err
	}
	return fmt.Errorf("the card holds %s", held)
}

// held is what is on the card in hand, in the words of `card holds`.
func (s *shelf) held() (string, error) {
	var shown strings.Builder
	if err := s.card.Obey("show", &shown); err != nil {
		return "", err
	}
	tracks := s.card.Text(1) + s.card.Text(2) + s.card.Text(3)
	switch {
	case strings.Contains(shown.String(), " unreadable\n"):
		return "unreadable", nil
	case tracks == "":
		return "nothing", nil
	}
	found, err := bitcoin.ParseCard(s.card.Text(1), bitcoin.Regtest)
	if err != nil {
		return "text", nil
	}
	defer found.Key.Wipe()
	switch found.Kind {
	case bitcoin.KindMiniKey:
		return "minikey", nil
	case bitcoin.KindWIF:
		return "wif", nil
	case bitcoin.KindBIP38:
		return "bip38", nil
	}
	return "destination", nil
}

// lid is the case of the machine.
type lid struct{ stage *stage }

// Open opens the case as far as its switch can tell.
func (l lid) Open(ctx context.Context) error { return l.stage.puppet(ctx, "/tamper", nil, nil) }
