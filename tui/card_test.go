package tui

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"till/device"
	"till/device/msr605"
	"till/device/sim"
	"till/protocol"
	"till/tui/register"
)

// cardReader is a simulated reader with its real driver.
func cardReader(t *testing.T) (*sim.CardReader, *msr605.Reader) {
	t.Helper()
	reader, err := sim.NewCardReader("", nil)
	if err != nil {
		t.Fatal(err)
	}
	driver := msr605.New(reader.Dial, func(device.Status) {})
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { driver.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait(); reader.Close() })
	return reader, driver
}

// TestACardIsWrittenAndReadBackBeforeCoinsMove: through the real driver, with the
// bits of a stripe. A card that is not swiped well pays nothing.
func TestACardIsWrittenAndReadBackBeforeCoinsMove(t *testing.T) {
	for _, c := range []struct {
		name   string
		swipes []sim.Swipe
		paid   bool
	}{
		{"written and checked", []sim.Swipe{sim.GoodSwipe, sim.GoodSwipe}, true},
		{"swiped badly the second time", []sim.Swipe{sim.GoodSwipe, sim.BadSwipe}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			reader, driver := cardReader(t)
			go func() {
				for _, how := range c.swipes {
					if reader.AwaitWaiting(t.Context()) {
						reader.Swipe(how)
					}
				}
			}()
			term := openTerminal(t, filepath.Join(t.TempDir(), "terminal.db"))
			b := real(t, term)
			b.o.Card, b.o.Stripes = driver, device.HiCo
			b.priced().press("2")
			b.until("the key is made", func() bool { return b.sell.flow.Phase == register.SellReviewing })
			b.send(sellEvent{register.Approved{Approval: register.Approval{User: shop().Users[1], Code: protocol.NewSecret("755224")}}})
			b.hand += lookFirst
			b.press("y")
			if !c.paid {
				b.until("another try is offered", func() bool { return b.dialog() != nil })
				if b.dialog().name != "sell-card" || b.sell.wallet == nil {
					t.Errorf("the dialog is %q", b.dialog().name)
				}
				b.hand += stillMost
				b.press("esc")
			}
			b.until("the card is made or not", func() bool {
				return b.sell.flow.Phase != register.SellMaking && b.sell.flow.Phase != register.SellPaying
			})
			// There is no server: what was made is asked for, and refused.
			if paid := b.sell.flow.Phase == register.SellDone; paid != c.paid || !paid && b.sell.flow.Note.Why != register.WhyNotWrittenCard {
				t.Errorf("phase %d, %+v", b.sell.flow.Phase, b.sell.flow.Note)
			}
			if c.paid && b.sell.wallet != nil {
				t.Error("the key is kept although the card holds it")
			}
		})
	}
}

// aKeyCard is the first track of a card with a compressed key of regtest.
const aKeyCard = "%XGBGFSN6E9RYGWFF0J7S185DVFK813YP2H3220858F7S8RAJ3GZFSQ6ARVPP0?"

func TestACardIsWaitedForWhereItsKeyCanBeTaken(t *testing.T) {
	reader, driver := cardReader(t)
	b := real(t, openTerminal(t, filepath.Join(t.TempDir(), "terminal.db")))
	b.o.Card = driver
	if err := reader.Insert(true, aKeyCard); err != nil {
		t.Fatal(err)
	}
	b.press("f5")
	if b.swipe.stop == nil {
		t.Fatal("the key screen waits for no card")
	}
	waits := func() {
		t.Helper()
		b.until("it is asked", func() bool { return true })
		ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
		defer stop()
		if !reader.AwaitWaiting(ctx) {
			t.Fatal("the reader waits for no card")
		}
	}
	waits()
	b.press("f7")
	b.until("the reader rests while another screen is shown", func() bool { return b.swipe.stop == nil && !reader.Waiting() })
	b.press("f5")
	waits()
	reader.Swipe(sim.GoodSwipe)
	b.until("the key is taken", func() bool { return len(b.key.flow.Keys) == 1 })
	if k := b.key.flow.Keys[0]; k.What != register.KindWIF || k.Addresses[0] != "mwWwgctbM5MJ2T1FGmG1yoXxSado67c1zW" {
		t.Errorf("the card held a %v of %v", k.What, k.Addresses)
	}
}

// TestACardThatCameTooLateIsNotTaken: what was read for a screen that is gone.
func TestACardThatCameTooLateIsNotTaken(t *testing.T) {
	_, driver := cardReader(t)
	b := real(t, openTerminal(t, filepath.Join(t.TempDir(), "terminal.db")))
	b.o.Card = driver
	b.press("f5")
	old, text := b.swipe.run, protocol.NewSecret(aKeyCard)
	b.press("f2").press("f5")
	b.send(swiped{run: old, text: text})
	if b.key.flow.Phase != register.KeyGathering || text.Reveal() == aKeyCard {
		t.Error("an old swipe is taken, or kept")
	}
}

func TestAReaderWithAFaultIsAskedAgainLater(t *testing.T) {
	_, driver := cardReader(t)
	b := real(t, openTerminal(t, filepath.Join(t.TempDir(), "terminal.db")))
	b.o.Card = driver
	b.press("f5")
	b.send(swiped{run: b.swipe.run, err: &device.CardError{Fault: device.Unplugged}})
	if b.swipe.stop != nil {
		t.Error("a reader that is away is asked again at once")
	}
	b.hand += swipePause
	if b.send(ripe{}); b.swipe.stop == nil {
		t.Error("it is never asked again")
	}
}
