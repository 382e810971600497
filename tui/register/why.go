package register

import (
	"slices"

	"till/protocol"
)

// Why is a word for why something cannot be done, or was not. The program has a
// sentence for each in every language.
type Why string

// The words.
const (
	WhyNothingToPay   Why = "nothing_to_pay"
	WhyNothingTyped   Why = "nothing_typed"
	WhyNothingFound   Why = "nothing_found"
	WhyNothingErased  Why = "nothing_to_erase"
	WhyNoLine         Why = "no_line"
	WhyNoNumber       Why = "no_number"
	WhyTooManyOff     Why = "discount_above_100"
	WhyCartEmpty      Why = "cart_empty"
	WhyNothingUndone  Why = "nothing_to_undo"
	WhyNoTips         Why = "no_tips"
	WhyNoPrice        Why = "price_not_typed"
	WhyNoStock        Why = "not_in_stock" // it was added nevertheless
	WhyTooMuch        Why = "too_much"
	WhyUnknownCode    Why = "unknown_code"
	WhyGoodsComing    Why = "goods_coming" // the code waits for the catalogue
	WhyNeedsManager   Why = "needs_manager"
	WhyNeedsOwner     Why = "needs_owner"
	WhyCartBusy       Why = "cart_busy"
	WhyNotHere        Why = "not_here"
	WhyWorking        Why = "working"
	WhyNotPaidYet     Why = "not_paid_yet"
	WhyNoQuote        Why = "no_quote"
	WhyQuoteLapsed    Why = "quote_lapsed"
	WhyPartArrived    Why = "part_arrived"
	WhyNotBuilt       Why = "not_built"
	WhyNothingDue     Why = "nothing_due"
	WhyNoShift        Why = "no_shift"
	WhyNotReady       Why = "not_ready"
	WhyNoAddress      Why = "no_address"
	WhyDiskFull       Why = "disk_full"
	WhyNotWritten     Why = "not_written"
	WhyTypo           Why = "typo"
	WhyWrongNetwork   Why = "wrong_network"
	WhyBadCard        Why = "bad_card"
	WhyBadAddress     Why = "bad_address"
	WhyNoToken        Why = "no_token"
	WhyBill           Why = "bill"
	WhyNoChange       Why = "no_change"
	WhyTwice          Why = "twice"
	WhyTooManyKeys    Why = "too_many_keys"
	WhyNoKey          Why = "no_key"
	WhyNotAsked       Why = "not_asked"
	WhyNotAnswered    Why = "not_answered"
	WhyContested      Why = "contested"
	WhyPending        Why = "pending"
	WhyNothingHeld    Why = "nothing_held"
	WhyChanged        Why = "changed"
	WhyNotTaken       Why = "not_taken"
	WhyPassphrase     Why = "passphrase"
	WhyTooLittle      Why = "too_little"
	WhyAboveLimit     Why = "above_limit"
	WhyAboveDay       Why = "above_day"
	WhyNoPrinter      Why = "no_printer"
	WhyNoWriter       Why = "no_writer"
	WhyNotApproved    Why = "not_approved"
	WhyNoApprover     Why = "no_approver"
	WhySelfApproval   Why = "self_approval"
	WhyUnknownUser    Why = "unknown_user"
	WhyPinOff         Why = "pin_off"
	WhyNotPrinted     Why = "not_printed"
	WhyNotWrittenCard Why = "card_not_written"
	WhyOnlyCash       Why = "only_cash"
	WhyAbovePaid      Why = "above_paid"
	WhyNothingPaid    Why = "nothing_paid"
	WhyNoServer       Why = "no_server"
	WhyKeyTaken       Why = "key_taken"
	WhyOtherKeys      Why = "other_keys"
	WhyFeeEnough      Why = "fee_enough"
	WhyNotRaised      Why = "not_raised"
	WhyNoEcash        Why = "no_ecash"
	WhyAtMint         Why = "at_mint"
	WhyAboveTab       Why = "above_tab"
	WhyTabOver        Why = "tab_over"
	WhyNoCoinHeld     Why = "no_coin_held"
)

// Whys lists every word.
func Whys() []Why {
	return []Why{
		WhyNothingToPay, WhyNothingTyped, WhyNothingFound, WhyNothingErased, WhyNoLine, WhyNoNumber, WhyTooManyOff,
		WhyCartEmpty, WhyNothingUndone, WhyNoTips, WhyNoPrice, WhyNoStock, WhyTooMuch, WhyUnknownCode, WhyGoodsComing, WhyNeedsManager, WhyNeedsOwner, WhyCartBusy,
		WhyNotHere, WhyWorking, WhyNotPaidYet, WhyNoQuote, WhyQuoteLapsed, WhyPartArrived, WhyNotBuilt, WhyNothingDue,
		WhyNoShift, WhyNotReady, WhyNoAddress, WhyDiskFull, WhyNotWritten,
		WhyTypo, WhyWrongNetwork, WhyBadCard, WhyBadAddress, WhyNoToken, WhyBill, WhyNoChange, WhyTwice, WhyTooManyKeys,
		WhyNoKey, WhyNotAsked, WhyNotAnswered, WhyContested, WhyPending, WhyNothingHeld, WhyChanged, WhyNotTaken,
		WhyPassphrase, WhyTooLittle, WhyAboveLimit, WhyAboveDay, WhyNoPrinter, WhyNoWriter, WhyNotApproved, WhyNoApprover,
		WhySelfApproval, WhyUnknownUser, WhyPinOff, WhyNotPrinted, WhyNotWrittenCard, WhyOnlyCash, WhyAbovePaid,
		WhyNothingPaid, WhyKeyTaken, WhyOtherKeys, WhyFeeEnough, WhyNotRaised, WhyNoServer,
		WhyNoEcash, WhyAtMint, WhyAboveTab, WhyTabOver, WhyNoCoinHeld,
	}
}

// WhyNot tells why an event can do nothing now; "" it can.
func (r Register) WhyNot(e Event) Why {
	switch e := e.(type) {
	case Shop, Priced, Told, Billed, Signed, Granted, Recorded, Refused:
		return ""
	case Charged:
		return unless(r.Phase == Ringing, WhyNotHere)
	case Restored:
		return unless(r.Phase == Ringing && r.Cart.Empty(), WhyCartBusy)
	case Recall:
		if r.Phase != Ringing || !r.Cart.Empty() || !r.Entry.Empty() {
			return WhyCartBusy
		}
		return unless(e.Sale.Opening.Sale != "", WhyNotHere)
	}
	switch {
	case r.Config.Currency == "":
		return WhyNotReady
	case r.Phase == Asking:
		return WhyWorking
	case r.Phase == Settled:
		_, ok := e.(Next)
		return unless(ok, WhyNotHere)
	case r.Phase == Ringing:
		return r.whyNotRing(e)
	}
	return r.whyNotPay(e)
}

func unless(ok bool, why Why) Why {
	if ok {
		return ""
	}
	return why
}

func (r Register) whyNotRing(e Event) Why {
	switch e := e.(type) {
	case Digits, Point, Typed, Move, Scanned, Note, Back:
		return ""
	case Erase:
		return unless(r.Text != "" || !r.Entry.Empty() || r.Times != 0 || len(r.Cart.Lines) > 0, WhyNothingErased)
	case Select:
		n := len(r.Cart.Lines)
		if r.Text != "" {
			n = len(r.Found)
		}
		return unless(e.Index >= 0 && e.Index < n, WhyNoLine)
	case Add:
		if r.Text != "" {
			return unless(len(r.Found) > 0, WhyNothingFound)
		}
		return unless(!r.Entry.Empty(), WhyNothingTyped)
	case Pick:
		return unless(r.item(e.SKU) >= 0, WhyNothingFound)
	case Next:
		return r.whyNotForward()
	case Quantity:
		return unless(r.Entry.Number() > 0 && r.Entry.Number() <= protocol.MaxQuantity, WhyNoNumber)
	case Discount, Deduct, Price:
		return r.whyNotReprice(e)
	case Reason:
		return unless(e.Line >= 0 && e.Line < len(r.Cart.Lines) && r.Cart.Lines[e.Line].Discount != nil, WhyNoLine)
	case Tip:
		return unless(!r.Entry.Empty() || len(r.Config.TipsBP) > 0, WhyNoTips)
	case Clear:
		return unless(!r.Cart.Empty() || !r.Entry.Empty() || r.Times != 0, WhyCartEmpty)
	case Undo:
		return unless(r.Cleared != nil, WhyNothingUndone)
	case Park:
		return unless(len(r.Cart.Lines) > 0 && r.Entry.Empty() && r.Text == "", WhyCartEmpty)
	}
	return WhyNotHere
}

// whyNotForward: Enter takes what was found, or pays.
func (r Register) whyNotForward() Why {
	if r.Text != "" {
		return unless(len(r.Found) > 0, WhyNothingFound)
	}
	total := r.Totals().Total.Minor + r.Amount().Minor
	return unless(total > 0 && (len(r.Cart.Lines) > 0 || !r.Entry.Empty()), WhyNothingToPay)
}

// whyNotReprice: a discount is what is typed in percent; neither is for everybody.
func (r Register) whyNotReprice(e Event) Why {
	if len(r.Cart.Lines) == 0 {
		return WhyNoLine
	}
	if _, price := e.(Price); price {
		if r.Entry.Empty() {
			return WhyNothingTyped
		}
		return unless(r.May(MayPrice), MayPrice.Why())
	}
	if r.Entry.Empty() {
		return WhyNoNumber
	}
	if _, percent := e.(Discount); percent && r.Entry.Number() > 100_000 {
		return WhyTooManyOff
	}
	return unless(r.May(MayDiscount), MayDiscount.Why())
}

func (r Register) whyNotPay(e Event) Why {
	switch e := e.(type) {
	case Digits, Point, Erase:
		return unless(r.Phase == Counting, WhyNotHere)
	case Move:
		return unless(r.Phase == Counting && r.Takes == protocol.TenderCash, WhyNotHere)
	case Next:
		switch r.Phase {
		case Choosing:
			return r.whyNotTender(protocol.TenderBitcoin)
		case Counting:
			if why := r.whyMintFirst(); why != "" {
				return why
			}
			return unless(r.Takes == protocol.TenderCash || r.Amount().Minor <= r.CashDue().Minor, WhyTooMuch)
		}
		t, _ := r.Sale.Pending()
		return unless(r.Sale.Has(protocol.FlagLate) && r.Sale.Due(t) == 0, WhyNotPaidYet)
	case Back:
		return unless(r.Phase != Choosing || r.Sale == nil, WhyNotHere)
	case Choose:
		return r.whyNotTender(e.Kind)
	case Redeem:
		if e.Amount.Minor <= 0 || e.Amount.Minor > r.CashDue().Minor {
			return WhyTooMuch
		}
		return r.whyNotTender(protocol.TenderKey)
	case Withdraw:
		if r.Sale == nil {
			return WhyNotHere
		}
		t, pending := r.Sale.Pending()
		return unless(pending && t.Tender == e.Tender, WhyNotHere)
	case Cancel:
		return ""
	case Park:
		return ""
	}
	return WhyNotHere
}

func (r Register) whyNotTender(kind protocol.TenderKind) Why {
	t, offered := r.Bitcoin()
	if why := r.whyKeyFirst(); why != "" {
		return why
	}
	if why := r.whyMintFirst(); why != "" && kind != protocol.TenderEcash {
		return why
	}
	switch kind {
	case protocol.TenderBitcoin:
		if offered && !r.Lapsed {
			return ""
		}
		if r.Quote == nil {
			return WhyNoQuote
		}
		return unless(r.CashDue().Minor > 0, WhyNothingDue)
	case protocol.TenderEcash:
		switch {
		case r.Offered(kind):
			return ""
		case r.Config.MerchantURL == "":
			return WhyNoEcash
		case offered && r.Sale.Received(t.Tender) > 0:
			return WhyPartArrived
		}
		return unless(r.CashDue().Minor > 0, WhyNothingDue)
	case protocol.TenderCash, protocol.TenderCard:
		if kind == protocol.TenderCash && r.Shift == "" {
			return WhyNoShift // the drawer's cash belongs to a shift; what else is paid is in the next Z report
		}
		if offered && r.Sale.Received(t.Tender) > 0 {
			return WhyPartArrived
		}
		return unless(kind == protocol.TenderCash || r.CashDue().Minor > 0, WhyNothingDue)
	case protocol.TenderKey:
		if offered && r.Sale.Received(t.Tender) > 0 {
			return WhyPartArrived
		}
		if r.Quote == nil {
			return WhyNoQuote
		}
		return unless(r.CashDue().Minor > 0, WhyNothingDue)
	}
	return WhyNotBuilt
}

// whyKeyFirst: while a key's money is not accepted nothing else is tendered.
func (r Register) whyKeyFirst() Why {
	if r.Sale == nil || r.Lapsed {
		return ""
	}
	t, pending := r.Sale.Pending()
	if !pending || t.Kind != protocol.TenderKey {
		return ""
	}
	s := r.Sale.Status
	return unless(s != nil && r.Sale.concerns(t) && s.Verdict == protocol.VerdictAccept, WhyKeyTaken)
}

// whyMintFirst: while a mint has not said what became of coins that were handed
// over, nothing else is taken for the amount (merchant.md §3).
func (r Register) whyMintFirst() Why {
	if r.Sale == nil {
		return ""
	}
	t, _ := r.Sale.Pending()
	return unless(!t.AtMint(), WhyAtMint)
}

// Offered tells whether a tender of a kind that the customer pays by a code is on
// the screen or can be shown again as it is.
func (r Register) Offered(kind protocol.TenderKind) bool {
	if r.Sale == nil || r.Lapsed || kind != protocol.TenderBitcoin && kind != protocol.TenderEcash {
		return false
	}
	return slices.ContainsFunc(r.Sale.Tenders, func(t Tender) bool { return t.Kind == kind })
}

// Kinds are the tenders in the order of their keys.
func Kinds() []protocol.TenderKind {
	return slices.Clone([]protocol.TenderKind{
		protocol.TenderBitcoin, protocol.TenderEcash, protocol.TenderCash, protocol.TenderKey, protocol.TenderCard, protocol.TenderLightning,
	})
}
