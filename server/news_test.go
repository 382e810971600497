package server

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestNewsOfAnyLengthArriveWhole(t *testing.T) {
	n := news{}
	n.set(newsConfig)
	n.set(newsTip)
	for i := range 2000 {
		n[newsTold] = append(n[newsTold], fmt.Sprintf("01a2%032d", i))
	}
	n[newsLeased] = []string{"bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"}
	n[newsDue] = []string{dueItem("x", 5)}
	texts := n.texts("f00d")
	if len(texts) < 2 {
		t.Fatalf("%d texts for more than one holds", len(texts))
	}
	got := news{}
	for _, text := range texts {
		if len(text) > MaxNews {
			t.Errorf("a text of %d bytes", len(text))
		}
		from, part, err := parseNews(text)
		if err != nil || from != "f00d" {
			t.Fatalf("from %q: %v", from, err)
		}
		for topic, items := range part {
			got[topic] = append(got[topic], items...)
		}
	}
	if !maps.EqualFunc(n, got, func(a, b []string) bool {
		return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
	}) {
		t.Errorf("%d topics arrived of %d", len(got), len(n))
	}
	if texts := (news{}).texts("f00d"); len(texts) != 0 {
		t.Errorf("nothing is told as %q", texts)
	}
}

func FuzzParseNews(f *testing.F) {
	for _, seed := range []string{"f00d\no", "f00d\na 1 2\nL x\nD s=5", "", "f00d", "f00d\n", "a b\nt x", "f00d\nz later", "f00d\nabc"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		from, n, err := parseNews(text)
		if err != nil {
			return
		}
		for _, again := range n.texts(from) {
			if who, _, err := parseNews(again); err != nil && len(from) < MaxNews/2 && !strings.Contains(text, "  ") || err == nil && who != from {
				t.Fatalf("%q became %q: %v", text, again, err)
			}
		}
		for _, item := range n[newsDue] {
			if id, at, ok := parseDue(item); ok && at >= 0 {
				if i, a, ok := parseDue(dueItem(id, at)); !ok || i != id || a != at {
					t.Fatalf("%q does not stay", item)
				}
			}
		}
	})
}
