package protocol

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"testing"
)

// specified are the vectors of terminal.md.
type specified struct {
	Journal []struct {
		CanonicalWithoutHash string          `json:"canonical_without_hash"`
		Entry                json.RawMessage `json:"entry"`
	} `json:"journal"`
	Quote struct {
		SeedHex             string     `json:"seed_hex"`
		QuoteKeys           []QuoteKey `json:"quote_keys"`
		CanonicalWithoutSig string     `json:"canonical_without_sig"`
		Quote               Quote      `json:"quote"`
	} `json:"quote"`
	Conversion []struct {
		PriceMinor int64 `json:"price_minor"`
		Buy        Rate  `json:"buy"`
		Sell       Rate  `json:"sell"`
		DueSat     Sat   `json:"due_sat"`
		AmountSat  Sat   `json:"amount_sat"`
	} `json:"conversion"`
}

func vectors(t testing.TB) specified {
	t.Helper()
	text, err := os.ReadFile("testdata/terminal.json")
	if err != nil {
		t.Fatal(err)
	}
	var v specified
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestTheJournalOfTheVectors(t *testing.T) {
	var prev *Entry
	for i, v := range vectors(t).Journal {
		var e Entry
		if err := Decode(v.Entry, &e); err != nil {
			t.Fatal(err)
		}
		if HashOf([]byte(v.CanonicalWithoutHash)) != e.Hash || e.Check() != nil {
			t.Errorf("entry %d: hash %s", i+1, e.Hash)
		}
		var body any
		if err := json.Unmarshal(e.Body, &body); err != nil {
			t.Fatal(err)
		}
		made, err := NewEntry(prev, e.At, e.Kind, body)
		if err != nil || made.Hash != e.Hash || made.Prev != e.Prev || made.Seq != e.Seq {
			t.Errorf("entry %d made: %+v, %v", i+1, made, err)
		}
		prev = &e
	}
}

func TestAChainThatIsBrokenIsSeen(t *testing.T) {
	first, err := NewEntry(nil, 10, EntryDrawerOpened, DrawerOpened{Reason: "a"})
	if err != nil {
		t.Fatal(err)
	}
	second, err := NewEntry(first, 5, EntryDrawerOpened, DrawerOpened{Reason: "b"})
	if err != nil {
		t.Fatal(err)
	}
	if second.At != 10 || second.Seq != 2 || second.Prev != first.Hash {
		t.Errorf("second %+v", second)
	}
	if err := errors.Join(first.Check(), second.Check(), first.Follows(0, NoHash), second.Follows(1, first.Hash)); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Entry){
		"seq": func(e *Entry) { e.Seq++ }, "at": func(e *Entry) { e.At++ }, "kind": func(e *Entry) { e.Kind = "x" },
		"body": func(e *Entry) { e.Body = json.RawMessage(`{"reason":"c"}`) }, "prev": func(e *Entry) { e.Prev = NoHash },
		"hash": func(e *Entry) { e.Hash = NoHash },
	} {
		e := *second
		change(&e)
		if err := e.Check(); !errors.Is(err, ErrEntryHash) {
			t.Errorf("%s changed: %v", name, err)
		}
	}
	for _, err := range []error{second.Follows(2, first.Hash), second.Follows(1, NoHash), second.Follows(0, first.Hash)} {
		if !errors.Is(err, ErrEntryLink) {
			t.Errorf("link: %v", err)
		}
	}
	if e := *second; e.Check() == nil {
		e.Body = json.RawMessage(` { "reason" : "b" } `)
		if err := e.Check(); err != nil {
			t.Errorf("white space counts: %v", err)
		}
	}
	if _, err := NewEntry(nil, 1, EntrySettings, string(bytes.Repeat([]byte("x"), MaxEntry))); !errors.Is(err, ErrEntrySize) {
		t.Errorf("an entry above 64 KiB: %v", err)
	}
	if _, err := NewEntry(nil, 1, EntrySettings, func() {}); err == nil {
		t.Error("a function was journaled")
	}
}

func TestTheQuoteOfTheVectors(t *testing.T) {
	v := vectors(t).Quote
	seed, err := hex.DecodeString(v.SeedHex)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := v.Quote.signed(); err != nil || string(text) != v.CanonicalWithoutSig {
		t.Errorf("signed text %s, %v", text, err)
	}
	made := v.Quote
	if err := made.Sign(ed25519.NewKeyFromSeed(seed)); err != nil || made.Sig != v.Quote.Sig {
		t.Errorf("signature %s, %v", made.Sig, err)
	}
	if err := v.Quote.Verify(v.QuoteKeys); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Quote){
		"a price":          func(q *Quote) { q.Buy++ },
		"the other":        func(q *Quote) { q.Sell++ },
		"the end":          func(q *Quote) { q.Until++ },
		"the currency":     func(q *Quote) { q.Currency = "USD" },
		"the key's name":   func(q *Quote) { q.Key = "k2" },
		"a source":         func(q *Quote) { q.Sources = slices.Clone(q.Sources[:0]) },
		"no signature":     func(q *Quote) { q.Sig = "" },
		"half a signature": func(q *Quote) { q.Sig = q.Sig[:64] },
	} {
		q := v.Quote
		change(&q)
		if err := q.Verify(v.QuoteKeys); !errors.Is(err, ErrQuoteSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if v.Quote.Verify(nil) == nil || v.Quote.Verify([]QuoteKey{{ID: "k1", Ed25519: "00"}}) == nil {
		t.Error("verified without the key")
	}
	for at, want := range map[Time]bool{v.Quote.At - 1: false, v.Quote.At: true, v.Quote.Until: true, v.Quote.Until + 1: false} {
		if v.Quote.Covers(at) != want {
			t.Errorf("covers %s: %v", at, !want)
		}
	}
}

func TestTheConversionsOfTheVectors(t *testing.T) {
	for _, v := range vectors(t).Conversion {
		var got Sat
		var err error
		if v.Buy != 0 {
			got, err = v.Buy.Charge(v.PriceMinor)
		} else {
			got, err = v.Sell.Payout(v.PriceMinor)
		}
		if err != nil || got != v.DueSat+v.AmountSat {
			t.Errorf("%+v: %d, %v", v, got, err)
		}
	}
}
