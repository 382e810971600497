package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"strconv"
	"time"

	"till/cmd/internal/story"
	"till/protocol"
)

// What surrounds the shop on a stage: its clock, its world, its books, its cables.

// Now is the practice clock.
func (s *stage) Now() time.Time {
	var now struct {
		Time protocol.Time `json:"time"`
	}
	if err := s.control(context.Background(), "/clock", map[string]int{"advance_s": 0}, &now); err != nil {
		return time.Now()
	}
	return now.Time.Time()
}

// Advance pushes the practice clock forward, in whole seconds.
func (s *stage) Advance(ctx context.Context, d time.Duration) error {
	if err := s.control(ctx, "/clock", map[string]int64{"advance_s": int64(d / time.Second)}, nil); err != nil {
		return err
	}
	var err error
	for _, j := range s.joined { // theirs is another process, at the same table
		if !isClosed(j.Ended()) {
			err = errors.Join(err, j.puppet(ctx, "/advance", url.Values{"s": {strconv.FormatInt(int64(d/time.Second), 10)}}, nil))
		}
	}
	return err
}

// Pay pays as the simulated customer.
func (s *stage) Pay(ctx context.Context, p story.Payment) (string, error) {
	params := map[string]any{"address": p.Address, "amount_sat": p.Amount, "replaceable": p.Replaceable}
	if p.FeeRate > 0 {
		params["fee_rate"] = milli(p.FeeRate)
	}
	return s.paid(ctx, "/pay", params)
}

// Replace double-spends a payment back to the customer.
func (s *stage) Replace(ctx context.Context, txid string, feeRate int64) (string, error) {
	params := map[string]any{"txid": txid}
	if feeRate > 0 {
		params["fee_rate"] = milli(feeRate)
	}
	return s.paid(ctx, "/replace", params)
}

func (s *stage) paid(ctx context.Context, path string, params any) (string, error) {
	var paid struct {
		TxID string `json:"txid"`
	}
	err := s.control(ctx, path, params, &paid)
	return paid.TxID, err
}

// milli writes thousandths as a JSON number.
func milli(n int64) json.RawMessage { return json.RawMessage(fmt.Sprintf("%d.%03d", n/1000, n%1000)) }

// Mine mines blocks.
func (s *stage) Mine(ctx context.Context, blocks int) error {
	return s.control(ctx, "/mine", map[string]int{"blocks": blocks}, nil)
}

// Reorg replaces the last blocks.
func (s *stage) Reorg(ctx context.Context, depth int, drop bool) error {
	return s.control(ctx, "/reorg", map[string]any{"depth": depth, "drop": drop}, nil)
}

// Rate sets or removes the price of a bitcoin.
func (s *stage) Rate(ctx context.Context, currency, price string) error {
	if price == "down" {
		return s.control(ctx, "/rate", map[string]bool{"down": true}, nil)
	}
	m, err := protocol.ParseMoney(protocol.Currency(currency), price)
	if err != nil {
		return err
	}
	return s.control(ctx, "/rate", map[string]any{"currency": currency, "rate": m.Minor}, nil)
}

// NodeDown takes the node away.
func (s *stage) NodeDown(ctx context.Context, down bool) error {
	return s.control(ctx, "/node", map[string]bool{"down": down}, nil)
}

// Sale is the sale being paid, else the last.
func (s *stage) Sale(ctx context.Context) (sale story.Sale, err error) {
	return sale, s.puppet(ctx, "/sale", nil, &sale)
}

// DrawerCash is what should lie in the drawer.
func (s *stage) DrawerCash(ctx context.Context) (m protocol.Money, err error) {
	return m, s.puppet(ctx, "/drawer", nil, &m)
}

// Alerts counts what waits for a person.
func (s *stage) Alerts(ctx context.Context) (n int, err error) {
	return n, s.puppet(ctx, "/alerts", nil, &n)
}

// VerifyJournal runs the program's own command, for both sides. Just after a
// start the server does not take commands yet.
func (s *stage) VerifyJournal(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	first := s
	if s.first != nil {
		first = s.first
	}
	if _, err := first.addresses(ctx); err != nil {
		return err
	}
	return errors.Join(s.verify(ctx, "--data", first.dir), s.verify(ctx, "--data", s.dir, "--terminal"))
}

func (s *stage) verify(ctx context.Context, args ...string) error {
	verify := exec.CommandContext(ctx, s.program, append([]string{"journal", "verify"}, args...)...)
	verify.Env = append([]string{"HOME=" + s.dir}, s.env...)
	if said, err := verify.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, said)
	}
	return nil
}

// Pull cuts a line, Plug mends it.
func (s *stage) Pull(line string) error { return s.cable(line, true) }

// Plug mends a line.
func (s *stage) Plug(line string) error { return s.cable(line, false) }

func (s *stage) cable(line string, cut bool) error {
	switch line {
	case "printer":
		if cut {
			s.printer.Unplug()
		} else {
			s.printer.Replug()
		}
		return nil
	case "card", "scanner", "display":
		if s.shelf == nil {
			break
		}
		if cut {
			return s.shelf.devices[line].Obey("unplug", nil)
		}
		return s.shelf.devices[line].Obey("replug", nil)
	case "network", "server":
		path := "/mend"
		if cut {
			path = "/cut"
		}
		return s.puppet(context.Background(), path, nil, nil)
	}
	return errors.New("there is no " + line + " in this shop")
}
