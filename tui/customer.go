package tui

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"till/protocol"
	"till/tui/register"
	"till/tui/widget"
)

// whyNoCustomer: the practice customer pays what the screen asks for.
func (m *model) whyNoCustomer() string {
	if _, ok := m.billAsked(); ok || m.cardAsked() {
		return ""
	}
	if _, _, ok := m.asks(); !ok {
		return m.w.NothingAsked
	}
	return ""
}

// cardAsked tells whether the practice customer's card is waited for.
func (m *model) cardAsked() bool { return m.o.Swipe != nil && m.swipe.stop != nil }

// asks is the payment link on the screen.
func (m *model) asks() (link string, amount protocol.Sat, ok bool) {
	switch m.shown() {
	case onPay:
		t, offered := m.reg.Bitcoin()
		if !offered || m.reg.Phase != register.Waiting || m.reg.Sale.Due(t) == 0 {
			return "", 0, false
		}
		link, err := m.reg.Link(t.Address, m.reg.Sale.Due(t))
		return link, 0, err == nil
	case onAddress:
		return m.address.asks(m)
	}
	return "", 0, false
}

// customerPays lets the practice customer pay, or swipe a card.
func (m *model) customerPays() tea.Cmd {
	if m.kiosk != nil && m.dialog() == nil {
		return m.askCalm("customer", m.w.Practice, m.w.Keys[ActCustomer].Help, (*model).letCustomerPay)
	}
	return m.letCustomerPay()
}

func (m *model) letCustomerPay() tea.Cmd {
	if swipe := m.o.Swipe; m.cardAsked() {
		return func() tea.Msg {
			swipe()
			return nil
		}
	}
	m.say(widget.Text, m.w.CustomerPays)
	if t, ok := m.billAsked(); ok {
		return m.aside(tapTime, func(ctx context.Context) tea.Msg {
			return failed{"let the customer tap", m.o.Customer.Tap(ctx, t.Contract.URL, t.Amount)}
		})
	}
	link, amount, _ := m.asks()
	return m.aside(customerTime, func(ctx context.Context) tea.Msg {
		_, err := m.o.Customer.Pay(ctx, link, amount)
		return failed{"let the customer pay", err}
	})
}
