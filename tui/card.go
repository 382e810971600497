package tui

import (
	"errors"
	"time"

	tea "charm.land/bubbletea/v2"

	"till/device"
	"till/protocol"
	"till/tui/register"
	"till/tui/widget"
)

// cardTime is how long the two swipes of a card are waited for; the reader itself
// gives up 30 seconds after it asked for one.
const cardTime = 90 * time.Second

// writeCard writes the key to a card. Only when it was read back, with another
// swipe, and holds the same do coins move.
func (m *model) writeCard(o protocol.Dispense, stripes device.Coercivity) tea.Cmd {
	wallet, card := m.sell.wallet, m.o.Card
	if wallet == nil || card == nil {
		return func() tea.Msg { return sellEvent{register.Made{ID: o.ID, Why: register.WhyNoWriter}} }
	}
	stripe, err := wallet.Card()
	if err != nil {
		return func() tea.Msg { return cardMade{o, stripes, err} }
	}
	ctx, cancel := m.within(cardTime)
	m.sell.stop, m.sell.again = cancel, false
	return func() tea.Msg {
		if err := card.Write(ctx, stripe, stripes); err != nil {
			cancel()
			stripe.Wipe()
			return cardMade{o, stripes, err}
		}
		return cardWritten{o, stripes, func() error {
			defer cancel()
			defer stripe.Wipe()
			back, err := card.Read(ctx)
			if err != nil {
				return err
			}
			defer back.Wipe()
			if !back.Holds(stripe) {
				return &device.CardError{Fault: device.CardDiffers}
			}
			return nil
		}}
	}
}

// cardWritten is a card that is to be swiped once more, to be checked.
type cardWritten struct {
	order   protocol.Dispense
	stripes device.Coercivity
	check   func() error
}

func (c cardWritten) apply(m *model) tea.Cmd {
	m.sell.again = true
	return func() tea.Msg { return cardMade{c.order, c.stripes, c.check()} }
}

// cardMade tells whether a card holds the key.
type cardMade struct {
	order   protocol.Dispense
	stripes device.Coercivity
	err     error
}

func (c cardMade) apply(m *model) tea.Cmd {
	if c.err == nil {
		m.sell.wallet.Wipe()
		m.sell.wallet = nil
		return m.payOut(register.Made{ID: c.order.ID})
	}
	m.o.Log.Warn("write card", "payout", c.order.ID, "error", c.err)
	unmade := register.Made{ID: c.order.ID, Why: register.WhyNotWrittenCard}
	var fault *device.CardError
	if !errors.As(c.err, &fault) {
		return m.payOut(unmade)
	}
	unmade.Detail = m.w.fault(fault.Fault)
	next, text := c.stripes, m.w.CardAgain
	switch fault.Fault {
	case device.CardNotWritten: // its stripe may be of the other kind (devices.md section 3)
		next = c.stripes.Other()
		text = m.w.f(m.w.CardOther, next.Name())
	case device.BadSwipe, device.NoSwipe, device.CardEmpty, device.CardUnreadable, device.CardDiffers:
	default: // the reader's own
		return m.payOut(unmade)
	}
	m.open(&dialog{name: "sell-card", role: widget.Warn, title: m.w.CardTitle, text: unmade.Detail + "\n" + text, itself: true, keys: []key{
		{action: ActConfirm, keys: []string{"y"}, do: closing(func(m *model) tea.Cmd { return m.writeCard(c.order, next) })},
		{action: ActBack, keys: []string{"esc", "n"}, do: closing(func(m *model) tea.Cmd { return m.payOut(unmade) })},
	}})
	return nil
}
