package boot

import (
	"errors"
	"strings"
	"testing"

	"till/protocol"
)

var shopTaxes = []protocol.Tax{{Code: "A", RateBP: 2000, Included: true}, {Code: "B", RateBP: 1000, Included: true}}

// FuzzParseCatalogue: what is taken is exported and taken again as the same.
func FuzzParseCatalogue(f *testing.F) {
	head := strings.Join(catalogueHeader, ",") + "\n"
	for _, seed := range []string{
		"", head, "\ufeff" + head, head + "bun,Bun,cake,1.50,B,,12,warm|cold\n", head + "\"a\nb\",Bun,,,,,,\n",
		head + "bun,\"Bun, \"\"sweet\"\"\",cake,,A,90017606,0,\n", head + "bun,\"Bun\n", head + "a\x00,b,,,A,,,\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		items, err := parseCatalogue(text, "EUR", shopTaxes)
		if err != nil {
			if !errors.Is(err, ErrInput) || items != nil {
				t.Fatalf("%v with %d items", err, len(items))
			}
			return
		}
		once := formatCatalogue(items)
		again, err := parseCatalogue(once, "EUR", shopTaxes)
		if err != nil || string(formatCatalogue(again)) != string(once) || len(again) != len(items) {
			t.Fatalf("%q becomes %q: %v", text, once, err)
		}
	})
}

func TestCatalogueLimitsAreKept(t *testing.T) {
	head := strings.Join(catalogueHeader, ",") + "\n"
	many := &strings.Builder{}
	many.WriteString(head)
	for i := range maxItems + 1 {
		many.WriteString(strings.Repeat("i", i%90+1) + string(rune('A'+i/90%26)) + string(rune('A'+i/2340)) + ",n,,,A,,,\n")
	}
	for name, text := range map[string]string{
		"bytes":      head + strings.Repeat(" ", MaxCatalogue),
		"items":      many.String(),
		"field":      head + "a," + strings.Repeat("n", maxItemText+1) + ",,,A,,,\n",
		"encoding":   head + "a,\xff,,,A,,,\n",
		"escape":     head + "a,\x1b[2J,,,A,,,\n",
		"space":      head + "a, n,,,A,,,\n",
		"no tax":     head + "a,n,,,,,,\n",
		"decimals":   head + "a,n,,1.505,A,,,\n",
		"negative":   head + "a,n,,-1,A,,,\n",
		"plus stock": head + "a,n,,1,A,,+1,\n",
		"barcode":    head + "a,n,,1,A,9,,\nb,n,,1,A,9,,\n",
		"option":     head + "a,n,,1,A,,,x||y\n",
	} {
		if items, err := parseCatalogue([]byte(text), "EUR", shopTaxes); !errors.Is(err, ErrInput) || items != nil {
			t.Errorf("%s: %d items, %v", name, len(items), err)
		}
	}
}
