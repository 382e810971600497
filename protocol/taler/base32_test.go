package taler

import (
	"bytes"
	"errors"
	"testing"
)

func TestBase32SpellingsDifferAndBytesDoNot(t *testing.T) {
	want := must(DecodeBase32("0011V100"))
	for _, text := range []string{"oOiIUl0o", "0011u1O0", "00LLv10o"} {
		got, err := DecodeBase32(text)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %x, %v instead of %x", text, got, err, want)
		}
	}
}

func TestBase32LengthsAreThoseOfThePage(t *testing.T) {
	for n, want := range map[int]int{0: 0, 1: 2, 8: 13, 16: 26, 32: 52, 64: 103} {
		if got := len(EncodeBase32(make([]byte, n))); got != want {
			t.Errorf("%d bytes take %d symbols instead of %d", n, got, want)
		}
	}
}

func TestBase32RefusesWhatHasAnotherSpelling(t *testing.T) {
	for _, text := range []string{
		"0", "000", "000000", // a symbol that ends no byte
		"01", "00001", "Z1", // padding bits
		"0=", "0 ", "0é", "00\x00", "-0", "0-00",
	} {
		if got, err := DecodeBase32(text); !errors.Is(err, ErrBase32) {
			t.Errorf("%q decodes to %x, %v", text, got, err)
		}
	}
}

func FuzzBase32(f *testing.F) {
	v := loadVectors()
	for _, c := range v.Base32 {
		f.Add(c.Text)
	}
	for _, text := range v.Refused {
		f.Add(text)
	}
	f.Add(v.HA)
	f.Add(v.RSA.DenomPub)
	f.Fuzz(func(t *testing.T, text string) {
		b, err := DecodeBase32(text)
		if err != nil {
			return
		}
		again := EncodeBase32(b)
		if len(again) != len(text) {
			t.Fatalf("%q encodes to %q", text, again)
		}
		if c, err := DecodeBase32(again); err != nil || !bytes.Equal(b, c) {
			t.Fatalf("%q decodes to %x and %x, %v", text, b, c, err)
		}
	})
}
