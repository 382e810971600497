package protocol

import (
	"slices"
	"testing"
)

func TestSearchWordsAreFoldedAndOnce(t *testing.T) {
	got := SearchWords("Café Crème, 2 ×", "CAFE 12,30 (12.30).", "…", "コーヒー豆")
	if want := []string{"cafe", "creme", "2", "12.30", "コーヒー豆"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestASaleIsFoundByNumberTotalAndLines(t *testing.T) {
	o := SaleOpened{Number: "000042", User: "1", Total: Money{"EUR", 1230}, Note: "Table 7",
		Lines: []Line{{SKU: "cafe-creme", Name: "Café crème"}}}
	if want := []string{"000042", "42", "1", "12.30", "table", "7", "cafe", "creme"}; !slices.Equal(o.SearchWords(), want) {
		t.Errorf("got %q, want %q", o.SearchWords(), want)
	}
}
