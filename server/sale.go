package server

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"till/protocol"
)

// futureMost is how far a tender's time may be ahead of its arrival: clocks
// differ (terminal.md §4.1).
const futureMost = 3 * time.Minute

// Words for why a tender is void, beside protocol codes of the same sense.
const (
	refusedAddressUsed = "address_used"
	refusedStale       = "stale_entry"
	refusedFuture      = "future_entry"
	refusedSale        = "sale_unknown"
	refusedOver        = "sale_over"
	refusedTender      = "tender_exists"
	refusedBody        = "not_understood"
	refusedCurrency    = "wrong_currency"
	refusedEcash       = "ecash_off"
	refusedWaiting     = "waiting"
)

// refusals gives the sentence of each word.
var refusals = map[string]string{
	string(protocol.CodeQuoteUnknown):   "the price was not given by this server: do not take this payment",
	string(protocol.CodeQuoteExpired):   "the price had lapsed when the sale was made: ask for payment anew",
	string(protocol.CodeAddressUnknown): "the address is not lent to this terminal: do not take this payment",
	string(protocol.CodeAmountMismatch): "the amount is not what the price gives: ask for payment anew",
	refusedAddressUsed:                  "the address was used before: ask for payment anew",
	refusedStale:                        "the sale was told too late: ask the owner before handing anything out",
	refusedFuture:                       "the terminal's clock is ahead: set it and ask for payment anew",
	refusedSale:                         "the server does not know this sale: open it anew",
	refusedOver:                         "the sale is cancelled: open it anew",
	refusedTender:                       "this payment was asked for before: ask for payment anew",
	refusedBody:                         "the server does not understand this payment: do not take it",
	refusedCurrency:                     "the payment is in another currency than the sale: ask for payment anew",
	refusedEcash:                        "the shop takes no e-cash: ask for another payment",
	refusedWaiting:                      "an e-cash payment of this sale waits for its mint: do not take the amount twice",
}

func (a *application) saleOpened() error {
	var body protocol.SaleOpened
	if !a.read(&body) {
		return nil
	}
	_, err := a.Sales.Get(body.Sale)
	if err == nil {
		a.ignore(flagDuplicate)
		return nil
	}
	if !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("find sale: %w", err)
	}
	if !saleAddsUp(body, a.s.rulesFor(a.terminal.ID).Tax) {
		a.flag(flagSums)
	}
	name, err := a.nameOf(body.User)
	if err != nil {
		return err
	}
	if err := a.hold(body.Sale, body.Lines, a.now.Add(a.s.rules().PaymentWindow)); err != nil {
		return err
	}
	return a.Sales.Insert(&Sale{ID: body.Sale, Terminal: a.terminal.ID, Opened: a.at, Total: body.Total, State: protocol.SaleOpen,
		Description: describe(body.Lines), Number: clipWord(body.Number), User: clipWord(body.User), Entry: a.entry.Seq,
		Words: body.SearchWords(name)})
}

// nameOf gives the name of a user, "" of nobody known.
func (tx *Tx) nameOf(user string) (string, error) {
	if user == "" {
		return "", nil
	}
	u, err := tx.Shop.User(user)
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("find user: %w", err)
	}
	return u.Name, nil
}

// clipWord bounds what a terminal wrote for a column of a list.
func clipWord(text string) string {
	const most = 64
	return strings.ToValidUTF8(text[:min(len(text), most)], "")
}

// saleAddsUp reports whether lines, tip and the tax that prices do not contain
// make the total, and the tax shares make it too. What is absent is not judged.
func saleAddsUp(body protocol.SaleOpened, taxes []protocol.Tax) bool {
	zero := protocol.Money{Currency: body.Total.Currency}
	tip := zero
	if body.Tip != nil {
		tip = *body.Tip
	}
	if len(body.Lines) > 0 {
		sum := tip
		for _, line := range body.Lines {
			amount, err := line.Total()
			if err != nil {
				return false
			}
			if sum, err = sum.Add(amount); err != nil {
				return false
			}
		}
		for _, share := range body.Tax {
			i := slices.IndexFunc(taxes, func(t protocol.Tax) bool { return t.Code == share.Code })
			if i < 0 || taxes[i].Included {
				continue
			}
			var err error
			if sum, err = sum.Add(share.Tax); err != nil {
				return false
			}
		}
		if sum != body.Total {
			return false
		}
	}
	if len(body.Tax) == 0 {
		return true
	}
	sum := tip
	for _, share := range body.Tax {
		gross, err := share.Net.Add(share.Tax)
		if err != nil {
			return false
		}
		if sum, err = sum.Add(gross); err != nil {
			return false
		}
	}
	return sum == body.Total
}

func (a *application) tenderAdded() error {
	var body protocol.TenderAdded
	if err := protocol.DecodeResult(a.entry.Body, &body); err != nil || !body.Amount.Valid() || body.Amount.Minor < 0 {
		a.ignore(flagBody)
		return a.refuse(body.Sale, refusedBody)
	}
	sale, err := a.Sales.Get(body.Sale)
	if errors.Is(err, ErrNotFound) {
		a.ignore(flagStranger)
		return a.refuse(body.Sale, refusedSale)
	}
	if err != nil {
		return fmt.Errorf("find sale: %w", err)
	}
	if mine, err := a.speaksFor(a.terminal.ID, sale.Terminal); err != nil || !mine {
		a.ignore(flagStranger)
		return errors.Join(err, a.refuse(body.Sale, refusedSale))
	}
	if old, err := a.Tenders.Get(body.Tender); !errors.Is(err, ErrNotFound) {
		if err != nil {
			return fmt.Errorf("find tender: %w", err)
		}
		a.ignore(flagDuplicate)
		if old.Sale == body.Sale && old.Kind == body.Kind && old.Amount == body.Amount && old.Quote == body.Quote && old.DueSat == body.DueSat {
			return nil // the terminal appended it again after a fork
		}
		return a.refuse(body.Sale, refusedTender)
	}
	return a.addTender(sale, body)
}

func (a *application) addTender(sale *Sale, body protocol.TenderAdded) error {
	t := &Tender{
		ID: body.Tender, Sale: sale.ID, Terminal: a.terminal.ID, Kind: body.Kind, Amount: body.Amount, Added: a.at,
		Ends: a.at.Add(a.s.rulesFor(a.terminal.ID).PaymentWindow),
	}
	var address *LeasedAddress
	if body.Kind == protocol.TenderBitcoin || body.Kind == protocol.TenderKey {
		t.Quote, t.DueSat = body.Quote, body.DueSat
		var err error
		if address, err = a.leasedAddress(body); err != nil {
			return err
		}
		if t.Refused, err = a.judgeTender(sale, body, address); err != nil {
			return err
		}
		if t.Steps, err = a.stepsFor(sale.ID, body.Amount); err != nil {
			return err
		}
	} else {
		var err error
		if t.Refused, err = a.judgeOffChain(sale, body); err != nil {
			return err
		}
	}
	if address != nil && address.Tender == "" {
		// Even a void tender's address may have been shown: it stays watched.
		t.Address, t.Script = address.Text, address.Script
		address.Tender, address.Named = t.ID, true
		address.WatchUntil = max(t.Ends, a.now).Add(watchFor)
		if err := a.Addresses.Update(address); err != nil {
			return fmt.Errorf("mark address: %w", err)
		}
	}
	if t.Refused != "" {
		a.s.o.Log.Warn("tender refused", "terminal", a.terminal.ID, "sale", sale.ID, "tender", t.ID, "reason", t.Refused)
	}
	if err := a.Tenders.Insert(t); err != nil {
		return fmt.Errorf("store tender: %w", err)
	}
	if t.Kind == protocol.TenderEcash && t.Refused == "" {
		if err := a.openBill(sale, t); err != nil {
			return err
		}
	}
	a.sales[sale.ID] = struct{}{}
	return nil
}

// leasedAddress gives the tender's address if it is this terminal's, else nil.
func (a *application) leasedAddress(body protocol.TenderAdded) (*LeasedAddress, error) {
	if body.Kind != protocol.TenderBitcoin || body.Address == "" {
		return nil, nil
	}
	address, err := a.Addresses.Get(body.Address)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find address: %w", err)
	}
	if address.Terminal != a.terminal.ID {
		return nil, nil
	}
	return address, nil
}

// judgeTender gives the word why a tender with a quote is void, "" when it is good.
func (a *application) judgeTender(sale *Sale, body protocol.TenderAdded, address *LeasedAddress) (string, error) {
	quote, err := a.Quotes.Get(body.Quote)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return "", fmt.Errorf("find quote: %w", err)
	}
	early := protocol.Time(0)
	if address != nil {
		payments, err := a.Payments.Of(address.Text)
		if err != nil {
			return "", fmt.Errorf("list payments: %w", err)
		}
		for _, p := range payments {
			if early == 0 || p.FirstSeen < early {
				early = p.FirstSeen
			}
		}
	}
	switch {
	case sale.Said == saidCancelled:
		return refusedOver, nil
	case body.Amount.Currency != sale.Total.Currency:
		return refusedCurrency, nil
	case quote == nil:
		return string(protocol.CodeQuoteUnknown), nil
	case a.at > a.now.Add(futureMost):
		return refusedFuture, nil
	case a.now.Sub(a.at) > a.s.rulesFor(a.terminal.ID).OfflineMax:
		return refusedStale, nil
	case !quote.Covers(a.at):
		return string(protocol.CodeQuoteExpired), nil
	case quote.Currency != body.Amount.Currency:
		return refusedCurrency, nil
	}
	if due, err := quote.Buy.Charge(body.Amount.Minor); err != nil || due != body.DueSat {
		return string(protocol.CodeAmountMismatch), nil
	}
	switch {
	case body.Kind == protocol.TenderKey:
		return "", nil
	case address == nil:
		return string(protocol.CodeAddressUnknown), nil
	case address.Tender != "" || early != 0 && early < min(a.at, a.now):
		// Money that came before the customer was asked was meant for something else.
		return refusedAddressUsed, nil
	}
	return "", nil
}

// stepsFor gives the confirmations that all money of the sale on the chain needs
// together with amount: splitting a sale does not make it safer.
func (a *application) stepsFor(sale protocol.SaleID, amount protocol.Money) (int64, error) {
	others, err := a.Tenders.Of(sale)
	if err != nil {
		return 0, fmt.Errorf("list tenders: %w", err)
	}
	atRisk := amount
	for _, t := range others {
		if t.onChain() && !t.Removed && t.Refused == "" {
			if atRisk, err = atRisk.Add(t.Amount); err != nil {
				return protocol.HighestStep(a.s.rulesFor(a.terminal.ID).Acceptance), nil
			}
		}
	}
	return protocol.StepFor(a.s.rulesFor(a.terminal.ID).Acceptance, atRisk), nil
}

// refuse answers a tender that has no place in a sale.
func (a *application) refuse(sale protocol.SaleID, word string) error {
	if !sale.Valid() {
		sale = noSale
	}
	return a.alert(a.terminal.ID, protocol.AlertSale, protocol.SaleStatus{
		Sale: sale, State: protocol.SaleOpen, Flags: []protocol.Flag{}, TxIDs: []string{}, Tenders: []protocol.TenderStatus{},
		Verdict: protocol.VerdictRefuse, Reason: word, Message: refusals[word],
	})
}

// noSale stands in an alert about a tender whose sale cannot be read.
const noSale protocol.SaleID = "00000000-0000-7000-8000-000000000000"

// saleOf finds the sale if the terminal may act on it; nil with a flag otherwise.
func (a *application) saleOf(id protocol.SaleID) (*Sale, error) {
	sale, err := a.Sales.Get(id)
	if errors.Is(err, ErrNotFound) {
		a.ignore(flagStranger)
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find sale: %w", err)
	}
	if mine, err := a.speaksFor(a.terminal.ID, sale.Terminal); err != nil || !mine {
		a.ignore(flagStranger)
		return nil, err
	}
	return sale, nil
}

func (a *application) tenderRemoved() error {
	var body protocol.TenderRemoved
	if !a.read(&body) {
		return nil
	}
	sale, err := a.saleOf(body.Sale)
	if sale == nil {
		return err
	}
	t, err := a.Tenders.Get(body.Tender)
	if errors.Is(err, ErrNotFound) || err == nil && t.Sale != sale.ID {
		a.ignore(flagStranger)
		return nil
	}
	if err != nil {
		return fmt.Errorf("find tender: %w", err)
	}
	t.Removed = true
	if err := a.Tenders.Update(t); err != nil {
		return fmt.Errorf("remove tender: %w", err)
	}
	a.sales[sale.ID] = struct{}{}
	return a.dropBills(sale.ID, t.ID, debtRemoved)
}

// What a cashier said of a sale ([Sale.Said]).
const (
	saidPaid      = "paid"
	saidCancelled = "cancelled"
	saidParked    = "parked"
)

func (a *application) saleSaid() error {
	var body protocol.SaleEnded
	if !a.read(&body) {
		return nil
	}
	sale, err := a.saleOf(body.Sale)
	if sale == nil {
		return err
	}
	if sale.Said == saidCancelled {
		a.ignore(flagTooLate)
		return nil
	}
	switch a.entry.Kind {
	case protocol.EntrySalePaid:
		sale.Said = saidPaid
		adds, err := a.tendersAddUp(sale, body.Change)
		if err != nil {
			return err
		}
		if !adds {
			a.flag(flagSums)
		}
	case protocol.EntrySaleCancelled:
		sale.Said = saidCancelled
	default:
		sale.Said = saidParked
	}
	sale.SaidAt = a.at
	if err := a.Sales.Update(sale, a.now, string(a.entry.Kind)); err != nil {
		return fmt.Errorf("store %s: %w", a.entry.Kind, err)
	}
	a.sales[sale.ID] = struct{}{}
	if err := a.unhold(sale.ID, sale.Said); err != nil {
		return err
	}
	if sale.Said == saidCancelled {
		return a.dropBills(sale.ID, "", debtCancelled)
	}
	return nil
}

// tendersAddUp reports whether the tenders of a paid sale make its total and the change.
func (a *application) tendersAddUp(sale *Sale, change *protocol.Money) (bool, error) {
	tenders, err := a.Tenders.Of(sale.ID)
	if err != nil {
		return false, fmt.Errorf("list tenders: %w", err)
	}
	sum := protocol.Money{Currency: sale.Total.Currency}
	for _, t := range tenders {
		if t.Removed || t.Refused != "" {
			continue
		}
		if sum, err = sum.Add(t.Amount); err != nil {
			return false, nil
		}
	}
	if change != nil {
		if sum, err = sum.Sub(*change); err != nil {
			return false, nil
		}
	}
	return sum == sale.Total, nil
}

func (a *application) refund() error {
	var body protocol.Refund
	if !a.read(&body) {
		return nil
	}
	sale, err := a.saleOf(body.Sale)
	if sale == nil {
		return err
	}
	_, err = a.Refunds.Get(body.Refund)
	if err == nil {
		a.ignore(flagDuplicate)
		return nil
	}
	if !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("find refund: %w", err)
	}
	if err := a.Refunds.Insert(&Refund{Refund: body, Terminal: a.terminal.ID, At: a.at}); err != nil {
		return fmt.Errorf("store refund: %w", err)
	}
	if body.Kind != protocol.TenderBitcoin {
		return a.refundDebts(body)
	}
	return nil
}

// onChain reports whether the tender is paid by an output to an address.
func (t *Tender) onChain() bool {
	return t.Kind == protocol.TenderBitcoin || t.Kind == protocol.TenderKey
}
