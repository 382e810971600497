package tui

import (
	"slices"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"till/device"
	"till/protocol"
	"till/protocol/terminal"
	"till/tui/register"
)

// unattended is a kiosk that has all it needs.
func unattended(t testing.TB, w, h int, change ...func(*Options)) *bench {
	t.Helper()
	return counter(t, w, h, change...).unattend()
}

func (b *bench) unattend() *bench {
	b.becomeKiosk(Kiosk{Idle: time.Minute, PIN: protocol.NewSecret("4711"), Offline: time.Minute, Needs: []string{"printer"}, Redeem: true})
	return b.send(ticked{})
}

// pass lets time pass without a hand, a second at a time.
func (b *bench) pass(d time.Duration) *bench {
	for range d / time.Second {
		b.wall, b.hand = b.wall.Add(time.Second), b.hand+time.Second
		b.send(ticked{})
	}
	return b
}

func init() {
	for _, s := range kioskScenes {
		scenes = append(scenes, struct {
			name string
			play func(*bench)
		}{"kiosk-" + s.name, func(b *bench) { s.play(b.unattend()) }})
	}
}

var kioskScenes = []struct {
	name string
	play func(*bench)
}{
	{"attract", func(b *bench) {}},
	{"goods", func(b *bench) { b.press("enter") }},
	{"goods-chosen", func(b *bench) {
		b.press("enter").touch("good:0").touch("good:1").touch("good:0").press("right", "right")
	}},
	{"goods-amount", func(b *bench) { b.press("enter").touch("good:0").write("1250") }},
	{"goods-search", func(b *bench) { b.press("enter").write("ca") }},
	{"over", func(b *bench) { b.press("enter").touch("good:0").press("esc") }},
	{"ways", func(b *bench) { b.press("enter").touch("good:0").press("enter") }},
	{"scan", func(b *bench) { b.toPay() }},
	{"seen", func(b *bench) { b.toPay().send(status("seen", "wait", 21164, "seen, watched for 3 s")) }},
	{"paid", func(b *bench) {
		b.toPay().send(status("accepted", "accept", 21164, "the goods may go")).pass(4 * time.Second)
	}},
	{"not-paid", func(b *bench) {
		b.toPay().send(status("expired", "refuse", 0, "the time to pay is over and nothing has come"))
	}},
	{"other-way", func(b *bench) { b.toPay().press("esc") }},
	{"part-paid", func(b *bench) {
		b.toPay().send(status("expired", "refuse", 9000, "0.00012164 BTC are missing", protocol.FlagUnderpaid))
	}},
	{"still-there", func(b *bench) { b.press("enter").touch("good:0").pass(53 * time.Second) }},
	{"out-printer", func(b *bench) { b.send(b.printer(device.Faulted, device.PaperEnd)) }},
	{"out-offline", func(b *bench) {
		h := b.facts.health
		h.Online, h.OfflineSince = false, protocol.TimeOf(b.wall.Add(-2*time.Minute))
		b.send(looked{health: h, quote: quote(), identity: b.facts.identity})
	}},
	{"opening", func(b *bench) {
		b.facts.health = terminal.Health{}
		b.reg.Quote = nil
		b.send(ticked{})
	}},
	{"pin", func(b *bench) { b.press("f10").write("47") }},
	{"service", func(b *bench) { b.press("f10").write("4711").press("enter", "down") }},
	{"service-out", func(b *bench) {
		b.send(b.printer(device.Faulted, device.PaperEnd)).press("f10").write("4711").press("enter")
	}},
}

func (b *bench) printer(s device.State, f device.Fault) devicesRead {
	return devicesRead{states: map[string]device.Status{"printer": {State: s, Fault: f, Model: "EPSON TM-T88V"}}}
}

// touch touches what has a name on the screen.
func (b *bench) touch(name string) *bench {
	b.t.Helper()
	for _, h := range b.model.frame.Hits {
		if h.Name == name {
			b.hand += 400 * time.Millisecond
			return b.send(tea.MouseClickMsg{X: h.X + h.W/2, Y: h.Y + h.H/2, Button: tea.MouseLeft})
		}
	}
	if b.size.W < leastWidth || b.size.H < leastHeight {
		return b // nothing can be touched
	}
	b.t.Fatalf("nothing on the screen is called %s:\n%s", name, b.plain())
	return b
}

// toPay is a kiosk that shows the code of a sale of 12.30.
func (b *bench) toPay() *bench {
	b.t.Helper()
	b.press("enter").write("1230").press("enter")
	if b.reg.Phase == register.Choosing {
		b.press("1")
	}
	return b.recorded()
}

// TestOnlyTheServiceMenuLeadsOut: no screen that a customer sees has a key that
// ends the program or shows the staff's screens.
func TestOnlyTheServiceMenuLeadsOut(t *testing.T) {
	b := unattended(t, 80, 24)
	staff := []Action{ActQuit, ActRestart, ActSales, ActDevices, ActAlerts, ActAbout, ActRefund, ActSell, ActUser, ActSignOut, ActCash}
	for name, rows := range b.table {
		for _, k := range rows {
			if name != onService && slices.Contains(staff, k.action) {
				t.Errorf("%s is on %s", k.action, name)
			}
		}
	}
}

// TestARealKioskOpensItsShift: nobody is there to do it.
func TestARealKioskOpensItsShift(t *testing.T) {
	b := unattended(t, 80, 24, func(o *Options) { o.Practice = false })
	b.people.begun = false
	if b.beginShop(shifted{}) == nil {
		t.Error("no shift is opened")
	}
}

// TestWrongPINsSlowDownAndLock, by the clock on the wall; the power switch does not
// help, since they are kept.
func TestWrongPINsSlowDownAndLock(t *testing.T) {
	now := protocol.TimeOf(noon)
	var s tries
	for i, wait := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, lockFor, lockFor} {
		if s = s.wrong(now); s.Free.Sub(now) != wait {
			t.Errorf("after %d wrong ones the next waits %v", i+1, s.Free.Sub(now))
		}
	}
}
