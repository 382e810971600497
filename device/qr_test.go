package device

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode/decoder"
)

// read decodes a code as a camera would that sees its modules.
func read(t testing.TB, q QRCode) string {
	t.Helper()
	bits, err := gozxing.NewSquareBitMatrix(q.Size())
	if err != nil {
		t.Fatal(err)
	}
	for y, row := range q.Modules {
		for x, dark := range row {
			if dark {
				bits.Set(x, y)
			}
		}
	}
	result, err := decoder.NewDecoder().Decode(bits, nil)
	if err != nil {
		t.Fatalf("version %d %s of %d bytes is not read: %v", q.Version, q.Level, len(q.Content), err)
	}
	return result.GetText()
}

// TestAReaderReadsEveryVersionAndMode: texts of each kind and of all lengths around
// the edges of versions, decoded by an implementation of others.
func TestAReaderReadsEveryVersionAndMode(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	kinds := []struct {
		letters string
		share   float64 // of a character in a bit
	}{{"abcdefgh", 1. / 8}, {"0123456789", 3. / 10}, {qrCapitals, 2. / 11}, {"0123456789ABCDEFGHxyz#.-:", 1. / 6}}
	seen := map[string]bool{}
	for i, kind := range kinds {
		for version := 1; version <= 40; version++ {
			if i > 0 && version%9 > 1 {
				continue // the edges of the counts' lengths are among the others
			}
			for _, level := range []*qrLevel{&qrLow, &qrMedium} {
				room := level.capacity(version)
				text := make([]byte, int(float64(room)*kind.share))
				for i := range text {
					text[i] = kind.letters[r.IntN(len(kind.letters))]
				}
				content := string(text)
				for over := bitsOf(content, version) - room; over > 0; over = bitsOf(content, version) - room {
					content = content[:len(content)-max(1, over/12)]
				}
				q, err := shortest(content, 40)
				if err != nil {
					t.Fatalf("%q for version %d: %v", kind.letters, version, err)
				}
				seen[q.Level+strconv.Itoa(q.Version)] = true
				if got := read(t, q); got != content {
					t.Fatalf("version %d %s: read %q for %q", q.Version, q.Level, got, content)
				}
			}
		}
	}
	if len(seen) < 45 { // 40 of L; above 5 the next smaller one of L holds what M holds
		t.Errorf("only %d kinds of codes were made", len(seen))
	}
}

func bitsOf(content string, version int) (n int) {
	for _, s := range qrSegments(content, version) {
		n += s.bits(version)
	}
	return n
}

// TestABillFitsASmallCode: a customer's link with the shop's address in a network at
// home is version 6, which 80×24 shows.
func TestABillFitsASmallCode(t *testing.T) {
	key, id := strings.Repeat("9XKEJ0V2T4D7E", 4), "3RS5TV7WX9Z2A"
	for _, host := range []string{"192.168.100.200:8480", "127.0.0.1:54321", "till.local:8480", "10.0.0.5:8480"} {
		q, err := EncodeQR("taler+http://" + host + "/contract?sale=0193b1a0-0000-7000-8000-a0b1c2d3e4f5#" + key + "." + id)
		if err != nil || q.Version > 6 {
			t.Errorf("%s: version %d, %v", host, q.Version, err)
		}
	}
}

func TestSegmentsAreTheShortest(t *testing.T) {
	for text, want := range map[string]string{
		"12345678":         "n8",
		"ABC123456":        "a9", // a new head costs more than digits save
		"ABC12345678":      "a3 n8",
		"ABC1234567890123": "a3 n13",
		"abc1":             "b4",
		"abcABCDEFGHIJ":    "b3 a10",
		"é":                "b2",
	} {
		var got []string
		for _, s := range qrSegments(text, 1) {
			got = append(got, string("nab"[s.mode])+strconv.Itoa(len(s.text)))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q is %v, want %s", text, got, want)
		}
	}
}

// TestNoOtherCutIsShorter tries every way to cut short texts.
func TestNoOtherCutIsShorter(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		text := make([]byte, 1+r.IntN(9))
		for i := range text {
			text[i] = "0123456789ABab#"[r.IntN(15)]
		}
		for _, version := range []int{1, 10, 27} {
			if got, least := bitsOf(string(text), version), leastBits(string(text), version); got != least {
				t.Fatalf("%q in version %d: %d bits, %d would do", text, version, got, least)
			}
		}
	}
}

func leastBits(text string, version int) int {
	least := 1 << 30
	if text == "" {
		return 0
	}
	for n := 1; n <= len(text); n++ {
		for m := range qrModes {
			s := qrSegment{m, text[:n]}
			if !strings.ContainsFunc(s.text, func(r rune) bool { return !m.has(byte(r)) }) {
				least = min(least, s.bits(version)+leastBits(text[n:], version))
			}
		}
	}
	return least
}

func FuzzQR(f *testing.F) {
	for _, seed := range []string{"", "0", "A", "a", "taler+http://h/contract?sale=x#ABC", "BITCOIN:BC1Q?amount=0.1", strings.Repeat("1", 7089)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content string) {
		q, err := EncodeQR(content)
		if err != nil {
			return
		}
		for _, c := range []byte(content) {
			if c >= 0x80 {
				return // readers guess the encoding
			}
		}
		if got := read(t, q); got != content {
			t.Errorf("read %q for %q", got, content)
		}
	})
}

func BenchmarkBillQR(b *testing.B) {
	for b.Loop() {
		if _, err := EncodeQR("taler+http://192.168.100.200:8480/contract?sale=0193b1a0-0000-7000-8000-a0b1c2d3e4f5#" + strings.Repeat("9XKEJ0V2T4D7E", 4) + ".3RS5TV7WX9Z2A"); err != nil {
			b.Fatal(err)
		}
	}
}
