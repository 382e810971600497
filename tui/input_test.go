package tui

import (
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"till/protocol"
	"till/tui/register"
)

// wedge types a text as a scanner does.
func (b *bench) wedge(text string) *bench {
	b.hand += time.Second
	for _, r := range text {
		b.hand += 4 * time.Millisecond
		if r == '\r' {
			b.send(named["enter"])
			continue
		}
		b.send(keyPress(string(r)))
	}
	return b
}

func TestAScannerTypesNoKeys(t *testing.T) {
	b := counter(t, 80, 24).write("12")
	b.wedge("9001234567890\r")
	if lines := b.reg.Cart.Lines; len(lines) != 1 || lines[0].Name != "Café crème" || b.reg.Phase != register.Ringing {
		t.Fatalf("cart %+v, phase %d", lines, b.reg.Phase)
	}
	b = counter(t, 80, 24).rung()
	before := b.reg
	b.wedge("%50+*=?12345\r")
	if len(b.reg.Cart.Lines) != len(before.Cart.Lines) || b.reg.Total() != before.Total() || !b.reg.Entry.Empty() || b.screen != onRegister {
		t.Fatalf("a scan acted: %+v", b.reg)
	}
	if b.notice.text == "" {
		t.Error("an unknown code is not said")
	}
}

func TestAScanWithoutEnterEndsInSilence(t *testing.T) {
	b := counter(t, 80, 24).wedge("9001234567890")
	b.send(still{b.model.hand.run, b.hand + 2*scanGap})
	if len(b.reg.Cart.Lines) != 1 || !b.reg.Entry.Empty() {
		t.Fatalf("cart %+v, entry %+v", b.reg.Cart, b.reg.Entry)
	}
}

func TestAScanChoosesNoTender(t *testing.T) {
	b := counter(t, 80, 24).rung().press("enter").wedge("1113111\r")
	if b.reg.Phase != register.Choosing {
		t.Fatalf("a scanned digit chose a tender: phase %d", b.reg.Phase)
	}
	b.press("1")
	if b.reg.Phase != register.Asking {
		t.Fatal("a pressed digit did not")
	}
}

func TestAScanIntoAFieldIsTypedOnce(t *testing.T) {
	b := counter(t, 80, 24).rung().press("ctrl+n").wedge("Table 4711\r")
	if d := b.dialog(); d == nil || d.field.text != "Table 4711" {
		t.Fatalf("the note is %+v", d)
	}
}

func TestWhatIsLearntDuringAScanStays(t *testing.T) {
	b := counter(t, 80, 24).wedge("900123")
	b.send(looked{health: b.facts.health, identity: b.facts.identity})
	for _, r := range "4567890" {
		b.hand += 4 * time.Millisecond
		b.send(keyPress(string(r)))
	}
	b.send(named["enter"])
	if b.reg.Quote != nil || len(b.reg.Cart.Lines) != 1 {
		t.Fatalf("quote %v, cart %+v", b.reg.Quote, b.reg.Cart)
	}
}

func TestPastedTextIsAScan(t *testing.T) {
	b := counter(t, 80, 24)
	b.send(tea.PasteMsg{Content: "9001234567890\n"})
	if len(b.reg.Cart.Lines) != 1 {
		t.Fatal("a pasted code is no item")
	}
	b.send(tea.PasteMsg{Content: "\x1b[21~"})
	if b.dialog() != nil || b.notice.text == "" {
		t.Fatal("pasted controls did something")
	}
}

func TestADialogThatOpensByItselfWaitsForTheHand(t *testing.T) {
	b := counter(t, 80, 24).rung()
	b.send(keyPress("1"))
	b.interrupt(saleAlert(1, protocol.FlagReplaced, "gone"))
	for range 5 {
		b.hand += 200 * time.Millisecond
		b.send(named["enter"])
	}
	if b.dialog() == nil {
		t.Fatal("a hand that was typing acknowledged the alert")
	}
	b.hand += stillFor
	b.send(named["enter"])
	if b.dialog() != nil {
		t.Fatal("a still hand cannot acknowledge it")
	}
}

func TestAtMostTwoSeconds(t *testing.T) {
	b := counter(t, 80, 24)
	b.interrupt(saleAlert(1, protocol.FlagReplaced, "gone"))
	start := b.hand
	for b.dialog() != nil && b.hand-start < 4*time.Second {
		b.hand += 100 * time.Millisecond
		b.send(named["enter"])
	}
	if took := b.hand - start; took < stillMost || took > stillMost+200*time.Millisecond {
		t.Errorf("it took %v", took)
	}
}

func TestAlertsAreReadOneAfterAnother(t *testing.T) {
	b := counter(t, 80, 24)
	b.interrupt(saleAlert(1, protocol.FlagReplaced, "first"))
	b.interrupt(saleAlert(2, protocol.FlagConflict, "second"))
	b.interrupt(saleAlert(1, protocol.FlagReplaced, "first"))
	if len(b.dialogs) != 2 || b.dialog().alert != 1 {
		t.Fatalf("%d dialogs, %d on top", len(b.dialogs), b.dialog().alert)
	}
	b.press("enter")
	if b.dialog() == nil || b.dialog().alert != 2 {
		t.Fatal("the second alert was lost")
	}
}

func TestCtrlCTwiceLeaves(t *testing.T) {
	b := counter(t, 80, 24).waiting()
	b.press("ctrl+c")
	if b.notice.text == "" || b.reg.Sale == nil {
		t.Fatal("one Ctrl-C does not warn")
	}
	b.hand += 3 * time.Second
	before := len(b.cmds)
	b.send(keyPress("ctrl+c"))
	if b.cmds[before] != nil && b.lastQuit != b.hand {
		t.Fatal("the second came too late and left")
	}
	b.hand += time.Second
	b.send(keyPress("ctrl+c"))
	if b.cmds[len(b.cmds)-1] == nil {
		t.Fatal("the second within two seconds does not leave")
	}
}

func TestClicksAreKeys(t *testing.T) {
	b := counter(t, 80, 24)
	for _, name := range []string{"type:7", "type:00", "do:add"} {
		x, y := -1, -1
		for _, h := range b.model.frame.Hits {
			if h.Name == name {
				x, y = h.X, h.Y
			}
		}
		if x < 0 {
			t.Fatalf("%s is not on the screen", name)
		}
		b.send(tea.MouseClickMsg{X: x, Y: y, Button: tea.MouseLeft})
	}
	if b.reg.Total().Minor != 700 {
		t.Fatalf("total is %v", b.reg.Total())
	}
}

func TestALateReadingSaysNothing(t *testing.T) {
	b := counter(t, 80, 24).press("f3")
	b.write("tea").send(salesRead{1, past()})
	if len(b.sales.rows) == len(past()) && b.sales.ticket != 1 {
		t.Fatal("the answer to an older search was shown")
	}
	b.press("esc", "esc", "ctrl+a", "ctrl+a").send(leased{1, protocol.Lease{Address: address}})
	if b.address.lease.Address != "" {
		t.Fatal("the answer to an older wish was shown")
	}
}
