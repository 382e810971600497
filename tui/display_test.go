package tui

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	tea "charm.land/bubbletea/v2"

	"till/device"
	"till/protocol"
)

// line is a line of the display: what stands after a tab is flush right.
func line(text string) string {
	left, right, _ := strings.Cut(text, "\t")
	return fmt.Sprintf("%-*s%s", 20-len(right), left, right)
}

// roll is paper that is never printed on.
type roll string

func (r roll) Text() string { return string(r) }

// facing notes what the customer is shown.
type facing struct{ shown []string }

func (f *facing) Show(upper, lower string) {
	f.shown = append(f.shown, line(upper)+"|"+line(lower))
}

func TestTheCustomerSeesHowTheSaleStands(t *testing.T) {
	for _, c := range []struct {
		name string
		play func(*bench)
		want string
	}{
		{"idle", func(b *bench) { b.press("f3") }, "Café Central        |PRACTICE            "},
		{"a line", func(b *bench) { b.rung() }, "Open item       2.50|TOTAL      12.30 EUR"},
		{"the chosen line", func(b *bench) { b.rung().press("up", "up", "up") }, "2 Espresso      5.00|TOTAL      12.30 EUR"},
		{"another screen", func(b *bench) { b.rung().press("f3") }, "Open item       2.50|TOTAL      12.30 EUR"},
		{"choosing", func(b *bench) { b.rung().press("enter") }, "TOTAL      12.30 EUR|                    "},
		{"counting", func(b *bench) { b.rung().press("enter", "3").write("2000") }, "TOTAL      12.30 EUR|                    "},
		{"scan", func(b *bench) { b.waiting() }, "12.30 EUR           |Scan to pay         "},
		{"part of it", func(b *bench) {
			b.waiting().send(status("seen", "wait", 10000, "0.00011164 BTC are missing", protocol.FlagUnderpaid))
		}, "still due 0.00011164|Scan to pay         "},
		{"all of it, not yet safe", func(b *bench) { b.waiting().send(status("seen", "wait", 21164, "seen")) }, "12.30 EUR           |received            "},
		{"paid", func(b *bench) { b.waiting().send(status("accepted", "accept", 21164, "the goods may go")) }, "PAID       12.30 EUR|                    "},
		{"change", func(b *bench) { b.rung().press("enter", "3").write("2000").press("enter").recorded() }, "PAID       12.30 EUR|change      7.70 EUR"},
		{"not paid", func(b *bench) { b.waiting().send(status("expired", "refuse", 0, "nothing has come")) }, "NOT PAID            |                    "},
		{"address", func(b *bench) { b.press("ctrl+a").send(leased{1, protocol.Lease{Address: address}}) }, "Café Central        |Scan to pay         "},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &facing{}
			b := counter(t, 80, 24, func(o *Options) { o.Display = f })
			c.play(b)
			if got := f.shown[len(f.shown)-1]; got != c.want {
				t.Errorf("the customer sees %q, want %q", got, c.want)
			}
		})
	}
}

// changing is a device that is unplugged and plugged in.
type changing struct{ now atomic.Value }

func (c *changing) is(s device.Status)    { c.now.Store(s) }
func (c *changing) Status() device.Status { return c.now.Load().(device.Status) }
func (c *changing) Reopen()               {}

// TestAPulledPlugShowsByItself: the screen follows the signal, no key is needed.
func TestAPulledPlugShowsByItself(t *testing.T) {
	changed := make(chan struct{}, 1)
	scanner := &changing{}
	scanner.is(device.Status{State: device.Ready})
	b := counter(t, 80, 24, func(o *Options) {
		o.Spool, o.Devices, o.Changed = nil, map[string]Device{"scanner": scanner}, changed
	})
	b.cmds, b.answers = nil, make(chan tea.Msg, 100)
	b.press("f7")
	b.devices.last = nil
	b.cmds = []tea.Cmd{b.listenToDevices()}
	b.until("the first state", func() bool { return strings.Contains(b.plain(), "ready") })
	scanner.is(device.Status{State: device.Absent, Fault: device.Unplugged})
	changed <- struct{}{}
	b.until("the pulled plug", func() bool { return strings.Contains(b.plain(), "○ absent") })
	scanner.is(device.Status{State: device.Ready})
	changed <- struct{}{}
	b.until("the plug again", func() bool { return !strings.Contains(b.plain(), "○ absent") })
}

// TestThePaperScrolls back to its beginning and stays there while more is printed.
func TestThePaperScrolls(t *testing.T) {
	b := counter(t, 80, 24, func(o *Options) { o.Paper = roll("") })
	lines := func(n int) (out []string) {
		for i := range n {
			out = append(out, fmt.Sprintf("line %d.", i))
		}
		return out
	}
	b.press("f7").send(devicesRead{paper: lines(100)})
	if !strings.Contains(b.plain(), "line 99.") || strings.Contains(b.plain(), "line 0.") {
		t.Errorf("not the end of the paper:\n%s", b.plain())
	}
	b.press("home")
	if !strings.Contains(b.plain(), "line 0.") || !strings.Contains(b.plain(), "line 5.") {
		t.Errorf("not the beginning:\n%s", b.plain())
	}
	b.send(devicesRead{paper: lines(120)})
	if !strings.Contains(b.plain(), "line 0.") {
		t.Errorf("it moved while it was read:\n%s", b.plain())
	}
	b.press("end")
	if !strings.Contains(b.plain(), "line 119.") {
		t.Errorf("not the end again:\n%s", b.plain())
	}
}

// TestADisplayIsNoPrinterThatNeverAnswers: none can answer, which is no fault.
func TestADisplayIsNoPrinterThatNeverAnswers(t *testing.T) {
	b := counter(t, 80, 24, func(o *Options) { o.Devices = map[string]Device{"display": readyPrinter{}} })
	silent := device.Status{State: device.Ready, Unconfirmed: true}
	b.press("f7").send(devicesRead{states: map[string]device.Status{"printer": silent, "display": silent}})
	if !strings.Contains(b.plain(), "never answers") {
		t.Errorf("a silent printer is not told:\n%s", b.plain())
	}
	if b.press("down"); strings.Contains(b.plain(), "never answers") {
		t.Errorf("a display is blamed:\n%s", b.plain())
	}
}
