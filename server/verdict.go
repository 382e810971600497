package server

import (
	"fmt"
	"slices"
	"strings"

	"till/protocol"
)

// view is what is known of the chain as a whole.
type view struct {
	tip    Tip
	floor  FeeRate // what gets into the next six blocks; 0 not known
	behind bool    // the tip is too old to trust the mempool
	fresh  bool    // the payments at hand were asked for just now
}

// Words of a verdict, beside those of a void tender.
const (
	reasonUnpaid      = "unpaid"
	reasonUntendered  = "untendered"
	reasonUnderpaid   = "underpaid"
	reasonLate        = "late"
	reasonUnconfirmed = "unconfirmed"
	reasonWatching    = "watching"
	reasonFeeLow      = "fee_low"
	reasonFeeUnknown  = "fee_unknown"
	reasonNodeBehind  = "node_behind"
	reasonConflict    = "conflict"
	reasonReplaced    = "replaced"
	reasonExpired     = "expired"
	reasonCancelled   = "cancelled"
	reasonMempool     = "zero_confirmations"
	reasonDeep        = "confirmations"
	reasonPaid        = "paid"
	reasonWaiting     = "waiting"
)

// feeRecheck is how soon a payment whose fee is too low is judged again: the
// floor may have fallen.
const feeRecheck = 30_000

// judgement is what the stored facts of one account mean at a moment.
type judgement struct {
	state   protocol.SaleState
	flags   []protocol.Flag
	verdict protocol.Verdict
	reason  string
	message string
	next    protocol.Time // when the clock alone may change it, 0 never
}

// findings are what one tender on the chain comes to.
type findings struct {
	judgement
	received      protocol.Sat
	confirmations int64
	txids         []string
	consumed      protocol.Sat // of received, what an open due takes
	debt          string       // why the rest is owed
}

// judge weighs a tender: pure, of the payments as stored, the rules and the moment.
func (r *Settings) judge(t *Tender, payments []*SeenPayment, said string, v view, now protocol.Time) findings {
	f := findings{txids: []string{}}
	w := weighing{Settings: r, tender: t, view: v, now: now, due: t.DueSat}
	// MaxSat × 999 stays within 64 bits.
	tolerance := max(r.ToleranceSat, w.due*protocol.Sat(r.TolerancePermille)/1000)
	w.need = max(1, w.due-tolerance)
	late := false
	for _, p := range payments {
		if p.Gone {
			continue
		}
		f.received += p.Amount
		w.living = append(w.living, p)
		if !slices.Contains(f.txids, p.TxID) {
			f.txids = append(f.txids, p.TxID)
		}
		if p.FirstSeen > t.Ends {
			late = true
			if said != saidPaid {
				continue
			}
		}
		w.counted = append(w.counted, p)
		w.sum += p.Amount
	}
	f.judgement, f.confirmations = w.weigh(f.received, late)
	f.flag(f.received > 0 && f.received < w.need, protocol.FlagUnderpaid)
	f.flag(f.received > w.due+tolerance, protocol.FlagOverpaid)
	f.flag(late, protocol.FlagLate)
	f.flag(t.Replaced, protocol.FlagReplaced)
	f.flag(w.conflict(), protocol.FlagConflict)

	f.debt = debtOverpaid
	f.consumed = min(w.sum, w.due)
	switch {
	case said == saidCancelled:
		f.consumed, f.debt = 0, debtCancelled
	case t.Removed:
		f.consumed, f.debt = 0, debtRemoved
	case t.Refused != "":
		f.consumed, f.debt = 0, debtUnasked
	case late && said != saidPaid:
		f.debt = debtLate
	}
	return f
}

func (f *findings) flag(is bool, flag protocol.Flag) {
	if is {
		f.flags = append(f.flags, flag)
	}
}

// weighing is one tender on the scales.
type weighing struct {
	*Settings
	view
	tender  *Tender
	now     protocol.Time
	due     protocol.Sat
	need    protocol.Sat   // due less the tolerance
	living  []*SeenPayment // in mempool or chain
	counted []*SeenPayment // in time, or late and taken by the cashier
	sum     protocol.Sat   // of counted
}

func (w *weighing) weigh(received protocol.Sat, late bool) (j judgement, depth int64) {
	switch {
	case received == 0 && w.now > w.tender.Ends:
		return judgement{state: protocol.SaleExpired, verdict: protocol.VerdictRefuse, reason: reasonExpired,
			message: "the time to pay is over and nothing has come"}, 0
	case received == 0:
		return judgement{state: protocol.SaleOpen, verdict: protocol.VerdictWait, reason: reasonUnpaid,
			message: "nothing has come yet", next: w.tender.Ends + 1}, 0
	}
	j = judgement{state: protocol.SaleSeen, verdict: protocol.VerdictWait}
	if w.sum < w.need {
		if late {
			j.reason, j.message = reasonLate, "the money came after the time to pay: the price may have changed; take it or pay it back"
		} else {
			j.reason, j.message = reasonUnderpaid, bitcoin(w.due-received)+" are missing"
		}
		return j, w.shallowest()
	}
	depth = w.depthOf(w.need)
	switch high := protocol.HighestStep(w.Acceptance); {
	case depth >= high:
		return judgement{state: protocol.SaleConfirmed, verdict: protocol.VerdictAccept, reason: reasonDeep, message: "paid and confirmed"}, depth
	case w.tender.Replaced:
		j.reason, j.message = reasonReplaced, "a payment was taken back"
		if depth > 0 && depth >= w.tender.Steps {
			j.state = protocol.SaleAccepted
		}
		return j, depth
	case depth > 0 && depth >= w.tender.Steps:
		return judgement{state: protocol.SaleAccepted, verdict: protocol.VerdictAccept, reason: reasonDeep,
			message: fmt.Sprintf("%s as this amount asks: the goods may go", confirmations(depth))}, depth
	case w.tender.Steps > 0:
		j.reason = reasonUnconfirmed
		j.message = fmt.Sprintf("seen: %d of %s", depth, confirmations(w.tender.Steps))
		return j, depth
	}
	return w.mempool(j), depth
}

// depthOf gives the confirmations of the payments that together make amount,
// the deepest first: a crumb sent later by a stranger takes nothing away.
func (w *weighing) depthOf(amount protocol.Sat) int64 {
	deepest := slices.Clone(w.counted)
	slices.SortFunc(deepest, func(a, b *SeenPayment) int { return int(b.Confirmations(w.tip) - a.Confirmations(w.tip)) })
	var sum protocol.Sat
	for _, p := range deepest {
		if sum += p.Amount; sum >= amount {
			return p.Confirmations(w.tip)
		}
	}
	return 0
}

// shallowest gives the least confirmations of all that is there.
func (w *weighing) shallowest() int64 {
	least := w.living[0].Confirmations(w.tip)
	for _, p := range w.living {
		least = min(least, p.Confirmations(w.tip))
	}
	return least
}

// mempool judges whether goods may go without a confirmation (bitcoin.md §3).
func (w *weighing) mempool(j judgement) judgement {
	rate := FeeRate(0)
	var safe protocol.Sat
	since := protocol.Time(0)
	for _, p := range w.counted {
		if p.Confirmations(w.tip) > 0 {
			safe += p.Amount
			continue
		}
		if p.Conflict {
			continue
		}
		if safe += p.Amount; rate == 0 || p.FeeRate < rate {
			rate = p.FeeRate
		}
		since = max(since, p.FirstSeen)
	}
	ready := since.Add(w.Watch)
	accepted := judgement{state: protocol.SaleAccepted, verdict: protocol.VerdictAccept, reason: reasonMempool,
		message: fmt.Sprintf("fee %s, no conflict, under the %s limit: the goods may go", rate, w.mempoolLimit())}
	switch {
	case safe < w.need:
		j.reason, j.message = reasonConflict, "another transaction competes with this payment: wait for a confirmation"
	case w.tender.Accepted != 0:
		// What was given is not taken back because fees rose: only a conflict, a
		// replacement or a reorganisation does that.
		return accepted
	case w.behind:
		j.reason, j.message = reasonNodeBehind, "the Bitcoin node is behind: wait for a confirmation"
	case w.floor == 0:
		j.reason, j.message, j.next = reasonFeeUnknown, "the present network fee is not known: wait for a confirmation", w.now+feeRecheck
	case rate < w.floor:
		j.reason, j.next = reasonFeeLow, w.now+feeRecheck
		j.message = fmt.Sprintf("the fee of %s is below the %s of the next hour: wait for a confirmation", rate, w.floor)
	case w.now < ready || !w.fresh:
		j.reason, j.message, j.next = reasonWatching, "seen: watched for a moment", max(ready, w.now)
	default:
		return accepted
	}
	return j
}

func (w *weighing) conflict() bool {
	return slices.ContainsFunc(w.counted, func(p *SeenPayment) bool { return p.Conflict && p.Confirmations(w.tip) == 0 })
}

// mempoolLimit gives the highest amount that may go without a confirmation.
func (w *weighing) mempoolLimit() string {
	limit := ""
	for _, step := range w.Acceptance {
		if step.Confirmations == 0 && step.UpTo != nil {
			limit = plain(*step.UpTo)
		}
	}
	if limit == "" {
		return "shop's"
	}
	return limit
}

// plain writes an amount without idle decimals: "50 EUR", "12.50 EUR".
func plain(m protocol.Money) string {
	text := m.Decimal()
	if whole, decimals, ok := strings.Cut(text, "."); ok && strings.Trim(decimals, "0") == "" {
		text = whole
	}
	return text + " " + string(m.Currency)
}

// bitcoin writes satoshi without idle zeros: "0.00003 BTC".
func bitcoin(s protocol.Sat) string {
	return strings.TrimSuffix(strings.TrimRight(s.String(), "0"), ".") + " BTC"
}

// String gives the rate as "14 sat/vB", "1.5 sat/vB".
func (r FeeRate) String() string {
	text := fmt.Sprintf("%d.%03d", r/1000, r%1000)
	return strings.TrimRight(strings.TrimRight(text, "0"), ".") + " sat/vB"
}

func confirmations(n int64) string {
	if n == 1 {
		return "1 confirmation"
	}
	return fmt.Sprintf("%d confirmations", n)
}

// judgeSale gives a sale's state, as good as that of its worst tender, and what
// the cashier is told about it.
func (r *Settings) judgeSale(sale *Sale, tenders []*Tender, of map[protocol.TenderID]findings, now protocol.Time) judgement {
	if sale.Said == saidCancelled {
		return judgement{state: protocol.SaleCancelled, verdict: protocol.VerdictRefuse, reason: reasonCancelled, message: "the sale is cancelled"}
	}
	worst := judgement{state: protocol.SaleConfirmed, verdict: protocol.VerdictAccept, reason: reasonPaid, message: "paid"}
	var flags []protocol.Flag
	refused, taken := "", false
	covered, known := int64(0), false
	for _, t := range tenders {
		if t.Removed {
			continue
		}
		if t.Refused != "" {
			refused = t.Refused
			continue
		}
		covered += t.Amount.Minor
		j := r.offChain(t, now)
		if t.onChain() {
			j = of[t.ID].judgement
			taken = taken || t.Accepted != 0
		}
		flags = append(flags, j.flags...)
		if !known || j.state.Rank() < worst.state.Rank() {
			j.next = earlier(j.next, worst.next)
			worst, known = j, true
		} else {
			worst.next = earlier(worst.next, j.next)
		}
	}
	worst.flags = sortFlags(flags)
	has := func(f protocol.Flag) bool { return slices.Contains(worst.flags, f) }
	switch missing := sale.Total.Minor - covered; {
	case !known && sale.Said != saidPaid:
		worst = judgement{state: protocol.SaleOpen, verdict: protocol.VerdictWait, reason: reasonUntendered, message: "no payment was chosen yet"}
	case missing > 0 && sale.Said != saidPaid && worst.state.Rank() > protocol.SaleSeen.Rank():
		worst.state, worst.verdict, worst.reason = protocol.SaleSeen, protocol.VerdictWait, reasonUntendered
		worst.message = fmt.Sprintf("%s of the sale are not paid by anything yet", plain(protocol.Money{Currency: sale.Total.Currency, Minor: missing}))
	}
	switch {
	case refused != "":
		worst.verdict, worst.reason, worst.message = protocol.VerdictRefuse, refused, refusals[refused]
	case has(protocol.FlagReplaced) && worst.state != protocol.SaleConfirmed:
		worst.verdict, worst.reason = protocol.VerdictRefuse, reasonReplaced
		worst.message = "the customer's payment is gone: it was replaced or dropped; do not hand anything out"
	case has(protocol.FlagConflict) && taken && worst.state == protocol.SaleSeen:
		worst.verdict, worst.reason = protocol.VerdictRefuse, reasonConflict
		worst.message = "another transaction competes with the accepted payment; do not hand anything out"
	}
	return worst
}

// offChain judges what the chain knows nothing of: cash and cards are in the
// drawer when they are told; e-cash and Lightning when they were accepted.
func (r *Settings) offChain(t *Tender, now protocol.Time) judgement {
	switch {
	case t.Short && t.Accepted != 0:
		return judgement{state: protocol.SaleConfirmed, flags: []protocol.Flag{protocol.FlagUnderpaid}, verdict: protocol.VerdictAccept,
			reason: reasonUnderpaid, message: "the tab is paid as far as the customer signed; the rest is missing"}
	case t.Kind == protocol.TenderCash || t.Kind == protocol.TenderCard || t.Accepted != 0:
		return judgement{state: protocol.SaleConfirmed, verdict: protocol.VerdictAccept, reason: reasonPaid, message: "paid"}
	case t.Waiting:
		return judgement{state: protocol.SaleSeen, verdict: protocol.VerdictWait, reason: reasonWaiting, message: "waiting for the mint"}
	case now > t.Ends:
		return judgement{state: protocol.SaleExpired, verdict: protocol.VerdictRefuse, reason: reasonExpired, message: "the time to pay is over and nothing has come"}
	}
	return judgement{state: protocol.SaleOpen, verdict: protocol.VerdictWait, reason: reasonUnpaid, message: "nothing has come yet", next: t.Ends + 1}
}

func earlier(a, b protocol.Time) protocol.Time {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

var flagOrder = []protocol.Flag{protocol.FlagUnderpaid, protocol.FlagOverpaid, protocol.FlagLate, protocol.FlagReplaced, protocol.FlagConflict}

// sortFlags gives each flag once, in the order of the protocol; never nil.
func sortFlags(flags []protocol.Flag) []protocol.Flag {
	sorted := []protocol.Flag{}
	for _, f := range flagOrder {
		if slices.Contains(flags, f) {
			sorted = append(sorted, f)
		}
	}
	return sorted
}
