package tui

import (
	"testing"

	tea "charm.land/bubbletea/v2"
)

// A key on the register, from the message to the frame's string; the bound for
// it is 2 ms above a bare program (product.md §4). Baseline on two cores of an
// EPYC virtual machine, go1.26: 0.25 ms.
func BenchmarkKeyToFrame(b *testing.B) {
	c := counter(b, 80, 24).rung()
	keys := []tea.Msg{keyPress("1"), named["backspace"]}
	for i := range b.N {
		c.hand += 1e9
		c.Update(keys[i%2])
		_ = c.View().Content
	}
}

func BenchmarkPayFrame(b *testing.B) {
	c := counter(b, 80, 24).waiting()
	for range b.N {
		c.Update(ticked{})
		_ = c.View().Content
	}
}
