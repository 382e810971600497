package tui

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"till/protocol"
	"till/protocol/terminal"
	"till/tui/register"
	"till/tui/widget"
)

// toRefund reads what was given back of the chosen sale and shows the screen.
func (m *model) toRefund() tea.Cmd {
	s, ok := m.sales.chosen()
	if !ok {
		return nil
	}
	return m.aside(readTime, func(ctx context.Context) tea.Msg {
		r, err := readRefund(ctx, m.o.Terminal, s)
		if err != nil {
			return failed{"read sale", err}
		}
		return r
	})
}

// readRefund reads what can still be given back: refunds whose coins certainly
// never left do not count.
func readRefund(ctx context.Context, t Terminal, s terminal.Sale) (refundRead, error) {
	sale, err := saleOf(ctx, t, s)
	if err != nil {
		return refundRead{}, err
	}
	const most = 1000
	payouts, err := t.Payouts(ctx, most)
	if err != nil {
		return refundRead{}, err
	}
	void := map[protocol.PayoutID]bool{}
	for _, p := range payouts {
		void[p.ID] = p.State == protocol.PayoutRefused || p.State == protocol.PayoutNever
	}
	var earlier []protocol.Refund
	for _, r := range s.Refunds {
		if !void[r.Dispense] {
			earlier = append(earlier, r)
		}
	}
	refund, why := register.RefundOf(sale, earlier)
	return refundRead{refund, why}, nil
}

// refundRead is what can be given back of a sale.
type refundRead struct {
	refund register.Refund
	why    register.Why
}

func (r refundRead) apply(m *model) tea.Cmd {
	if r.why != "" {
		m.say(widget.Warn, m.w.Why[r.why])
		return nil
	}
	cmd := m.goTo(onSell)
	m.sell.flow, m.sell.typed = m.reg.GiveBack(r.refund), ""
	return tea.Batch(cmd, m.refresh())
}

func (m *model) whyNoRefund() string {
	switch _, ok := m.sales.chosen(); {
	case !ok:
		return m.w.NoSales
	case m.sell.flow.Busy():
		return m.w.why(register.Said{Why: register.WhyWorking})
	}
	return ""
}
