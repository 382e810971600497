package tui

import (
	"context"
	"encoding/json"
	"time"

	tea "charm.land/bubbletea/v2"

	"till/protocol"
	"till/protocol/terminal"
	"till/tui/register"
	"till/tui/widget"
)

// printTime is how long a paper wallet is waited for: paper can be put in.
const printTime = 3 * time.Minute

// payOut hands events to the payout and does what it asks for.
func (m *model) payOut(events ...register.Event) tea.Cmd {
	var cmds []tea.Cmd
	for _, e := range events {
		before := m.sell.flow
		var effects []register.Effect
		m.sell.flow, effects = before.Handle(e)
		if _, quiet := e.(register.Terms); m.sell.flow.Note.Why != "" && m.screen != onSell && !quiet {
			m.say(widget.Warn, m.w.why(m.sell.flow.Note))
		}
		for _, f := range effects {
			cmds = append(cmds, m.performSell(f))
		}
		if m.sell.flow.Phase != before.Phase {
			cmds = append(cmds, m.sellMoved(before.Phase))
		}
	}
	return tea.Batch(cmds...)
}

// sellEvent is an answer to the payout.
type sellEvent struct{ event register.Event }

func (s sellEvent) apply(m *model) tea.Cmd { return m.payOut(s.event) }

// performSell makes a command of an effect of the payout.
func (m *model) performSell(e register.Effect) tea.Cmd {
	switch e := e.(type) {
	case register.Journal:
		return m.journal(e, func(m *model, n register.Noted) tea.Cmd { return m.payOut(n) })
	case register.MakeKey:
		return m.makeKey(e)
	case register.Make:
		if e.Order.Method == protocol.MethodMagcard {
			return m.writeCard(e.Order, m.o.Stripes)
		}
		return m.makePaper(e.Order)
	case register.Pay:
		return m.pay(e)
	case register.PayCash:
		return m.payCash(e)
	case register.Discard:
		m.sell.wallet.Wipe()
		m.sell.wallet = nil
		return nil
	}
	return m.perform(e)
}

// keyed is an order's id with the key that was made for it.
type keyed struct {
	event  register.Keyed
	wallet *register.Wallet // nil: the coins go elsewhere
}

func (k keyed) apply(m *model) tea.Cmd {
	if k.wallet != nil {
		m.sell.wallet.Wipe()
		m.sell.wallet = k.wallet
	}
	return m.payOut(k.event)
}

func (m *model) makeKey(e register.MakeKey) tea.Cmd {
	t, reg, refund := m.o.Terminal, m.reg, m.sell.flow.Refund != nil
	own := e.Address == "" && (e.Method == protocol.MethodPrinter || e.Method == protocol.MethodMagcard)
	return m.aside(writeTime, func(context.Context) tea.Msg {
		k := keyed{event: register.Keyed{Ticket: e.Ticket, Address: e.Address}}
		id, err := t.NewID()
		k.event.ID = protocol.PayoutID(id)
		if err == nil && refund {
			id, err = t.NewID()
			k.event.Refund = protocol.RefundID(id)
		}
		if err == nil && own {
			if k.wallet, err = reg.NewWallet(t.Random()); err == nil {
				k.event.Address = k.wallet.Address()
			}
		}
		if err != nil {
			k.event.Why, k.event.Detail = register.WhyNotWritten, err.Error()
		}
		return k
	})
}

// makePaper prints the paper wallet and waits until it is on paper. The key is
// wiped then: it is on the paper alone.
func (m *model) makePaper(o protocol.Dispense) tea.Cmd {
	wallet, spool := m.sell.wallet, m.o.Spool
	if wallet == nil || spool == nil {
		return func() tea.Msg { return sellEvent{register.Made{ID: o.ID, Why: register.WhyNoPrinter}} }
	}
	ctx, cancel := m.within(printTime)
	m.sell.stop = cancel
	head := register.Paper{
		Shop: m.reg.Config.Shop, Practice: m.o.Practice, At: protocol.TimeOf(m.now), Terminal: m.terminalName(), User: m.userName(), AmountSat: o.AmountSat,
	}
	document := wallet.Document(head, m.w.style(m.o.Zone))
	return func() tea.Msg {
		defer cancel()
		unsure, err := spool.printNow(ctx, "wallet-"+string(o.ID), document)
		return printed{o.ID, unsure, err}
	}
}

// printed tells whether a paper wallet is on paper.
type printed struct {
	id     protocol.PayoutID
	unsure bool // the printer never says so
	err    error
}

func (p printed) apply(m *model) tea.Cmd {
	if p.err != nil {
		m.o.Log.Warn("print paper wallet", "payout", p.id, "error", p.err)
		return m.payOut(register.Made{ID: p.id, Why: register.WhyNotPrinted})
	}
	made := func(why register.Why) func(*model) tea.Cmd {
		return func(m *model) tea.Cmd {
			m.sell.wallet.Wipe()
			m.sell.wallet = nil
			return m.payOut(register.Made{ID: p.id, Why: why})
		}
	}
	if !p.unsure {
		return made("")(m)
	}
	m.open(&dialog{name: "sell-printed", role: widget.Strong, title: m.w.SellPrintedTitle, text: m.w.SellPrintedText, keys: []key{
		{action: ActConfirm, keys: []string{"y"}, do: closing(made(""))},
		{action: ActBack, keys: []string{"esc", "n"}, do: closing(made(register.WhyNotPrinted))},
	}})
	return nil
}

// payoutDraft is what is kept of a payout under way; no approval and no key.
type payoutDraft struct {
	Order protocol.Dispense `json:"order"`
}

func (d payoutDraft) step() terminal.Step {
	d.Order.Authcode = protocol.Secret{}
	text, err := json.Marshal(d)
	if err != nil {
		panic(err) // strings and integers always encode
	}
	return terminal.SaveDraft(draftPayout, text)
}

// payer pays out.
type payer struct {
	terminal Terminal
	stretch  register.Stretch
	id       protocol.TerminalID
	now      func() time.Time
	user     string
}

func (m *model) payer() payer {
	return payer{m.o.Terminal, m.o.Stretch, m.facts.identity.ID, m.o.Clock, m.reg.User.ID}
}

// paid is how far a payout is.
type paid struct{ event register.Paid }

func (p paid) apply(m *model) tea.Cmd {
	before := m.sell.flow.Phase
	cmd := m.payOut(p.event)
	if before == register.SellPaying && m.sell.flow.Phase != register.SellPaying {
		cmd = tea.Batch(cmd, m.forget(draftPayout))
	}
	return cmd
}

func (m *model) pay(e register.Pay) tea.Cmd {
	p := m.payer()
	return m.aside(moveTime, func(ctx context.Context) tea.Msg { return paid{p.pay(ctx, e)} })
}

// pay journals a refund, makes the approval's code and asks the server.
func (p payer) pay(ctx context.Context, e register.Pay) register.Paid {
	defer e.Approval.Code.Wipe()
	out := register.Paid{ID: e.Order.ID}
	steps := []terminal.Step{payoutDraft{Order: e.Order}.step()}
	if e.Refund != nil && !e.Refund.Journaled {
		steps = append(steps, terminal.Record(protocol.EntryRefund, e.Refund.Entry(&e.Order, p.user, e.Approval.User.ID)))
	}
	if _, err := p.terminal.Commit(ctx, steps...); err != nil {
		out.Failure = &register.Failure{Why: whyOf(err), Message: err.Error()}
		return out
	}
	out.Journaled = true
	code, err := e.Approval.Authcode(p.stretch, e.Order, p.id, protocol.TimeOf(p.now()))
	if err != nil {
		out.Failure = &register.Failure{Code: protocol.CodeAuthcodeWrong, Message: err.Error()}
		return out
	}
	defer code.Wipe()
	e.Order.Authcode = code
	result, err := p.terminal.Dispense(ctx, e.Order)
	if err != nil && result.State == "" {
		out.Failure = failureOf(err)
		return out
	}
	out.Result = result
	return out
}

// payCash gives a refund from the drawer: the approver's PIN is checked here, the
// server has no part in it.
func (m *model) payCash(e register.PayCash) tea.Cmd {
	p := m.payer()
	return m.queue(writeTime, func(ctx context.Context) tea.Msg { return cashed{paid{p.payCash(ctx, e)}} })
}

func (p payer) payCash(ctx context.Context, e register.PayCash) register.Paid {
	defer e.Approval.Code.Wipe()
	out := register.Paid{ID: e.ID}
	if !register.IsPIN(p.stretch, e.Approval.Code, e.Approval.User.PIN) {
		out.Failure = &register.Failure{Code: protocol.CodeAuthcodeWrong, Message: protocol.CodeAuthcodeWrong.Message()}
		return out
	}
	_, err := p.terminal.Commit(ctx, terminal.Record(protocol.EntryRefund, e.Refund.Entry(nil, p.user, e.Approval.User.ID)))
	if err != nil {
		out.Failure = &register.Failure{Why: whyOf(err), Message: err.Error()}
		return out
	}
	out.Result.State, out.Journaled = protocol.PayoutConfirmed, true
	return out
}

// cashed is a refund from the drawer, which opens for it.
type cashed struct{ paid }

func (c cashed) apply(m *model) tea.Cmd {
	if c.event.Failure != nil {
		return c.paid.apply(m)
	}
	return tea.Batch(c.paid.apply(m), m.openDrawer(protocol.ReasonRefund))
}

// sellDone prints the slip and counts what has left.
func (m *model) sellDone() tea.Cmd {
	f := m.sell.flow
	if f.State != protocol.PayoutBroadcast && f.State != protocol.PayoutConfirmed {
		return nil
	}
	slip := &register.Slip{State: f.State, Method: f.Method, Sat: f.Order.AmountSat, Fee: f.Result.FeeSat, To: f.Order.Address, Refund: f.Refund != nil}
	slip.Price, _ = f.Priced()
	if f.Order.Price != nil {
		slip.Price = *f.Order.Price
	}
	var sale protocol.SaleID
	if f.Refund != nil {
		slip.Number, sale = f.Refund.Number, f.Refund.Sale
	}
	paper := m.queuePaper(register.Paper{Kind: register.PaperPayout, TxID: f.Result.TxID, Slip: slip}, sale)
	if f.Refund == nil { // the customer's money goes in
		paper = tea.Batch(paper, m.openDrawer(protocol.ReasonCoins))
	}
	return paper
}
