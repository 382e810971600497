package taler

import (
	"bytes"
	"errors"
	"testing"
)

func TestIBANsAreCheckedByCountryLengthAndRest(t *testing.T) {
	for _, iban := range []string{
		"DE67830654080004822650", "DE89370400440532013000", "GB29NWBK60161331926819", "NO9386011117947",
		"MT84MALT011000012345MTLCAST001S", "FR1420041010050500013M02606", "CH9300762011623852957",
	} {
		if err := CheckIBAN(iban); err != nil {
			t.Errorf("%s: %v", iban, err)
		}
	}
	for _, iban := range []string{
		"", "DE", "DE67", "DE67830654080004822651", "DE6783065408000482265", "DE678306540800048226500", "XX67830654080004822650",
		"de67830654080004822650", "DE67 8306 5408 0004 8226 50", "DE6783065408000482265O", "DE00830654080004822650",
		"DE543704004405320130001", "DE5137040044053201300", // right but for the length
		"US64SVBKUS6S3300958879", "DE67830654080004822605",
	} {
		if err := CheckIBAN(iban); err == nil {
			t.Errorf("%q is an IBAN", iban)
		}
	}
	// 97 more than a right number of check digits is right by the rest alone.
	for check, want := range map[string]bool{"97": true, "00": false} {
		found := false
		for n := range 97 {
			iban := []byte("DE" + check + "370400440532013000")
			iban[20], iban[21] = byte('0'+n/10), byte('0'+n%10)
			found = found || CheckIBAN(string(iban)) == nil
		}
		if found != want {
			t.Errorf("check digits %s: %t", check, found)
		}
	}
}

func TestAccountsAreHidden(t *testing.T) {
	w := Wire{Type: SEPA, IBAN: "DE67830654080004822650", Name: "GNUnet e.V.", BIC: "GENODEF1SLR"}
	seal := func(b byte) Hash {
		if err := w.Seal(bytes.NewReader(bytes.Repeat([]byte{b}, 24))); err != nil {
			t.Fatal(err)
		}
		return must(w.Hash())
	}
	if seal(0xff) == seal(0xfe) {
		t.Error("the hash does not depend on chance")
	}
	if w.R < 0 || w.R > maxInteger {
		t.Errorf("r = %d", w.R)
	}
	again := new(Wire)
	if err := Decode(must(Encode(&w)), again); err != nil || *again != w {
		t.Errorf("%s comes back as %s: %v", must(Encode(&w)), must(Encode(again)), err)
	}
}

func TestAccountsThatCannotBeAreRefused(t *testing.T) {
	good := Wire{Type: SEPA, IBAN: "DE67830654080004822650", Name: "GNUnet e.V.", BIC: "GENODEF1SLR"}
	for parameter, change := range map[string]func(*Wire){
		"type": func(w *Wire) { w.Type = "CASH" }, "IBAN": func(w *Wire) { w.IBAN = "DE68830654080004822650" },
		"name": func(w *Wire) { w.Name = "" }, "BIC": func(w *Wire) { w.BIC = "GENODEF1SL" },
		"r": func(w *Wire) { w.R = maxInteger + 1 }, "bank": func(w *Wire) { w.Type = Test },
	} {
		w := good
		change(&w)
		if _, err := w.Hash(); !errors.Is(err, &Error{Status: 400, Parameter: parameter}) {
			t.Errorf("%s: %v", parameter, err)
		}
	}
	for bic, want := range map[string]bool{"DEUTDEFF": true, "DEUTDEFF500": true, "DEUT1EFF": false, "deutdeff": false, "DEUTDEF": false} {
		if isBIC(bic) != want {
			t.Errorf("%s: %t", bic, !want)
		}
	}
}

func FuzzIBAN(f *testing.F) {
	f.Add("DE67830654080004822650")
	f.Add("DE67")
	f.Fuzz(func(t *testing.T, text string) {
		if CheckIBAN(text) != nil {
			return
		}
		other := []byte(text)
		other[len(other)-1] = '0' + (other[len(other)-1]-'0'+1)%10
		if CheckIBAN(string(other)) == nil {
			t.Fatalf("%s and %s", text, other)
		}
	})
}
