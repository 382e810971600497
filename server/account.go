package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"till/protocol"
)

// watchFor is how long an address is watched after its sale or its last payment.
const watchFor = 30 * 24 * time.Hour

// account is a sale with its tenders, or one address outside all sales (sale
// nil), and the payments to them: what is settled together in one transaction.
type account struct {
	sale  *Sale
	parts []*part
}

// part is one address of an account with its tender, where it has one. A tender
// that has no address yet has none here either.
type part struct {
	tender   *Tender
	address  *LeasedAddress
	payments []*SeenPayment
	debts    []*Debt
}

// changes is what settling an account writes; nothing where all is as stored.
type changes struct {
	payments  []*SeenPayment
	addresses []*LeasedAddress
	tenders   []*Tender
	debts     []*Debt
	sale      *Sale
	alerts    []outgoing
	paid      int64 // highest index paid by a confirmed transaction, −1 none
	replaced  bool  // accepted money is gone
	next      protocol.Time
}

type outgoing struct {
	kind protocol.AlertKind
	body any
}

func (c *changes) empty() bool {
	return len(c.payments)+len(c.addresses)+len(c.tenders)+len(c.debts)+len(c.alerts) == 0 && c.sale == nil
}

// loadSale reads a sale's account.
func (tx *Tx) loadSale(id protocol.SaleID) (*account, error) {
	sale, err := tx.Sales.Get(id)
	if err != nil {
		return nil, fmt.Errorf("find sale: %w", err)
	}
	tenders, err := tx.Tenders.Of(id)
	if err != nil {
		return nil, fmt.Errorf("list tenders: %w", err)
	}
	a := &account{sale: sale}
	for _, t := range tenders {
		p := &part{tender: t}
		if t.Address != "" {
			if p.address, err = tx.Addresses.Get(t.Address); err != nil {
				return nil, fmt.Errorf("find address: %w", err)
			}
		}
		if err := tx.loadPart(p); err != nil {
			return nil, err
		}
		a.parts = append(a.parts, p)
	}
	return a, nil
}

// loadAddress reads the account of an address: its sale's, or its own.
func (tx *Tx) loadAddress(address string) (*account, error) {
	row, err := tx.Addresses.Get(address)
	if err != nil {
		return nil, fmt.Errorf("find address: %w", err)
	}
	if row.Tender != "" {
		t, err := tx.Tenders.Get(row.Tender)
		if err != nil {
			return nil, fmt.Errorf("find tender: %w", err)
		}
		return tx.loadSale(t.Sale)
	}
	p := &part{address: row}
	return &account{parts: []*part{p}}, tx.loadPart(p)
}

func (tx *Tx) loadPart(p *part) (err error) {
	if p.address == nil {
		return nil
	}
	if p.payments, err = tx.Payments.Of(p.address.Text); err != nil {
		return fmt.Errorf("list payments: %w", err)
	}
	if p.debts, err = tx.Debts.OfAddress(p.address.Text); err != nil {
		return fmt.Errorf("list debts: %w", err)
	}
	return nil
}

// scripts are what the account asks the chain about.
func (a *account) scripts() []Script {
	var all []Script
	for _, p := range a.parts {
		if p.address != nil {
			all = append(all, p.address.Script)
		}
	}
	return all
}

// facts are payments as the chain told them, for the scripts that were asked about.
type facts struct {
	asked    map[Script]struct{}
	payments map[Script][]Payment
}

// merge brings the account's payments up to what the chain tells. A script that
// was not asked about keeps what is stored.
func (a *account) merge(f facts, tip Tip, now protocol.Time, c *changes) {
	for _, p := range a.parts {
		if p.address == nil {
			continue
		}
		if _, asked := f.asked[p.address.Script]; asked {
			p.merge(f.payments[p.address.Script], tip, now, c)
		}
	}
}

func (p *part) merge(told []Payment, tip Tip, now protocol.Time, c *changes) {
	before := *p.address
	there := map[Outpoint]bool{}
	for _, payment := range told {
		point := Outpoint{payment.TxID, payment.Vout}
		there[point] = true
		i := slices.IndexFunc(p.payments, func(s *SeenPayment) bool { return s.TxID == point.TxID && s.Vout == point.Vout })
		if i < 0 {
			first := p.firstSeen(payment.TxID, now)
			if payment.First > 0 && payment.First < first {
				first = payment.First
			}
			payment.First = 0
			seen := &SeenPayment{Payment: payment, Address: p.address.Text, FirstSeen: first, Told: neverTold}
			p.payments = append(p.payments, seen)
			c.payments = append(c.payments, seen)
			p.address.WatchUntil = max(p.address.WatchUntil, watchEnd(p.address, first))
		} else if seen := p.payments[i]; seen.Gone || !seen.same(payment) {
			payment.First = 0
			seen.Payment, seen.Gone = payment, false
			c.payments = append(c.payments, seen)
		}
		p.address.Seen = true
		if payment.Confirmations(tip) > 0 {
			p.address.Paid = true
		}
	}
	for _, seen := range p.payments {
		if !seen.Gone && !there[Outpoint{seen.TxID, seen.Vout}] {
			seen.Gone = true
			c.payments = append(c.payments, seen)
		}
	}
	if *p.address != before {
		c.addresses = append(c.addresses, p.address)
		if p.address.Paid && !before.Paid && p.address.Branch == BranchReceive {
			c.paid = max(c.paid, int64(p.address.Index))
		}
	}
}

// watchEnd is when watching may end after a payment first seen then; an address
// that is lent and not used is watched without end (0).
func watchEnd(a *LeasedAddress, first protocol.Time) protocol.Time {
	if a.Tender == "" {
		return 0
	}
	return first.Add(watchFor)
}

// same reports whether the chain tells what is stored.
func (p *SeenPayment) same(told Payment) bool {
	told.First = p.First
	return p.Payment == told
}

// settle compares a sale with the stored facts and writes what they mean now.
func (w *work) settle(id protocol.SaleID, v view, cause string) error {
	a, err := w.loadSale(id)
	if err != nil {
		return err
	}
	c, err := w.s.conclude(a, facts{}, v, w.now)
	if err != nil {
		return err
	}
	return w.record(a, c, cause)
}

// conclude finds what an account has to write: pure but for the account, which
// it brings up to date.
func (s *Server) conclude(a *account, f facts, v view, now protocol.Time) (*changes, error) {
	c := &changes{paid: -1}
	a.merge(f, v.tip, now, c)
	if a.sale == nil {
		a.parts[0].incoming(nil, v.tip, c)
		return c, nil
	}
	of := map[protocol.TenderID]findings{}
	tenders := make([]*Tender, 0, len(a.parts))
	for _, p := range a.parts {
		t, before := p.tender, *p.tender
		tenders = append(tenders, t)
		if !t.onChain() {
			continue
		}
		if !t.Removed && slices.ContainsFunc(p.payments, func(s *SeenPayment) bool {
			return !p.stands(s) && (s.FirstSeen <= t.Ends || a.sale.Said == saidPaid)
		}) {
			t.Replaced = true
			c.replaced = c.replaced || !before.Replaced && t.Accepted != 0
		}
		found := s.rulesFor(a.sale.Terminal).judge(t, p.payments, a.sale.Said, v, now)
		if t.Accepted == 0 && found.state.Rank() >= protocol.SaleAccepted.Rank() {
			t.Accepted = now
		}
		of[t.ID] = found
		if *t != before {
			c.tenders = append(c.tenders, t)
		}
		if p.address != nil {
			p.owe(a.sale.ID, found, now, c)
			p.incoming(a.sale, v.tip, c)
		}
	}
	j := s.rulesFor(a.sale.Terminal).judgeSale(a.sale, tenders, of, now)
	c.next = j.next
	return c, a.conclude(j, of, s.deepest(), c)
}

// deepest is up to where a change of confirmations is told.
func (s *Server) deepest() int64 {
	return max(incomingDepth, protocol.HighestStep(s.rules().Acceptance))
}

// conclude compares the judgement with the sale as stored.
func (a *account) conclude(j judgement, of map[protocol.TenderID]findings, deepest int64, c *changes) error {
	status := a.status(j, of)
	told := protocol.SaleStatus{}
	if a.sale.Status != nil {
		if err := json.Unmarshal(a.sale.Status, &told); err != nil {
			return fmt.Errorf("read status of sale %s: %w", a.sale.ID, err)
		}
	}
	if a.sale.Status != nil && same(told, status, deepest) {
		return nil
	}
	if a.sale.State != j.state && !a.sale.State.CanBecome(j.state) {
		return fmt.Errorf("sale %s cannot go from %s to %s", a.sale.ID, a.sale.State, j.state)
	}
	text, err := json.Marshal(status)
	if err != nil {
		return fmt.Errorf("write status of sale %s: %w", a.sale.ID, err)
	}
	cancelled := a.sale.State == protocol.SaleCancelled
	a.sale.State, a.sale.Flags, a.sale.Status = j.state, j.flags, text
	c.sale = a.sale
	// What happens to a cancelled sale is told as incoming money.
	if !cancelled {
		c.alerts = append(c.alerts, outgoing{protocol.AlertSale, status})
	}
	return nil
}

// status is the sale's snapshot; a part that is void or taken back has no due.
func (a *account) status(j judgement, of map[protocol.TenderID]findings) protocol.SaleStatus {
	status := protocol.SaleStatus{
		Sale: a.sale.ID, State: j.state, Flags: sortFlags(j.flags), TxIDs: []string{}, Tenders: []protocol.TenderStatus{},
		Verdict: j.verdict, Reason: j.reason, Message: j.message,
	}
	first := true
	for _, p := range a.parts {
		f, ok := of[p.tender.ID]
		if !ok || p.tender.Removed {
			continue
		}
		status.Tenders = append(status.Tenders, protocol.TenderStatus{
			Tender: p.tender.ID, Address: p.tender.Address, DueSat: p.tender.DueSat, ReceivedSat: f.received,
			Confirmations: f.confirmations, TxIDs: f.txids,
		})
		for _, txid := range f.txids {
			if !slices.Contains(status.TxIDs, txid) {
				status.TxIDs = append(status.TxIDs, txid)
			}
		}
		status.ReceivedSat += f.received
		if p.tender.Refused != "" {
			continue
		}
		status.DueSat += p.tender.DueSat
		if first || f.confirmations < status.Confirmations {
			status.Confirmations, first = f.confirmations, false
		}
	}
	return status
}

// same reports whether two snapshots tell a terminal the same: confirmations
// count only up to the deepest that matters.
func same(a, b protocol.SaleStatus, deepest int64) bool {
	cap := func(s protocol.SaleStatus) string {
		s.Confirmations = min(s.Confirmations, deepest)
		s.Tenders = slices.Clone(s.Tenders)
		for i := range s.Tenders {
			s.Tenders[i].Confirmations = min(s.Tenders[i].Confirmations, deepest)
		}
		text, err := protocol.Encode(s)
		if err != nil {
			return err.Error()
		}
		return string(text)
	}
	return cap(a) == cap(b)
}

// record writes what conclude found.
func (w *work) record(a *account, c *changes, cause string) error {
	var errs []error
	for _, p := range c.payments {
		errs = append(errs, w.Payments.Put(p))
	}
	for _, address := range c.addresses {
		errs = append(errs, w.Addresses.Update(address))
	}
	for _, t := range c.tenders {
		errs = append(errs, w.Tenders.Update(t))
	}
	for _, d := range c.debts {
		errs = append(errs, w.putDebt(d))
	}
	if c.paid >= 0 {
		errs = append(errs, raisePaid(w.Tx, c.paid))
	}
	if c.sale != nil {
		errs = append(errs, w.Sales.Update(c.sale, w.now, cause))
	}
	for _, out := range c.alerts {
		errs = append(errs, w.alert(a.owner(), out.kind, out.body))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("settle: %w", err)
	}
	if c.replaced {
		w.alarm(reasonReplaced, "", "the payment of sale %s was accepted and is gone", a.sale.ID)
	}
	if a.sale != nil {
		w.due[a.sale.ID] = c.next
	}
	return nil
}

// owner is the terminal that hears of the account.
func (a *account) owner() protocol.TerminalID {
	if a.sale != nil {
		return a.sale.Terminal
	}
	return a.parts[0].address.Terminal
}
