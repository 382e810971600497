package device_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"till/device"
	"till/device/msr605"
	"till/device/sim"
)

func msr(open device.Dialer, report func(device.Status)) device.CardCheck {
	return msr605.New(open, report)
}

func TestCheckOfACardReaderTellsEachStep(t *testing.T) {
	for _, c := range []struct {
		name, trouble    string
		unattended, hand bool
		state            device.State
		steps            string
	}{
		{"with a person", "", false, true, device.Ready, "open+ status+ model+ memory+ sensor+"},
		{"nobody swipes", "", false, false, device.Ready, "open+ status+ model+ memory+ sensor-"},
		{"unattended", "", true, false, device.Ready, "open+ status+ model+ memory+"},
		{"mute", "stall on", true, false, device.Faulted, "open+ status-"},
		{"unplugged", "unplug", true, false, device.Absent, "open-"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, err := sim.NewCardReader("msr605", nil)
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				if c.trouble != "" {
					if err := r.Obey(c.trouble, nil); err != nil {
						t.Fatal(err)
					}
				}
				if c.hand {
					go func() {
						if r.AwaitWaiting(t.Context()) {
							r.Swipe(sim.GoodSwipe)
						}
					}()
				}
				began := time.Now()
				check := device.CheckCard(t.Context(), "sim:", r.Dial, msr, c.unattended)
				var steps []string
				for _, s := range check.Steps {
					steps = append(steps, s.What+map[bool]string{true: "+", false: "-"}[s.OK])
				}
				if got := strings.Join(steps, " "); got != c.steps || check.State != c.state {
					t.Errorf("%s, %s; want %s, %s", check.State, got, c.state, c.steps)
				}
				if took := time.Since(began); took > 20*time.Second {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}
