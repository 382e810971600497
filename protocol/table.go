package protocol

import (
	"fmt"
	"strings"
)

// table is a list of allowed steps between states, each with its reason.
type table[S ~string] []struct {
	from, to S
	why      string
}

func (t table[S]) has(from, to S) bool {
	for _, step := range t {
		if step.from == from && step.to == to {
			return true
		}
	}
	return false
}

func (t table[S]) diagram(first S) string {
	var b strings.Builder
	fmt.Fprintf(&b, "stateDiagram-v2\n    [*] --> %s\n", first)
	for _, step := range t {
		fmt.Fprintf(&b, "    %s --> %s : %s\n", step.from, step.to, step.why)
	}
	return b.String()
}
