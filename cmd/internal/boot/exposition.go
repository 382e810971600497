package boot

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// exposition is text in the format of Prometheus (version 0.0.4). Every label it
// is given has few values: states, methods, the shop's own terminals and mints.
type exposition struct{ b strings.Builder }

// family begins a metric; kind is gauge, counter or histogram.
func (e *exposition) family(name, kind, help string) {
	fmt.Fprintf(&e.b, "# HELP till_%s %s\n# TYPE till_%s %s\n", name, help, name, kind)
}

// add writes one value; labels are names and values by turns.
func (e *exposition) add(name string, value int64, labels ...string) {
	e.b.WriteString("till_" + name)
	for i := 0; i < len(labels); i += 2 {
		e.b.WriteString(map[bool]string{true: "{", false: ","}[i == 0])
		e.b.WriteString(labels[i] + `="` + escapeLabel.Replace(labels[i+1]) + `"`)
	}
	if len(labels) > 0 {
		e.b.WriteByte('}')
	}
	fmt.Fprintf(&e.b, " %d\n", value)
}

var escapeLabel = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// one writes a gauge of a single value.
func (e *exposition) one(name, help string, value int64, labels ...string) {
	e.family(name, "gauge", help)
	e.add(name, value, labels...)
}

// histogram writes the buckets of h; labels as in add.
func (e *exposition) histogram(name string, h *histogram, labels ...string) {
	var sum int64
	for i := range h.buckets {
		sum += h.buckets[i].Load()
		bound := "+Inf"
		if i < len(paceBounds) {
			bound = seconds(paceBounds[i])
		}
		e.add(name+"_bucket", sum, append(labels[:len(labels):len(labels)], "le", bound)...)
	}
	var l string
	for i := 0; i < len(labels); i += 2 {
		l += map[bool]string{true: "{", false: ","}[i == 0] + labels[i] + `="` + escapeLabel.Replace(labels[i+1]) + `"`
	}
	if l != "" {
		l += "}"
	}
	fmt.Fprintf(&e.b, "till_%s_sum%s %s\n", name, l, seconds(time.Duration(h.sum.Load())))
	e.add(name+"_count", sum, labels...)
}

// seconds writes a time in seconds.
func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'g', -1, 64) }

func oneIf(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
