package server

import (
	"context"
	"errors"
	"fmt"

	"till/protocol"
)

// Words for why the shop owes a customer.
const (
	debtOverpaid  = "overpaid"
	debtLate      = "late"
	debtCancelled = "cancelled"
	debtRemoved   = "removed"
	debtUnasked   = "unasked"
	debtTwice     = "twice"
)

// Open is what of a debt is still to be paid.
func (d *Debt) Open() protocol.Sat {
	if d.Settled != 0 {
		return 0
	}
	return d.Sat - d.Paid
}

// owe brings the debts of a tender's address up to what no open due takes. What
// was paid or settled by hand stays; the newest of those that are open follows
// the money.
func (p *part) owe(sale protocol.SaleID, f findings, now protocol.Time, c *changes) {
	want := f.received - f.consumed
	var open *Debt
	for _, d := range p.debts {
		if d.Settled == 0 || d.Sat == 0 {
			open = d
		}
	}
	for _, d := range p.debts {
		if d != open {
			want -= d.Sat
		}
	}
	want = max(0, want)
	switch {
	case open == nil && want == 0:
		return
	case open == nil:
		open = &Debt{Sale: sale, Address: p.address.Text, Reason: f.debt, Sat: want, Since: now}
		p.debts = append(p.debts, open)
		c.debts = append(c.debts, open)
		return
	}
	before := *open
	// A debt whose money vanished is kept as settled at nothing, and opened again
	// when money comes back. What was paid of it stays paid.
	if open.Sat = max(want, open.Paid); open.Sat > open.Paid {
		open.Reason, open.Settled = f.debt, 0
	} else if open.Settled == 0 {
		open.Settled = now
	}
	if *open != before {
		c.debts = append(c.debts, open)
	}
}

// putDebt stores a debt, naming a new one.
func (w *work) putDebt(d *Debt) error {
	if d.ID == "" {
		id, err := protocol.NewID(w.now.Time(), w.s.o.Random)
		if err != nil {
			return err
		}
		d.ID = id
	}
	return w.Debts.Put(d)
}

// Debts lists what the shop owes customers and has not settled, oldest first.
func (s *Server) Debts(ctx context.Context) (debts []*Debt, err error) {
	err = s.o.Store.Read(ctx, func(tx *Tx) error {
		debts, err = tx.Debts.Open()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list debts: %w", err)
	}
	return debts, nil
}

// SettleDebt notes that the rest of a debt was paid back at the counter. Unknown:
// [ErrNotFound].
func (s *Server) SettleDebt(ctx context.Context, id protocol.ID) error {
	err := s.write(ctx, func(w *work) error {
		d, err := w.Debts.Get(id)
		if err != nil || d.Settled != 0 {
			return err
		}
		d.Settled = w.now
		if d.Paid == 0 {
			return w.Debts.Put(d)
		}
		// What payouts paid may yet come back; what the hand paid stands apart.
		rest := *d
		rest.ID, rest.Sat, rest.Paid = "", d.Sat-d.Paid, 0
		d.Sat = d.Paid
		return errors.Join(w.Debts.Put(d), w.putDebt(&rest))
	})
	if err != nil {
		return fmt.Errorf("settle debt: %w", err)
	}
	return nil
}

// incomingDepth is up to where each confirmation of incoming money is told.
const incomingDepth = 6

// neverTold is [SeenPayment.Told] before the first incoming alert.
const neverTold = -1

// incoming tells of money outside an open sale (sale nil: outside all sales):
// to a printed address, to a tender that is void or taken back or whose sale is
// cancelled, and late money; and of each change of its confirmations up to 6.
func (p *part) incoming(sale *Sale, tip Tip, c *changes) {
	void := sale == nil || sale.Said == saidCancelled || p.tender.Removed || p.tender.Refused != ""
	for _, s := range p.payments {
		late := p.tender != nil && s.FirstSeen > p.tender.Ends
		depth := min(s.Confirmations(tip), incomingDepth)
		if s.Gone {
			depth = neverTold
		}
		if !void && !late || depth == s.Told {
			continue
		}
		body := protocol.Incoming{Address: p.address.Text, TxID: s.TxID, AmountSat: s.Amount, Confirmations: max(0, depth), Flags: []protocol.Flag{}}
		if sale != nil {
			body.Sale = sale.ID
		}
		if late {
			body.Flags = append(body.Flags, protocol.FlagLate)
		}
		if s.Gone {
			body.Flags = append(body.Flags, protocol.FlagReplaced)
		} else if s.Conflict {
			body.Flags = append(body.Flags, protocol.FlagConflict)
		}
		s.Told = depth
		c.payments = append(c.payments, s)
		c.alerts = append(c.alerts, outgoing{protocol.AlertIncoming, body})
	}
}

// raisePaid notes the highest index of the receiving branch that was paid: the
// gap limit counts from there.
func raisePaid(tx *Tx, index int64) error {
	paid, err := numberSetting(tx, settingPaid, -1)
	if err != nil || index <= paid {
		return err
	}
	return setNumber(tx, settingPaid, index)
}

// numberSetting reads an integer setting, or gives def.
func numberSetting(tx *Tx, name string, def int64) (int64, error) {
	text, err := tx.Settings.Get(name)
	if errors.Is(err, ErrNotFound) {
		return def, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", name, err)
	}
	var n int64
	if _, err := fmt.Sscan(string(text), &n); err != nil {
		return 0, fmt.Errorf("read %s: %w", name, err)
	}
	return n, nil
}

func setNumber(tx *Tx, name string, n int64) error {
	return tx.Settings.Set(name, fmt.Append(nil, n))
}
