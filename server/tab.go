package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"till/protocol"
	"till/protocol/taler"
)

// Times of a tab (merchant.md §4).
const (
	tabTime   = 12 * time.Hour   // from the offer to lock_until
	tabRenew  = time.Hour        // an offer with less left is made anew
	tabMargin = 10 * time.Minute // before lock_until rounds end and the tab is deposited
)

// askLapse names the end of a tab.
const askLapse = "lapse "

// States of tab alerts.
const (
	tabOffered = "offered"
	tabLocked  = "locked"
	tabCharged = "charged"
	tabPaid    = "paid"
	tabLapsing = "lapsing"
	tabLost    = "lost"
)

func wholeSecond(t protocol.Time) protocol.Time { return t - t%1000 }

// tabOpened adds the tender and the bill of a tab, and offers it.
func (a *application) tabOpened() error {
	var body protocol.TabOpened
	if !a.read(&body) {
		return nil
	}
	sale, err := a.saleOf(body.Sale)
	if sale == nil {
		return errors.Join(err, a.refuse(body.Sale, refusedSale))
	}
	if _, err := a.Tenders.Get(body.Tender); !errors.Is(err, ErrNotFound) {
		a.ignore(flagDuplicate)
		return err
	}
	zero := protocol.Money{Currency: body.MaxAmount.Currency}
	t := &Tender{ID: body.Tender, Sale: sale.ID, Terminal: a.terminal.ID, Kind: protocol.TenderEcash, Amount: zero, Added: a.at, Ends: a.at.Add(2 * tabTime)}
	switch {
	case sale.Said == saidCancelled:
		t.Refused = refusedOver
	case a.s.cash == nil:
		t.Refused = refusedEcash
	case body.MaxAmount.Currency != sale.Total.Currency || !body.MaxAmount.Valid():
		t.Refused = refusedCurrency
	case body.MaxAmount.Minor <= 0:
		t.Refused = string(protocol.CodeAmountMismatch)
	}
	if err := a.Tenders.Insert(t); err != nil {
		return fmt.Errorf("store tender: %w", err)
	}
	a.sales[sale.ID] = struct{}{}
	if t.Refused != "" {
		return nil
	}
	id, err := taler.NewTransactionID(a.s.o.Random)
	if err != nil {
		return err
	}
	b := &Bill{
		ID: id.String(), Kind: BillTab, State: BillOpen, Sale: sale.ID, Tender: t.ID, Terminal: a.terminal.ID,
		Amount: zero, Most: body.MaxAmount, Ends: wholeSecond(a.now.Add(tabTime)), Description: sale.Description,
	}
	if err := a.Bills.Insert(b); err != nil {
		return fmt.Errorf("store bill: %w", err)
	}
	a.mints = true
	return errors.Join(a.tellContract(b), a.tellTab(b, tabOffered))
}

// tellTab sends the state of a tab.
func (w *work) tellTab(b *Bill, state string) error {
	signed := protocol.Money{Currency: b.Amount.Currency, Minor: b.Signed}
	return w.alert(b.Terminal, protocol.AlertTab, protocol.TabStatus{
		Sale: b.Sale, Tender: b.Tender, State: state, TransactionID: b.ID, MaxAmount: b.Most, Charged: &b.Amount, Signed: &signed, LockUntil: b.Ends,
	})
}

// tabOf finds the open tab that an entry speaks of; nil with a flag otherwise.
func (a *application) tabOf(saleID protocol.SaleID, tender protocol.TenderID) (*Sale, *Bill, error) {
	sale, err := a.saleOf(saleID)
	if sale == nil {
		return nil, nil, err
	}
	b, err := a.Bills.OfTender(tender)
	switch {
	case errors.Is(err, ErrNotFound) || err == nil && (b.Sale != sale.ID || b.Kind != BillTab):
		a.ignore(flagStranger)
		return nil, nil, nil
	case err != nil:
		return nil, nil, fmt.Errorf("find tab: %w", err)
	case b.State != BillOpen || b.Closed:
		a.ignore(flagTooLate)
		return nil, nil, nil
	}
	return sale, b, nil
}

// tabCharged brings a tab up to a cumulative amount.
func (a *application) tabCharged() error {
	var body protocol.TabCharged
	if !a.read(&body) {
		return nil
	}
	sale, b, err := a.tabOf(body.Sale, body.Tender)
	if b == nil {
		return err
	}
	if body.Amount.Currency != b.Amount.Currency || body.Amount.Minor < b.Amount.Minor || body.Amount.Minor > b.Most.Minor {
		a.flag(flagSums)
		a.ignore(flagSums)
		return nil
	}
	t, err := a.Tenders.Get(b.Tender)
	if err != nil {
		return fmt.Errorf("find tender: %w", err)
	}
	sale.Total.Minor += body.Amount.Minor - b.Amount.Minor
	t.Amount, b.Amount, b.Contract = body.Amount, body.Amount, ""
	if len(body.Lines) > 0 {
		if b.Description != "" {
			b.Description += ", "
		}
		b.Description = clipDescription(b.Description + describe(body.Lines))
	}
	a.sales[sale.ID] = struct{}{}
	return errors.Join(a.sold(body.Lines), a.Tenders.Update(t), a.Sales.Update(sale, a.now, string(a.entry.Kind)), a.Bills.Update(b), a.tellTab(b, tabCharged))
}

// tabClosed asks for what was signed, once all of it is.
func (a *application) tabClosed() error {
	var body protocol.TabClosed
	if !a.read(&body) {
		return nil
	}
	_, b, err := a.tabOf(body.Sale, body.Tender)
	if b == nil {
		return err
	}
	b.Closed = true
	if b.Amount.Minor == 0 || b.Signed >= b.Amount.Minor {
		return a.endTab(b)
	}
	a.mints = true
	return a.Bills.Update(b)
}

// endTab ends a tab: what is signed goes to the mint, a coin that owes nothing is let go.
func (w *work) endTab(b *Bill) error {
	w.mints = true
	if b.Signed == 0 {
		state := tabLost
		if b.State = BillLost; b.Amount.Minor == 0 {
			b.State, state = BillVoid, tabPaid
		}
		b.Release = b.LockID != ""
		t, err := w.Tenders.Get(b.Tender)
		if err != nil {
			return fmt.Errorf("find tender: %w", err)
		}
		if b.State == BillVoid {
			t.Accepted = w.now // nothing was owed
		} else {
			w.alarm("ecash", "", "a tab ended unsigned: %s of transaction %s are lost", plain(b.Amount), b.ID)
		}
		return errors.Join(w.Tenders.Update(t), w.Bills.Update(b), w.tellTab(b, state), w.settle(b.Sale, w.s.watch.view(), "tab"))
	}
	d, err := w.Deposits.Get(b.Deposit)
	if err != nil {
		return fmt.Errorf("find deposit: %w", err)
	}
	d.State, b.State = DepositWaiting, BillWaiting
	return errors.Join(w.Deposits.Update(d), w.Bills.Update(b), w.markWaiting(b, true))
}

// dropBills ends what a cancelled sale or a removed tender leaves open: locked coins
// are let go, and what is paid already is owed. A deposit that waits for the mint goes
// on waiting.
func (w *work) dropBills(sale protocol.SaleID, only protocol.TenderID, reason string) error {
	if w.s.cash == nil {
		return nil
	}
	tenders, err := w.Tenders.Of(sale)
	if err != nil {
		return fmt.Errorf("list tenders: %w", err)
	}
	for _, t := range tenders {
		if t.Kind != protocol.TenderEcash || only != "" && t.ID != only {
			continue
		}
		b, err := w.Bills.OfTender(t.ID)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return fmt.Errorf("find bill: %w", err)
		}
		if err := w.dropBill(b, reason); err != nil {
			return err
		}
	}
	return nil
}

func (w *work) dropBill(b *Bill, reason string) error {
	switch {
	case b.State == BillPaid && b.Deposit != "":
		d, err := w.Deposits.Get(b.Deposit)
		if err != nil {
			return fmt.Errorf("find deposit: %w", err)
		}
		return closing{w, d, b}.oweOnce(reason)
	case b.State != BillOpen || b.Kind == BillSale:
		return nil
	}
	b.State, b.Release = BillVoid, b.LockID != ""
	w.mints = true
	if err := w.Bills.Update(b); err != nil {
		return fmt.Errorf("store bill: %w", err)
	}
	return nil
}

// tabMoment gives when the clock ends an open tab.
func (b *Bill) tabMoment() protocol.Time {
	if b.LockAnswer == nil {
		return b.Ends
	}
	return b.Ends.Add(-tabMargin)
}

// lapse ends a tab whose time has come.
func (s *Server) lapse(ctx context.Context, id string) {
	err := s.write(ctx, func(w *work) error {
		b, err := w.Bills.Get(id)
		if err != nil || b.State != BillOpen || w.now < b.tabMoment() {
			return err
		}
		if err := w.tellTab(b, tabLapsing); err != nil {
			return err
		}
		return w.endTab(b)
	})
	if err != nil {
		s.o.Log.ErrorContext(ctx, "tab not ended", "transaction_id", id, "error", err)
		return
	}
	s.cash.forget(askLapse + id)
}

// tabContract gives the contract of a tab over what was charged so far.
func (s *Server) tabContract(ctx context.Context, id taler.TransactionID) ([]byte, error) {
	refs, _, err := s.cash.mints(ctx)
	if err != nil {
		return nil, errNoMint
	}
	var text []byte
	err = s.write(ctx, func(w *work) error {
		b, err := w.Bills.Get(id.String())
		if errors.Is(err, ErrNotFound) || err == nil && (b.Kind != BillTab || b.LockAnswer == nil) {
			return notOffered("transaction_id", "no such tab, or no coin is locked for it")
		}
		if err != nil {
			return fmt.Errorf("find tab: %w", err)
		}
		over, err := w.billOver(b, w.now)
		switch {
		case err != nil:
			return err
		case over != nil:
			return taken(over.Parameter, over.Reason)
		case b.Amount.Minor == 0:
			return taken("transaction_id", "nothing was charged yet")
		}
		if b.Contract != "" {
			stored, err := w.Contracts.Get(b.Contract)
			if err == nil {
				text = stored.Text
			}
			return err
		}
		text, err = w.round(b, refs)
		return err
	})
	return text, err
}

// round signs the contract of what was charged so far.
func (w *work) round(b *Bill, refs []taler.MintRef) ([]byte, error) {
	t, err := w.s.cash.terms(b, refs)
	if err != nil {
		return nil, err
	}
	t.Tab, t.Expiry = true, taler.TimeAt(b.Ends.Add(-tabMargin).Time())
	c, err := taler.NewContract(t, w.s.cash.key)
	if err != nil {
		return nil, err
	}
	b.Contract = c.Hash().String()
	return c.Text(), errors.Join(
		w.Contracts.Put(&StoredContract{Hash: b.Contract, Bill: b.ID, Text: c.Text()}), w.Bills.Update(b))
}
