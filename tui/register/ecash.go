package register

import (
	"slices"

	"till/protocol"
)

// States of a deposit (terminal.md §4.2).
const (
	depositWaiting  = "waiting"
	depositRejected = "rejected"
)

// AtMint reports whether coins were handed over whose mint has not answered.
func (t Tender) AtMint() bool { return t.Deposit != nil && t.Deposit.State == depositWaiting }

// Lot reports whether the amount was so small that a lot was drawn for a whole coin
// (merchant.md §5).
func (t Tender) Lot() bool {
	return t.Deposit != nil && (t.Deposit.Reason == "lottery_won" || t.Deposit.Reason == "lottery_lost")
}

// rejected reports whether the mint did not take the coins.
func (t Tender) rejected() bool { return t.Deposit != nil && t.Deposit.State == depositRejected }

// open reports whether a tender is no more than a code on the screen: another may
// take its place.
func (t Tender) open() bool {
	return t.Kind == protocol.TenderBitcoin || t.Kind == protocol.TenderEcash && (t.Deposit == nil || t.rejected())
}

// Ecash is the e-cash tender that is asked for.
func (r Register) Ecash() (Tender, bool) {
	if r.Sale == nil {
		return Tender{}, false
	}
	t, pending := r.Sale.Pending()
	return t, pending && t.Kind == protocol.TenderEcash
}

// billed takes the server's word on an e-cash tender of the sale being paid.
func (r Register) billed(e Billed) (Register, []Effect) {
	if r.Sale == nil {
		return r, nil
	}
	at := slices.IndexFunc(r.Sale.Tenders, func(t Tender) bool { return t.Tender == e.Tender })
	if at < 0 {
		return r, nil
	}
	sale := *r.Sale
	sale.Tenders = slices.Clone(sale.Tenders)
	sale.Tenders[at].Contract, sale.Tenders[at].Deposit = e.Contract, e.Deposit
	r.Sale = &sale
	return r.judge()
}
