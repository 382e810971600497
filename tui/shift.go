package tui

import (
	"context"
	"errors"
	"strings"

	tea "charm.land/bubbletea/v2"

	"till/protocol"
	"till/protocol/terminal"
	"till/tui/register"
	"till/tui/widget"
)

// askAmount asks for an amount of the shop's currency. Nothing typed is none.
func (m *model) askAmount(name, title, text string, do func(*model, protocol.Money) tea.Cmd) tea.Cmd {
	f := &field{amount: &amountField{currency: m.reg.Currency(), say: func(a protocol.Money) string { return m.w.moneyIn(a) }}}
	m.open(&dialog{name: name, role: widget.Strong, title: title, text: text, field: f, keys: []key{
		{action: ActConfirm, keys: []string{"enter"}, do: func(m *model) tea.Cmd {
			m.close()
			return do(m, f.amount.money())
		}},
		no(),
	}})
	return nil
}

// askWhy asks why; there has to be a reason.
func (m *model) askWhy(name, title, text string, do func(*model, string) tea.Cmd) tea.Cmd {
	f := &field{}
	m.open(&dialog{name: name, role: widget.Strong, title: title, text: text, field: f, keys: []key{
		{action: ActConfirm, keys: []string{"enter"}, whyNot: func(m *model) string {
			if strings.TrimSpace(f.text) == "" {
				return m.w.Staff.ReasonFirst
			}
			return ""
		}, do: func(m *model) tea.Cmd {
			m.close()
			return do(m, strings.TrimSpace(f.text))
		}},
		no(),
	}})
	return nil
}

// askFloat opens a shift with what is counted in the drawer.
func (m *model) askFloat() tea.Cmd {
	return m.askAmount("float", m.w.Staff.OpenTitle, m.w.Staff.OpenText, func(m *model, float protocol.Money) tea.Cmd {
		user := m.reg.User.ID
		return m.queue(writeTime, func(ctx context.Context) tea.Msg {
			s, err := openShift(ctx, m.o.Terminal, user, float)
			if err != nil {
				return failed{"open shift", err}
			}
			return s
		})
	})
}

// openShift opens a shift, if none is open.
func openShift(ctx context.Context, t Terminal, user string, float protocol.Money, more ...terminal.Step) (shifted, error) {
	s, err := readShift(ctx, t)
	if err != nil {
		return s, err
	}
	if s.id == "" {
		id, err := t.NewID()
		if err != nil {
			return s, err
		}
		more = append(more, terminal.Record(protocol.EntryShiftOpened, protocol.ShiftOpened{Shift: protocol.ShiftID(id), User: user, Float: float}))
	}
	if len(more) == 0 {
		return s, nil
	}
	if _, err := t.Commit(ctx, more...); err != nil {
		return s, err
	}
	return readShift(ctx, t)
}

// beginShop is done once, when the configuration is here. Practice begins with its
// cashier and an open shift (cli.md); at a real counter people do that, and a kiosk,
// which nobody attends, opens its own.
func (m *model) beginShop(s shifted) tea.Cmd {
	if m.people.begun || m.reg.Currency() == "" {
		return nil
	}
	alone := m.o.Practice || m.kiosk != nil
	m.people.begun = !alone || s.id != ""
	if !alone {
		return nil
	}
	zero, user := protocol.Money{Currency: m.reg.Currency()}, m.reg.User.ID
	return m.aside(writeTime, func(ctx context.Context) tea.Msg {
		var steps []terminal.Step
		last, err := m.o.Terminal.Draft(ctx, draftUser)
		if err == nil && user != "" && string(last) != user {
			steps = signedInSteps(user)
		}
		if err == nil {
			s, err = openShift(ctx, m.o.Terminal, user, zero, steps...)
		}
		if err != nil {
			return failed{"open shift", err}
		}
		return began{s}
	})
}

// began is the first shift of practice.
type began struct{ shifted }

func (b began) apply(m *model) tea.Cmd {
	m.people.begun = true
	return m.took(b.shifted)
}

// askCash asks how much cash goes in (1) or out (-1) beside sales, and why.
func (m *model) askCash(title string, sign int64) tea.Cmd {
	return m.askAmount("cash", title, "", func(m *model, amount protocol.Money) tea.Cmd {
		if amount.Minor == 0 {
			m.say(widget.Warn, m.w.Why[register.WhyNothingTyped])
			return nil
		}
		return m.askWhy("cash-reason", title, m.w.moneyIn(amount)+"\n"+m.w.Staff.Reason, func(m *model, reason string) tea.Cmd {
			amount.Minor *= sign
			return m.moveCash(protocol.DrawerOpened{Reason: reason, User: m.reg.User.ID, Amount: &amount})
		})
	})
}

// askNoSale opens the drawer for a reason.
func (m *model) askNoSale() tea.Cmd {
	return m.askWhy("no-sale", m.w.Staff.NoSaleTitle, m.w.Staff.Reason, func(m *model, reason string) tea.Cmd {
		return m.moveCash(protocol.DrawerOpened{Reason: reason, User: m.reg.User.ID})
	})
}

// moveCash journals what happens with the drawer, then opens it.
func (m *model) moveCash(body protocol.DrawerOpened) tea.Cmd {
	drawer := m.o.Drawer
	return m.queue(writeTime+drawerTime, func(ctx context.Context) tea.Msg {
		if _, err := m.o.Terminal.Commit(ctx, terminal.Record(protocol.EntryDrawerOpened, body)); err != nil {
			return failed{"journal drawer", err}
		}
		if drawer != nil {
			if err := drawer.Open(ctx); err != nil {
				return failed{"open drawer", err}
			}
		}
		return cashMoved{body}
	})
}

// cashMoved tells that it stands in the journal.
type cashMoved struct{ body protocol.DrawerOpened }

func (c cashMoved) apply(m *model) tea.Cmd {
	if a := c.body.Amount; a != nil {
		m.say(widget.Good, m.w.f(m.w.Staff.CashMoved, m.w.moneyIn(*a), c.body.Reason))
		return nil
	}
	m.say(widget.Good, m.w.f(m.w.Staff.DrawerOpened, c.body.Reason))
	return nil
}

// readX shows the reading since the last Z report.
func (m *model) readX() tea.Cmd {
	return m.aside(readTime, func(ctx context.Context) tea.Msg {
		r, err := m.o.Terminal.Reading(ctx)
		if err != nil {
			return failed{"read X report", err}
		}
		return reportRead{r}
	})
}

// reportRead is a report to look at.
type reportRead struct{ report protocol.Report }

func (r reportRead) apply(m *model) tea.Cmd {
	if m.screen == onShift {
		m.shift = shiftScreen{report: &r.report}
	}
	return nil
}

// askClose warns of what is not settled, then asks for a blind count: what should
// lie there is not shown before.
func (m *model) askClose() tea.Cmd {
	m.shift = shiftScreen{}
	if warnings := m.warnings(); len(warnings) > 0 {
		return m.ask("close-warning", m.w.Staff.CloseTitle, strings.Join(warnings, "\n")+"\n"+m.w.Staff.CloseAnyway, widget.Warn, (*model).askCount)
	}
	return m.askCount()
}

func (m *model) askCount() tea.Cmd {
	return m.askAmount("count", m.w.Staff.CountTitle, m.w.Staff.CountText, func(m *model, counted protocol.Money) tea.Cmd { return m.compare(counted) })
}

// compare reads what should lie in the drawer, beside what was counted.
func (m *model) compare(counted protocol.Money) tea.Cmd {
	return m.aside(readTime, func(ctx context.Context) tea.Msg {
		r, err := m.o.Terminal.Reading(ctx)
		if err != nil {
			return failed{"read X report", err}
		}
		return compared{r, counted}
	})
}

// compared is a count beside what was expected.
type compared struct {
	report  protocol.Report
	counted protocol.Money
}

func (c compared) apply(m *model) tea.Cmd {
	expected := c.report.Drawer.Expected
	variance := protocol.Money{Currency: expected.Currency, Minor: c.counted.Minor - expected.Minor}
	text := m.w.f(m.w.Staff.CloseSums, m.w.moneyIn(c.counted), m.w.moneyIn(expected), m.w.moneyIn(variance))
	if variance.Minor == 0 {
		return m.ask("close", m.w.Staff.CloseTitle, text, widget.Strong, func(m *model) tea.Cmd { return m.closeShift(c, "") })
	}
	return m.askWhy("close", m.w.Staff.CloseTitle, text+"\n"+m.w.Staff.CloseReason, func(m *model, reason string) tea.Cmd { return m.closeShift(c, reason) })
}

// closeShift writes the Z report and queues its paper, in one.
func (m *model) closeShift(c compared, reason string) tea.Cmd {
	t := m.o.Terminal
	closing := &protocol.ShiftClosed{Shift: m.reg.Shift, User: m.reg.User.ID, Counted: c.counted, Expected: c.report.Drawer.Expected, Reason: reason}
	return m.queue(writeTime, func(ctx context.Context) tea.Msg {
		_, err := t.Commit(ctx, t.CloseShift(closing))
		switch {
		case errors.Is(err, terminal.ErrMoved):
			return moneyMoved{c.counted}
		case err != nil:
			return failed{"close shift", err}
		}
		r, err := t.ZReport(ctx, closing.ZNumber)
		if err != nil {
			return failed{"read Z report", err}
		}
		return shiftEnded{r}
	})
}

// moneyMoved: a sale was paid while the count was looked at.
type moneyMoved struct{ counted protocol.Money }

func (c moneyMoved) apply(m *model) tea.Cmd {
	m.say(widget.Warn, m.w.Staff.Moved)
	return m.compare(c.counted)
}

// shiftEnded is the Z report of a shift that was closed.
type shiftEnded struct{ report protocol.Report }

func (s shiftEnded) apply(m *model) tea.Cmd {
	cmd := m.took(shifted{})
	if m.screen == onShift {
		m.shift = shiftScreen{report: &s.report}
	}
	paper := m.queuePaper(m.reportPaper(s.report), "")
	return tea.Batch(cmd, paper, m.askForNews())
}
