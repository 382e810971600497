package tui

import (
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"till/tui/register"
)

// beep is one sound of the bell. Tone is its pitch in Hertz, where the bell has
// one: on a Linux console (console_codes(4), ESC [ 10 ; n ] and ESC [ 11 ; n ]).
type beep struct {
	tone   int
	length time.Duration
	pause  time.Duration // before the next
}

// beeps are the sounds. Where all bells are alike their rhythm tells them apart:
// two quick ones for paid, three slow ones for failed, one for other money.
var beeps = map[register.Sound][]beep{
	register.SoundPaid:   {{880, 90 * time.Millisecond, 130 * time.Millisecond}, {1319, 180 * time.Millisecond, 0}},
	register.SoundFailed: {{220, 250 * time.Millisecond, 400 * time.Millisecond}, {220, 250 * time.Millisecond, 400 * time.Millisecond}, {165, 500 * time.Millisecond, 0}},
	register.SoundMoney:  {{1047, 200 * time.Millisecond, 0}},
}

// sound rings the bell.
func (m *model) sound(s register.Sound) tea.Cmd {
	if m.silent() {
		return nil
	}
	var steps []tea.Cmd
	for _, b := range beeps[s] {
		bell := "\a"
		if m.console {
			bell = fmt.Sprintf("\x1b[10;%d]\x1b[11;%d]\a\x1b[10]\x1b[11]", b.tone, b.length.Milliseconds())
		}
		steps = append(steps, tea.Raw(bell))
		if b.pause > 0 {
			pause := b.pause
			steps = append(steps, func() tea.Msg {
				<-m.o.After(pause)
				return nil
			})
		}
	}
	return tea.Sequence(steps...)
}
