package tui

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"till/device"
	"till/protocol"
	"till/protocol/terminal"
	"till/tui/register"
	"till/tui/widget"
)

// scenes are each screen in each state.
var scenes = []struct {
	name string
	play func(*bench)
}{
	{"starting", func(b *bench) {
		b.reg = register.New()
		b.facts.health = terminal.Health{}
		b.facts.identity, b.facts.shift = terminal.Identity{}, 0
		b.send(ticked{})
	}},
	{"register-empty", func(b *bench) {}},
	{"register", func(b *bench) { b.rung().write("1230") }},
	{"register-search", func(b *bench) { b.rung().write("c") }},
	{"register-open-item", func(b *bench) { b.write("700").write("Candle") }},
	{"register-selected", func(b *bench) { b.rung().press("up", "up", "1", "0", "%", "ctrl+t") }},
	{"register-offline", func(b *bench) {
		h := b.facts.health
		h.Online, h.OfflineSince, h.Unsent = false, protocol.TimeOf(noon.Add(-27*time.Minute)), 4
		b.facts.health = h
		b.rung()
	}},
	{"register-why", func(b *bench) { b.press("enter") }},
	{"note", func(b *bench) { b.rung().press("ctrl+n").write("for Ida") }},
	{"pay-choose", func(b *bench) { b.rung().press("enter") }},
	{"pay-no-price", func(b *bench) {
		b.rung().press("enter").send(looked{health: b.facts.health, identity: b.facts.identity})
	}},
	{"pay-waiting", func(b *bench) { b.waiting() }},
	{"pay-underpaid", func(b *bench) {
		b.waiting().send(status("seen", "wait", 10000, "0.00011164 BTC are missing", protocol.FlagUnderpaid))
	}},
	{"pay-seen", func(b *bench) { b.waiting().send(status("seen", "wait", 21164, "seen, watched for 3 s")) }},
	{"pay-late", func(b *bench) {
		b.waiting().send(status("expired", "refuse", 0, "the time to pay is over")).press("enter").
			send(status("seen", "wait", 21164, "the money came after the time to pay", protocol.FlagLate))
	}},
	{"pay-offline", func(b *bench) {
		b.waiting()
		b.facts.health.Online, b.facts.health.OfflineSince = false, protocol.TimeOf(noon.Add(-27*time.Minute))
		b.send(ticked{})
	}},
	{"pay-alone", func(b *bench) { b.waiting().press("ctrl+g") }},
	{"pay-cancel", func(b *bench) { b.waiting().press("esc", "esc") }},
	{"cash", func(b *bench) { b.rung().press("enter", "3").write("2000") }},
	{"paid", func(b *bench) {
		b.waiting().send(status("accepted", "accept", 21164, "seen, no conflict, under the 50 EUR limit: the goods may go"))
	}},
	{"paid-change", func(b *bench) {
		b.rung().press("enter", "3").write("2000").press("enter").recorded()
	}},
	{"not-paid", func(b *bench) {
		b.waiting().send(status("expired", "refuse", 0, "the time to pay is over and nothing has come"))
	}},
	{"address", func(b *bench) {
		b.write("500").press("ctrl+a").send(leased{1, protocol.Lease{Address: address}})
	}},
	{"address-money", func(b *bench) {
		b.press("ctrl+a").send(leased{1, protocol.Lease{Address: address}})
		b.address.arrived(protocol.Incoming{Address: address, AmountSat: 8603, TxID: aTxid})
		b.send(ticked{})
	}},
	{"sales", func(b *bench) { b.press("f3").send(salesRead{1, past()}).press("down") }},
	{"sale-detail", func(b *bench) { b.press("f3").send(salesRead{1, past()}).press("enter") }},
	{"sale-replay", func(b *bench) {
		b.press("f3").send(salesRead{1, past()}).send(momentsOfASale(b.t)).press("enter", "enter", "enter")
	}},
	{"devices", func(b *bench) {
		b.press("f7").send(devicesRead{states: map[string]device.Status{"printer": {State: device.Faulted, Fault: device.PaperEnd, Model: "EPSON TM-T88V"}}, wait: 2})
	}},
	{"devices-paper", func(b *bench) {
		b.o.Paper, b.o.Devices = roll(""), map[string]Device{"scanner": readyPrinter{}, "display": readyPrinter{}}
		paper := register.Paper{Kind: register.PaperTest, Shop: shop().Shop, At: protocol.TimeOf(noon), Practice: true, Terminal: "counter 1"}
		b.press("f7").send(devicesRead{states: map[string]device.Status{
			"printer": {State: device.Ready, Model: "EPSON TM-T88V"}, "scanner": {State: device.Absent, Fault: device.Unplugged}, "display": {State: device.Ready, Unconfirmed: true},
		}, paper: lastLines(paper.Document(b.w.style(time.UTC)).Text(42), paperKept)})
	}},
	{"alerts", func(b *bench) {
		b.facts.recent = past()
		b.facts.alerts = []terminal.Alert{saleAlert(1, protocol.FlagReplaced, "the payment is gone: do not hand anything out")}
		b.press("f8")
	}},
	{"alert", func(b *bench) {
		b.facts.recent = past()
		b.rung()
		b.interrupt(saleAlert(1, protocol.FlagReplaced, "the payment is gone: do not hand anything out"))
		b.send(ticked{})
	}},
	{"tamper", func(b *bench) {
		h := b.facts.health
		h.Tampered, h.Online, h.OfflineSince = "gpiochip0-17", false, protocol.TimeOf(noon)
		b.rung().send(looked{health: h, identity: b.facts.identity, quote: b.reg.Quote})
	}},
	{"help", func(b *bench) { b.rung().press("f1") }},
	{"about", func(b *bench) { b.press("f1", "ctrl+b") }},
	{"settings", func(b *bench) { b.press("f11", "down", "down", "down") }},
	{"settings-manager", func(b *bench) {
		b.reg.User = shop().Users[1]
		b.press("f11", "enter", "down", "down", "enter")
	}},
	{"quit", func(b *bench) { b.waiting().press("f10") }},
	{"wide", func(b *bench) { b.send(recent{newest: past()}).rung() }},
}

var sizes = []widget.Area{{W: 80, H: 24}, {W: 40, H: 20}, {W: 200, H: 60}}

// TestScreens draws every scene in every language at three sizes: a file a scene
// and language, without the blanks at the ends of lines. Look at what changes.
func TestScreens(t *testing.T) {
	for _, w := range languages {
		for _, s := range scenes {
			t.Run(w.Language+"/"+s.name, func(t *testing.T) {
				var out strings.Builder
				for _, a := range sizes {
					b := counter(t, a.W, a.H, func(o *Options) { o.Locale = w.Language })
					s.play(b)
					if size := b.model.frame.Size(); size != a {
						t.Errorf("the frame is %v", size)
					}
					fmt.Fprintf(&out, "== %dx%d\n%s\n", a.W, a.H, trimmed(b.plain()))
				}
				golden(t, w.Language+"/"+s.name, out.String())
			})
		}
	}
}

// trimmed is a text without the blanks at the ends of its lines.
func trimmed(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// TestScreensOnTheConsole: as bytes, in 16 colours, with a font that has no half
// blocks.
func TestScreensOnTheConsole(t *testing.T) {
	theme, err := widget.NewTheme("dark", widget.Terminal{Profile: widget.Color16, Glyphs: widget.Console})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range scenes {
		t.Run(s.name, func(t *testing.T) {
			b := counter(t, 80, 24)
			b.theme, b.console = theme, true
			s.play(b)
			b.send(ticked{})
			golden(t, "linux/"+s.name, b.View().Content)
		})
	}
}

func TestReceiptsInEveryLanguage(t *testing.T) {
	for _, w := range languages {
		b := counter(t, 80, 24, func(o *Options) { o.Locale = w.Language })
		b.waiting().send(status("accepted", "accept", 21164, "seen: the goods may go"))
		paper := b.reg.Receipt(*b.reg.Sale, "Anna", eur(0))
		paper.At, paper.Practice, paper.Terminal = protocol.TimeOf(noon), true, "counter 1"
		golden(t, w.Language+"/paper-receipt", paper.Document(b.w.style(time.UTC)).Copy(2).Text(42))
		request := register.Paper{Kind: register.PaperRequest, Shop: shop().Shop, At: protocol.TimeOf(noon), Address: address, Amount: eur(1230), AmountSat: 21164, Link: "BITCOIN:X"}
		golden(t, w.Language+"/paper-request", request.Document(b.w.style(time.UTC)).Text(42))
	}
}

// TestAnySizeIsSurvived: no size and no screen makes a frame of another size.
func TestAnySizeIsSurvived(t *testing.T) {
	for _, s := range scenes {
		for _, a := range []widget.Area{{W: 1, H: 1}, {W: 2, H: 40}, {W: 39, H: 19}, {W: 41, H: 21}, {W: 79, H: 23}, {W: 81, H: 100}, {W: 300, H: 20}} {
			b := counter(t, a.W, a.H)
			s.play(b)
			if size := b.model.frame.Size(); size != a {
				t.Errorf("%s at %v is %v", s.name, a, size)
			}
		}
	}
}

func TestThePaidWordIsText(t *testing.T) {
	b := counter(t, 80, 24)
	b.waiting().send(status("accepted", "accept", 21164, "the goods may go"))
	if !strings.Contains(b.plain(), "PAID  12.30 EUR") {
		t.Error("PAID is only a picture")
	}
}

// TestNoGoldenIsLeftOver: a file that no scene writes says nothing.
func TestNoGoldenIsLeftOver(t *testing.T) {
	names := map[string]bool{"paper-receipt.golden": true, "paper-request.golden": true}
	for _, s := range scenes {
		names[s.name+".golden"] = true
	}
	for _, dir := range append(Languages(), "linux") {
		files, err := os.ReadDir(filepath.Join("testdata", dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if !names[f.Name()] {
				t.Errorf("testdata/%s/%s is no scene's", dir, f.Name())
			}
		}
	}
}
