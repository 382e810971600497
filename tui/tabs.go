package tui

import (
	"context"
	"slices"

	tea "charm.land/bubbletea/v2"

	"till/protocol"
	"till/protocol/terminal"
	"till/tui/register"
	"till/tui/widget"
)

// What is done with bar tabs: an e-cash tender that is charged in rounds while a
// customer's coin is held for it (merchant.md §4). A tab is a sale of its own beside
// the one on the register, and goes on without it.

// tabOf is the open tab of a sale.
func tabOf(s terminal.Sale) (register.Tab, bool) {
	if len(s.Tabs) == 0 {
		return register.Tab{}, false
	}
	b := s.Tabs[len(s.Tabs)-1]
	t := register.Tab{Sale: b.Sale, Tender: b.Tender, Max: b.MaxAmount, Charged: b.Charged, Closed: b.Closed,
		Signed: protocol.Money{Currency: b.MaxAmount.Currency}}
	if b.Status == nil {
		return t, true
	}
	t.State, t.Until = b.Status.State, b.Status.LockUntil
	if b.Status.MaxAmount.Minor > 0 {
		t.Max = b.Status.MaxAmount // the customer may hold less than was offered
	}
	if b.Status.Signed != nil {
		t.Signed = *b.Status.Signed
	}
	return t, true
}

// openTab opens a tab of at most an amount, with a sale of its own.
func (m *model) openTab(most protocol.Money) tea.Cmd {
	zero := protocol.Money{Currency: most.Currency}
	opening := protocol.SaleOpened{Total: zero, Shift: m.reg.Shift, User: m.reg.User.ID}
	p := performer{terminal: m.o.Terminal}
	return m.queue(writeTime, func(ctx context.Context) tea.Msg {
		opening, err := p.open(ctx, opening)
		if err != nil {
			return failed{"open tab", err}
		}
		id, err := m.o.Terminal.NewID()
		if err != nil {
			return failed{"open tab", err}
		}
		_, err = m.o.Terminal.Commit(ctx,
			terminal.Record(protocol.EntrySaleOpened, opening),
			terminal.Record(protocol.EntryTabOpened, protocol.TabOpened{Sale: opening.Sale, Tender: protocol.TenderID(id), MaxAmount: most}))
		if err != nil {
			return failed{"open tab", err}
		}
		return tabWritten{opening.Sale}
	})
}

// tabWritten tells that something about a tab is in the journal.
type tabWritten struct{ sale protocol.SaleID }

func (t tabWritten) apply(m *model) tea.Cmd {
	m.tabs.look(t.sale)
	return m.readRecent()
}

// chargeTab makes the cart a round of a tab. The register is free for the next
// customer at once; the cart comes back when nothing could be written.
func (m *model) chargeTab(t register.Tab) tea.Cmd {
	round, cart := m.reg.Round(t, m.w.Paper[register.LabelTip]), m.reg.Cart
	m.tabs.busy = t.Sale
	return tea.Batch(m.happen(register.Charged{}), m.queue(writeTime, func(ctx context.Context) tea.Msg {
		_, err := m.o.Terminal.Commit(ctx, terminal.Record(protocol.EntryTabCharged, round), draft(register.Cart{}))
		return tabCharged{t.Sale, cart, err}
	}))
}

// tabCharged tells whether the round is written.
type tabCharged struct {
	sale protocol.SaleID
	cart register.Cart
	err  error
}

func (t tabCharged) apply(m *model) tea.Cmd {
	m.tabs.busy = ""
	if t.err != nil {
		return tea.Batch(m.happen(register.Restored{Cart: t.cart}), failed{"charge tab", t.err}.apply(m))
	}
	return tabWritten{t.sale}.apply(m)
}

// closeTab asks for what was signed, once all of it is.
func (m *model) closeTab(t register.Tab) tea.Cmd {
	return m.queue(writeTime, func(ctx context.Context) tea.Msg {
		_, err := m.o.Terminal.Commit(ctx, terminal.Record(protocol.EntryTabClosed, protocol.TabClosed{Sale: t.Sale, Tender: t.Tender}))
		if err != nil {
			return failed{"close tab", err}
		}
		return tabWritten{t.Sale}
	})
}

// settleTabs writes the end of tabs that the server has settled: sale_paid follows
// the alert "paid" (merchant.md §4); what is lost is given up. After a restart it
// finds those that ended meanwhile.
func (m *model) settleTabs(open []terminal.Sale) tea.Cmd {
	var cmds []tea.Cmd
	for _, s := range open {
		t, ok := tabOf(s)
		if !ok || t.State != register.TabPaid && t.State != register.TabLost || slices.Contains(m.tabs.ending, t.Sale) {
			continue
		}
		m.tabs.ending = append(m.tabs.ending, t.Sale)
		cmds = append(cmds, m.endTab(t))
	}
	return tea.Batch(cmds...)
}

// reasonTabLost is why a sale is given up whose tab was not paid.
const reasonTabLost = "tab_lost"

func (m *model) endTab(t register.Tab) tea.Cmd {
	reg, user, name, practice, spooled := m.reg, m.userName(), m.terminalName(), m.o.Practice, m.o.Spool != nil
	now := protocol.TimeOf(m.now)
	return m.queue(writeTime, func(ctx context.Context) tea.Msg {
		s, err := m.o.Terminal.Sale(ctx, t.Sale)
		if err != nil {
			return tabEnded{tab: t, err: err}
		}
		if s.Said == terminal.SaidPaid || s.Said == terminal.SaidCancelled {
			return nil // told before
		}
		kind, ended := protocol.EntrySalePaid, protocol.SaleEnded{Sale: t.Sale}
		if t.State == register.TabLost {
			kind, ended.Reason = protocol.EntrySaleCancelled, reasonTabLost
		}
		steps := []terminal.Step{terminal.Record(kind, ended)}
		done := tabEnded{tab: t, number: s.Opening.Number}
		if kind == protocol.EntrySalePaid && spooled && t.Charged.Minor > 0 {
			sale, err := saleOf(ctx, m.o.Terminal, s)
			if err != nil {
				return tabEnded{tab: t, err: err}
			}
			done.paper = reg.Receipt(sale, user, protocol.Money{Currency: reg.Currency()})
			done.paper.At, done.paper.Terminal, done.paper.Practice = now, name, practice
			done.job = jobOf(done.paper, t.Sale)
			steps = append(steps, terminal.QueueJob(done.job))
		}
		_, done.err = m.o.Terminal.Commit(ctx, steps...)
		return done
	})
}

// tabEnded is a tab whose end is in the journal.
type tabEnded struct {
	tab    register.Tab
	number string // of its sale
	job    *terminal.Job
	paper  register.Paper
	err    error
}

func (t tabEnded) apply(m *model) tea.Cmd {
	m.tabs.ending = slices.DeleteFunc(m.tabs.ending, func(id protocol.SaleID) bool { return id == t.tab.Sale })
	if t.err != nil {
		return failed{"end tab", t.err}.apply(m)
	}
	cmds := []tea.Cmd{m.readRecent()}
	if t.job != nil {
		cmds = append(cmds, m.handOver(*t.job, t.paper))
	}
	paid := t.tab.State == register.TabPaid && t.tab.Charged.Minor > 0
	if paid {
		cmds = append(cmds, m.sound(register.SoundPaid))
	}
	if !m.tabs.ended(t.tab) && paid {
		m.tellTabPaid(t.tab, t.number)
	}
	return tea.Batch(cmds...)
}

// tellTabPaid says over another screen that a tab is paid.
func (m *model) tellTabPaid(t register.Tab, number string) {
	text, role := m.w.Paper[register.LabelSale]+" "+number, widget.Good
	if t.Unsigned().Minor > 0 {
		text, role = text+"\n"+m.w.f(m.w.TabPart, m.w.moneyIn(t.Signed), m.w.moneyIn(t.Charged)), widget.Warn
	}
	m.open(&dialog{
		name: "tab-paid", role: role, title: m.w.f(m.w.TabPaid, m.w.moneyIn(t.Signed)), text: text, itself: true,
		keys: []key{{action: ActAcknowledge, keys: []string{"enter"}, do: func(m *model) tea.Cmd {
			m.close()
			return nil
		}}},
	})
}
