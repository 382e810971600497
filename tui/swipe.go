package tui

import (
	"context"
	"errors"
	"time"

	tea "charm.land/bubbletea/v2"

	"till/device"
	"till/protocol"
	"till/tui/register"
	"till/tui/widget"
)

const (
	swipeTime  = time.Minute     // for one swipe; the reader itself gives up sooner
	swipePause = 3 * time.Second // before a reader with a fault is asked again
)

// swipes is the wait for a card that a customer hands over.
type swipes struct {
	stop context.CancelFunc // ends it; nil: no card is waited for
	run  uint64             // numbers the waits, so that an old one does nothing
	free time.Duration      // when a reader with a fault is asked again, by the hand's clock
}

// takesCard tells whether what is on a card can be taken now: a key, or an
// address for coins that leave.
func (m *model) takesCard() bool {
	if m.o.Card == nil || m.dialog() != nil || m.o.Hand() < m.swipe.free || m.sell.flow.Phase == register.SellMaking {
		return false
	}
	switch m.shown() {
	case onKey:
		return m.key.flow.Phase == register.KeyGathering
	case onSell:
		p := m.sell.flow.Phase
		return p == register.SellChoosing || p == register.SellAddressing
	}
	return false
}

// awaitCard begins or ends the wait for a card, as the screen wants it.
func (m *model) awaitCard() tea.Cmd {
	s, want := &m.swipe, m.takesCard()
	switch {
	case want == (s.stop != nil):
		return nil
	case !want:
		s.stop()
		s.stop = nil
		return nil
	}
	ctx, cancel := m.within(swipeTime)
	s.run++
	s.stop = cancel
	run, card := s.run, m.o.Card
	return func() tea.Msg {
		defer cancel()
		stripe, err := card.Read(ctx)
		if err != nil {
			return swiped{run: run, err: err}
		}
		defer stripe.Wipe()
		text, err := stripe.Text(1)
		return swiped{run, protocol.NewSecret(text), err}
	}
}

// swiped is what is on the first track of a card (devices.md section 4).
type swiped struct {
	run  uint64
	text protocol.Secret
	err  error
}

func (s swiped) apply(m *model) tea.Cmd {
	if s.run != m.swipe.run || m.swipe.stop == nil {
		s.text.Wipe()
		return nil
	}
	m.swipe.stop()
	m.swipe.stop = nil
	if s.err != nil {
		return m.notSwiped(s.err)
	}
	if m.shown() == onSell {
		return m.payOut(register.Hand{Text: s.text})
	}
	return m.redeem(register.Hand{Text: s.text})
}

// notSwiped says what was wrong with the card. The next swipe is waited for at
// once, after a fault of the reader a little later.
func (m *model) notSwiped(err error) tea.Cmd {
	var fault *device.CardError
	if errors.As(err, &fault) {
		switch fault.Fault {
		case device.NoSwipe:
			return nil
		case device.BadSwipe, device.CardEmpty, device.CardUnreadable:
			m.say(widget.Warn, m.w.fault(fault.Fault))
			return nil
		}
	}
	m.o.Log.Warn("read card", "error", err)
	m.swipe.free = m.o.Hand() + swipePause
	return ripenAt(m.o.After(swipePause))
}
