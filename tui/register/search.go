package register

import (
	"slices"
	"strings"
	"unicode"

	"till/protocol"
)

// maxFound bounds the list of a search: more are never looked through.
const maxFound = 200

// Found is a choice that a search offers: an item of the catalogue, or with
// Open what was typed, as the name of an item that is not in it.
type Found struct {
	Item   protocol.Item
	Open   bool
	Option string // of Item, once they are offered
}

// find gives what fits the words of text, best first. With priced an amount is
// typed: it is the price of an open item, or of an item without a price.
func find(items []protocol.Item, text string, priced bool) []Found {
	words := strings.Fields(protocol.Fold(text))
	if len(words) == 0 {
		return nil
	}
	type hit struct {
		rank int
		item protocol.Item
	}
	var hits []hit
	for _, item := range items {
		if priced && item.Price != nil {
			continue
		}
		if rank := fits(item, words); rank > 0 {
			hits = append(hits, hit{rank, item})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return b.rank - a.rank })
	var found []Found
	for _, h := range hits[:min(len(hits), maxFound)] {
		found = append(found, Found{Item: h.item})
	}
	if priced {
		found = append(found, Found{Item: protocol.Item{Name: strings.TrimSpace(text)}, Open: true})
	}
	return found
}

// fits ranks an item: 4 its name or number is what was typed, 3 the name begins
// with it, 2 each word begins a word of it, 1 each word is somewhere in it.
func fits(item protocol.Item, words []string) int {
	name := protocol.Fold(item.Name)
	whole := strings.Join(words, " ")
	switch {
	case name == whole || protocol.Fold(item.SKU) == whole:
		return 4
	case strings.HasPrefix(name, whole):
		return 3
	}
	all := strings.Fields(name + " " + protocol.Fold(item.Category) + " " + protocol.Fold(item.SKU))
	begins, inside := true, true
	for _, w := range words {
		begins = begins && slices.ContainsFunc(all, func(s string) bool { return strings.HasPrefix(s, w) })
		inside = inside && slices.ContainsFunc(all, func(s string) bool { return strings.Contains(s, w) })
	}
	switch {
	case begins:
		return 2
	case inside:
		return 1
	}
	return 0
}

// byBarcode finds the item with a scanned code, or with that number.
func byBarcode(items []protocol.Item, code string) (protocol.Item, bool) {
	code = strings.TrimSpace(code)
	if code == "" {
		return protocol.Item{}, false
	}
	for _, item := range items {
		if item.Barcode == code || item.SKU == code {
			return item, true
		}
	}
	return protocol.Item{}, false
}

// searchable keeps of typed text what can stand in a name.
func searchable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, text)
}
