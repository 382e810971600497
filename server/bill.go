package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"till/protocol"
	"till/protocol/taler"
)

// askContract names the question that a contract needs.
const askContract = "contract "

// maxDescription bounds what a contract says is sold, in bytes (merchant.md §1).
const maxDescription = 1024

// describe gives the lines of a sale in words, as a contract can carry them.
func describe(lines []protocol.Line) string {
	parts := make([]string, len(lines))
	for i, l := range lines {
		parts[i] = pieces(l.Quantity) + " × " + l.Name
	}
	return clipDescription(strings.Join(parts, ", "))
}

// pieces writes thousandths: 1000 is "1", 1500 "1.5".
func pieces(thousandths int64) string {
	text := fmt.Sprintf("%d.%03d", thousandths/1000, thousandths%1000)
	return strings.TrimRight(strings.TrimRight(text, "0"), ".")
}

// clipDescription drops what canonical JSON cannot carry and cuts at a character.
func clipDescription(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return ' '
		}
		return r
	}, text)
	if len(text) <= maxDescription {
		return text
	}
	const more = "…"
	cut := maxDescription - len(more)
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + more
}

// Answers that name no more than the parameter.
func notOffered(parameter, reason string) *taler.Error {
	return &taler.Error{Status: http.StatusNotFound, Parameter: parameter, Reason: reason}
}

func taken(parameter, reason string) *taler.Error {
	return &taler.Error{Status: http.StatusConflict, Parameter: parameter, Reason: reason}
}

func untrue(parameter, reason string) *taler.Error {
	return &taler.Error{Status: http.StatusForbidden, Parameter: parameter, Reason: reason}
}

// errNoMint: no mint's keys can be read now; come again.
var errNoMint = &taler.Error{Status: http.StatusServiceUnavailable, Parameter: "mints", Reason: "no mint answers; try again"}

// judgeOffChain gives the word why a tender without an address is void, "" when it is good.
func (a *application) judgeOffChain(sale *Sale, body protocol.TenderAdded) (string, error) {
	if sale.Said == saidCancelled {
		return refusedOver, nil
	}
	if body.Kind == protocol.TenderEcash {
		switch {
		case a.s.cash == nil:
			return refusedEcash, nil
		case body.Amount.Currency != sale.Total.Currency:
			return refusedCurrency, nil
		case body.Amount.Minor == 0:
			return string(protocol.CodeAmountMismatch), nil
		}
	}
	return a.judgeWaiting(sale, body.Amount)
}

// judgeWaiting refuses what would take an amount twice that waits for a mint.
func (a *application) judgeWaiting(sale *Sale, amount protocol.Money) (string, error) {
	tenders, err := a.Tenders.Of(sale.ID)
	if err != nil {
		return "", fmt.Errorf("list tenders: %w", err)
	}
	waits, sum := false, amount.Minor
	for _, t := range tenders {
		waits = waits || t.Waiting
		if t.Waiting || !t.Removed && t.Refused == "" {
			sum += t.Amount.Minor
		}
	}
	if waits && sum > sale.Total.Minor {
		return refusedWaiting, nil
	}
	return "", nil
}

// openBill makes the bill of an e-cash tender. Its contract follows as soon as the
// keys of a mint are known.
func (a *application) openBill(sale *Sale, t *Tender) error {
	id, err := taler.NewTransactionID(a.s.o.Random)
	if err != nil {
		return err
	}
	b := &Bill{
		ID: id.String(), Kind: BillSale, State: BillOpen, Sale: sale.ID, Tender: t.ID, Terminal: a.terminal.ID,
		Amount: t.Amount, Most: protocol.Money{Currency: t.Amount.Currency}, Ends: t.Ends, Description: sale.Description,
	}
	if b.Description == "" {
		b.Description = clipDescription(a.s.rules().Shop.Name)
	}
	if a.s.cash.isLottery(b.Amount) {
		b.Kind = BillLottery
		if err := a.s.sealDraw(b); err != nil {
			return err
		}
	}
	if err := a.Bills.Insert(b); err != nil {
		return fmt.Errorf("store bill: %w", err)
	}
	a.mints = true
	return nil
}

// tryContract makes the contract of a bill and tells the terminal.
func (s *Server) tryContract(ctx context.Context, id string) {
	if _, err := s.makeContract(ctx, id); err != nil && ctx.Err() == nil {
		s.o.Log.WarnContext(ctx, "contract not made", "transaction_id", id, "error", err)
		return
	}
	s.cash.forget(askContract + id)
}

// makeContract gives the text of a bill's contract, which it makes if there is none.
func (s *Server) makeContract(ctx context.Context, id string) ([]byte, error) {
	refs, keys, err := s.cash.mints(ctx)
	if err != nil {
		s.o.Log.WarnContext(ctx, "no mint answers", "error", err)
		return nil, errNoMint
	}
	var text []byte
	err = s.write(ctx, func(w *work) error {
		b, err := w.Bills.Get(id)
		if err != nil {
			return fmt.Errorf("find bill: %w", err)
		}
		if b.Contract != "" {
			stored, err := w.Contracts.Get(b.Contract)
			if err == nil {
				text = stored.Text
			}
			return err
		}
		t, err := s.cash.terms(b, refs)
		if err != nil {
			return err
		}
		if b.Kind == BillLottery {
			if t.Lottery, err = s.play(b, keys); err != nil {
				return err
			}
		}
		text, err = w.contract(b, t)
		return err
	})
	return text, err
}

// contract signs a bill, keeps the text and tells the terminal.
func (w *work) contract(b *Bill, t taler.Terms) ([]byte, error) {
	c, err := taler.NewContract(t, w.s.cash.key)
	if err != nil {
		return nil, err
	}
	if err := w.Contracts.Put(&StoredContract{Hash: c.Hash().String(), Bill: b.ID, Text: c.Text()}); err != nil {
		return nil, fmt.Errorf("store contract: %w", err)
	}
	b.Contract = c.Hash().String()
	if err := w.Bills.Update(b); err != nil {
		return nil, fmt.Errorf("store bill: %w", err)
	}
	return c.Text(), w.tellContract(b)
}

// terms are what a bill asks for.
func (d *cashDesk) terms(b *Bill, refs []taler.MintRef) (t taler.Terms, err error) {
	id, err := taler.ParseTransactionID(b.ID)
	if err != nil {
		return t, err
	}
	amount, err := taler.FromMoney(b.Amount)
	if err != nil {
		return t, err
	}
	return taler.Terms{
		TransactionID: id, Expiry: taler.TimeAt(b.Ends.Time()), Amount: amount, Description: b.Description,
		HWire: d.hwire, Sale: string(b.Sale), Mints: refs,
	}, nil
}

// tellContract sends the terminal what to show as QR.
func (w *work) tellContract(b *Bill) error {
	link, err := linkHost(w.s.rules().MerchantURL)
	if err != nil {
		return err
	}
	link.Sale, link.Merchant = string(b.Sale), w.s.cash.pub
	id, err := taler.ParseTransactionID(b.ID)
	if err != nil {
		return err
	}
	if b.Kind != BillTab {
		link.TransactionID = &id
	}
	text, err := link.Encode()
	if err != nil {
		return err
	}
	return w.alert(b.Terminal, protocol.AlertContract, protocol.ContractReady{
		Sale: b.Sale, Tender: b.Tender, TransactionID: b.ID, URL: text, Expiry: b.Ends,
	})
}

// Contract gives the contract of a sale, a product or a tab as canonical JSON (§2).
// Refusals are *taler.Error: 404 not there, 409 over, 503 come again.
func (s *Server) Contract(ctx context.Context, q *taler.ContractRequest) ([]byte, error) {
	switch {
	case s.cash == nil:
		return nil, notOffered("body", "the shop takes no e-cash")
	case q.Product != "":
		return s.productContract(ctx, q)
	case q.TransactionID != nil:
		return s.tabContract(ctx, *q.TransactionID)
	}
	b, text, err := s.saleContract(ctx, protocol.SaleID(q.Sale))
	if err != nil || text != nil {
		return text, err
	}
	if b.Kind == BillTab {
		return nil, notOffered("sale", "a tab: ask for an offer")
	}
	return s.makeContract(ctx, b.ID)
}

// saleContract finds the sale's open e-cash bill, and its contract if there is one.
func (s *Server) saleContract(ctx context.Context, sale protocol.SaleID) (b *Bill, text []byte, err error) {
	err = s.o.Store.Read(ctx, func(tx *Tx) error {
		if b, err = tx.openBillOf(sale, s.o.Clock()); err != nil || b.Contract == "" || b.Kind == BillTab {
			return err
		}
		stored, err := tx.Contracts.Get(b.Contract)
		if err == nil {
			text = stored.Text
		}
		return err
	})
	return b, text, err
}

// openBillOf finds the bill of the sale's one open e-cash tender, the latest first.
func (tx *Tx) openBillOf(id protocol.SaleID, now protocol.Time) (*Bill, error) {
	sale, err := tx.Sales.Get(id)
	if errors.Is(err, ErrNotFound) {
		return nil, notOffered("sale", "no such sale")
	}
	if err != nil {
		return nil, fmt.Errorf("find sale: %w", err)
	}
	tenders, err := tx.Tenders.Of(id)
	if err != nil {
		return nil, fmt.Errorf("list tenders: %w", err)
	}
	var latest *Bill
	var refusal *taler.Error
	for _, t := range tenders {
		if t.Kind != protocol.TenderEcash || t.Refused != "" {
			continue
		}
		b, err := tx.Bills.OfTender(t.ID)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("find bill: %w", err)
		}
		no := b.over(sale, t, now, "sale")
		if latest == nil || no == nil || refusal != nil {
			latest, refusal = b, no
		}
	}
	switch {
	case latest == nil:
		return nil, notOffered("sale", "the sale is not paid in e-cash")
	case refusal != nil:
		refusal.Status = http.StatusConflict // a lapsed bill is over, whatever is shown
		return nil, refusal
	}
	return latest, nil
}

// over tells why a bill cannot be paid any more, nil while it can: 409, or 403 when
// its contract has lapsed.
func (b *Bill) over(sale *Sale, t *Tender, now protocol.Time, parameter string) *taler.Error {
	switch {
	case b.State == BillPaid:
		return taken(parameter, "it is paid")
	case b.State == BillWaiting:
		return taken(parameter, "a payment of it waits for the mint")
	case b.State != BillOpen:
		return taken(parameter, "it is over")
	case sale != nil && sale.Said == saidCancelled:
		return taken(parameter, "the sale is cancelled")
	case sale != nil && sale.Said == saidPaid:
		return taken(parameter, "the sale is paid")
	case t != nil && t.Removed:
		return taken(parameter, "the cashier took it back")
	case b.Kind == BillTab && now >= b.tabMoment(), now >= b.Ends:
		return untrue(parameter, "the contract has lapsed")
	}
	return nil
}
