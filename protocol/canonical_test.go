package protocol

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

func TestCanonicalJSONIsThatOfRFC8785(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"the sample of 3.2.2", `{
			"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
			"string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
			"literals": [null, true, false]
		}`, "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],\"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"},
		{"the sorting of 3.2.3", `{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`,
			"{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\",\"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\",\"😀\":\"Emoji: Grinning Face\",\"\ufb33\":\"Hebrew Letter Dalet With Dagesh\"}"},
		{"nothing", ` {} `, `{}`},
		{"an empty list", `[ ]`, `[]`},
		{"escapes as short as they go", `"\u0008\u0009\u000a\u000c\u000d\u001f\u007f\u2028<>&"`, "\"\\b\\t\\n\\f\\r\\u001f\u007f\u2028<>&\""},
		{"minus zero", `-0`, `0`},
	} {
		got, err := Canonical([]byte(test.in))
		if err != nil || string(got) != test.want {
			t.Errorf("%s: %s, %v\nwant %s", test.name, got, err, test.want)
		}
	}
}

// RFC 8785, appendix B: the bits of a number and how it is written.
func TestCanonicalNumbersAreThoseOfAppendixB(t *testing.T) {
	for bits, want := range map[string]string{
		"0000000000000000": "0", "8000000000000000": "0",
		"0000000000000001": "5e-324", "8000000000000001": "-5e-324",
		"7fefffffffffffff": "1.7976931348623157e+308", "ffefffffffffffff": "-1.7976931348623157e+308",
		"4340000000000000": "9007199254740992", "c340000000000000": "-9007199254740992",
		"4430000000000000": "295147905179352830000",
		"44b52d02c7e14af5": "9.999999999999997e+22", "44b52d02c7e14af6": "1e+23", "44b52d02c7e14af7": "1.0000000000000001e+23",
		"444b1ae4d6e2ef4e": "999999999999999700000", "444b1ae4d6e2ef4f": "999999999999999900000", "444b1ae4d6e2ef50": "1e+21",
		"3eb0c6f7a0b5ed8c": "9.999999999999997e-7", "3eb0c6f7a0b5ed8d": "0.000001",
		"41b3de4355555553": "333333333.3333332", "41b3de4355555554": "333333333.33333325", "41b3de4355555555": "333333333.3333333",
		"41b3de4355555556": "333333333.3333334", "41b3de4355555557": "333333333.33333343",
		"becbf647612f3696": "-0.0000033333333333333333", "43143ff3c1cb0959": "1424953923781206.2",
	} {
		raw, err := hex.DecodeString(bits)
		if err != nil {
			t.Fatal(err)
		}
		f := math.Float64frombits(binary.BigEndian.Uint64(raw))
		got, err := Canonical([]byte(strconv.FormatFloat(f, 'e', -1, 64)))
		if err != nil || string(got) != want {
			t.Errorf("%s: %s, %v, want %s", bits, got, err, want)
		}
	}
	if _, err := Canonical([]byte(`1e400`)); err == nil {
		t.Error("a number beyond IEEE 754 was written")
	}
}

func TestCheckRefusesWhatIsNotOneValue(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	good := []string{`0`, `-1.5e-7`, `"a"`, ` true `, `{"a":{"a":1},"b":[]}`, `"\ud83d\ude00"`, "\"\x7f\"", deep(32)}
	for _, text := range good {
		if err := Check([]byte(text)); err != nil {
			t.Errorf("%.40s: %v", text, err)
		}
	}
	bad := []string{``, ` `, `{`, `[1,]`, `{"a":1,}`, `{"a" 1}`, `{a:1}`, `01`, `-`, `1.`, `1e`, `+1`, `.5`, `0x1`, `NaN`, `tru`, `nul`, `"`, `"\x"`, `"\u12"`, `"\u123g"`,
		"\"\n\"", "\"\xff\"", "\"\xc0\x80\"", `"\ud83d"`, `"\ude00"`, `"\ud83d\u0041"`, `"\ude00\ud83d"`, `"\ud83d\ud83d"`, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `1 2`, `{} x`, "\xef\xbb\xbf{}",
		deep(33), `[1 2]`, "\"\x00\"", `"\`, `'a'`, "//\n1"}
	for _, text := range bad {
		err := Check([]byte(text))
		if e, ok := err.(*DecodeError); !ok || !e.Syntax {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}

func TestAHashHasOneForm(t *testing.T) {
	if !NoHash.Valid() || !HashOf(nil).Valid() || HashOf(nil) != "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" {
		t.Error("good ones are refused")
	}
	for _, bad := range []Hash{"", NoHash[1:], NoHash + "0", "E" + NoHash[1:], "g" + NoHash[1:]} {
		if bad.Valid() {
			t.Errorf("%q is taken", bad)
		}
	}
}

func FuzzCanonical(f *testing.F) {
	for _, seed := range []string{`{"b":[1,2.50,"\u20ac"],"a":null}`, `"\ud83d\ude00"`, `1e-7`, `-0`, `{"a":1,"a":2}`, `[[[]]]`} {
		f.Add([]byte(seed))
	}
	for _, v := range vectors(f).Journal {
		f.Add([]byte(v.CanonicalWithoutHash))
		f.Add([]byte(v.Entry))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if Check(data) == nil && !json.Valid(data) {
			t.Errorf("Check takes what encoding/json refuses: %q", data)
		}
		once, err := Canonical(data)
		if err != nil {
			return
		}
		if Check(data) != nil {
			t.Errorf("%q is written but not taken", data)
		}
		twice, err := Canonical(once)
		if err != nil || !bytes.Equal(once, twice) {
			t.Errorf("not idempotent: %q, %q, %v", once, twice, err)
		}
		var a, b any
		if json.Unmarshal(data, &a) != nil || json.Unmarshal(once, &b) != nil {
			t.Errorf("%q became %q", data, once)
		}
		if !reflect.DeepEqual(a, b) { // 0 and -0 are one number
			t.Errorf("%q means another thing than %q", once, data)
		}
	})
}

func BenchmarkCanonical(b *testing.B) {
	entry := []byte(vectors(b).Journal[1].Entry)
	for b.Loop() {
		if _, err := Canonical(entry); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCompact is the baseline: encoding/json, which neither sorts nor checks.
func BenchmarkCompact(b *testing.B) {
	entry := []byte(vectors(b).Journal[1].Entry)
	var out bytes.Buffer
	for b.Loop() {
		out.Reset()
		if err := json.Compact(&out, entry); err != nil {
			b.Fatal(err)
		}
	}
}
