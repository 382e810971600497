package escpos

import (
	"bytes"
	"flag"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"till/device"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// receipt has every part once.
var receipt = device.Document{
	device.Line{Text: "Café Central", Align: device.Center, Style: device.Style{Bold: true, Double: true}},
	device.Line{Text: "Hauptstraße 1 · ATU12345678", Align: device.Center},
	device.Line{},
	device.Columns{Left: "2 Espresso", Right: "5,00 €"},
	device.Columns{Left: "1 Apfelstrudel mit sehr viel Schlagobers und Zimt", Right: "4,80 €"},
	device.Rule{},
	device.Columns{Left: "TOTAL", Right: "12,30 €", Style: device.Style{Bold: true, Tall: true}},
	device.Line{Text: "= ₿ 0.00021163 “exact”", Align: device.Right, Style: device.Style{Underline: true}},
	device.Line{Text: "PRACTICE", Style: device.Style{Inverse: true}},
	device.QR{Content: "BITCOIN:BC1QCR8TE4KR609GCAWUTMRZA0J4XV80JY8Z306FYU"},
	device.Barcode{Content: "S-{7}"},
	device.Picture{Image: checkers{}},
	device.Feed{Lines: 2},
	device.Beep{Times: 1},
	device.Pulse{Pin: 2, On: 50 * time.Millisecond, Off: 500 * time.Millisecond},
	device.Cut{},
	device.Cut{Full: true},
}

// checkers is a small picture of squares.
type checkers struct{}

func (checkers) ColorModel() color.Model { return color.GrayModel }
func (checkers) Bounds() image.Rectangle { return image.Rect(0, 0, 20, 8) }
func (checkers) At(x, y int) color.Color {
	if (x/4+y/4)%2 == 0 {
		return color.Gray{}
	}
	return color.Gray{Y: 255}
}

func language(t testing.TB, name string) Language {
	t.Helper()
	l, err := NewLanguage(name)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// dump writes a job a chunk a line: text as text, pictures as sums, the rest in
// hexadecimal.
func dump(chunks [][]byte, end []byte) string {
	var b strings.Builder
	for _, c := range append(chunks, end) {
		if bytes.HasPrefix(c, []byte{gs, 'v'}) {
			fmt.Fprintf(&b, " % x raster with sum %08x", c[:8], crc32.ChecksumIEEE(c[8:]))
			c = nil
		}
		for len(c) > 0 {
			n := bytes.IndexFunc(c, func(r rune) bool { return r < 0x20 || r > 0x7E })
			if n < 0 {
				n = len(c)
			}
			if n >= 4 {
				fmt.Fprintf(&b, "%q", c[:n])
				c = c[n:]
				continue
			}
			if c[0] >= 0x20 && c[0] <= 0x7E {
				fmt.Fprintf(&b, " %02x(%c)", c[0], c[0])
			} else {
				fmt.Fprintf(&b, " %02x", c[0])
			}
			c = c[1:]
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestReceiptsInBytes(t *testing.T) {
	for _, name := range Profiles() {
		t.Run(name, func(t *testing.T) {
			chunks, end, err := language(t, name).Job(receipt)
			if err != nil {
				t.Fatal(err)
			}
			got := dump(chunks, end)
			file := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("bytes differ from %s (run with -update and look):\n%s", file, got)
			}
		})
	}
}

func TestNothingSentIsARealTimeCommandByChance(t *testing.T) {
	for _, name := range Profiles() {
		l := language(t, name)
		chunks, end, err := l.Job(append(receipt, device.Picture{Image: hostile{}}))
		if err != nil {
			t.Fatal(err)
		}
		mend, hello := l.Greeting()
		stream := bytes.Join(append(append([][]byte{mend, hello}, chunks...), end), nil)
		if i := at(stream); i >= 0 {
			t.Errorf("%s: byte %d begins % x", name, i, stream[i:min(i+4, len(stream))])
		}
		for _, c := range chunks {
			if len(c) > maxChunk {
				t.Errorf("%s: a chunk of %d bytes", name, len(c))
			}
		}
	}
}

// hostile is a picture of nothing but real-time commands: 10 04, 10 05, 10 14 in
// and across its rows, at every shift.
type hostile struct{}

func (hostile) ColorModel() color.Model { return color.GrayModel }
func (hostile) Bounds() image.Rectangle { return image.Rect(0, 0, 256, 64) }
func (hostile) At(x, y int) color.Color {
	pairs := [][2]byte{{0x10, 0x04}, {0x10, 0x05}, {0x10, 0x14}}
	x += 256 - y%8 // another shift on every row
	b := pairs[y/8%3][x/8%2]
	if b&(0x80>>(x%8)) != 0 {
		return color.Gray{}
	}
	return color.Gray{Y: 255}
}

func TestAPictureMovesAsideForARealTimeCommand(t *testing.T) {
	m := bitmap{stride: 3, rows: 2, data: []byte{0xFF, 0x10, 0x04, 0x00, 0x00, 0x01}}
	got := m.harmless(10)
	if got.stride != 4 || got.alive() || got.data[0] != 0x7F || got.data[1] != 0x88 || got.data[2] != 0x02 {
		t.Errorf("moved to % x", got.data)
	}
	if m.data[0] != 0xFF {
		t.Error("the picture itself was changed")
	}
	full := m.harmless(3) // as wide as the paper: nowhere to go
	if full.alive() || full.stride != 3 || full.data[1] != 0 || full.data[2] != 4 {
		t.Errorf("defused to % x", full.data)
	}
}

func TestABandEndsBetweenRowsThatMakeACommand(t *testing.T) {
	m := bitmap{stride: 2, rows: 4, data: []byte{0, 0x10, 0x04, 0, 0, 0x10, 0x20, 0}}
	bands := m.bands()
	if len(bands) != 2 || len(bands[0]) != 8+2 || len(bands[1]) != 8+6 {
		t.Errorf("bands % x", bands)
	}
}

func TestCharactersAreSpelledInWhatThePrinterHas(t *testing.T) {
	for _, c := range []struct{ profile, in, want string }{
		{"epson-80", "é", "82(82)"},
		{"epson-80", "5 €", "35( 5)20 1b74(13)d5"},
		{"epson-80", "é €", "1b74(13)82 d5"},
		{"epson-80", "Łódź", "1b74(12)9d a2 64 ab"},
		{"epson-80", "Привет", "1b74(11)8f"},
		{"generic", "Łódź", "L\xa2dz"},
		{"generic", "Привет", "??????"},
		{"generic", "₿ … “x” – ✓", "BTC ... \"x\" - "},
		{"generic", "日本", "??"},
		{"generic", "a\u0301\u200b\ufeff", "a"},
		{"generic", "a\x1b@b", "a?@b"},
		{"generic", "a\u00a0b\tc", "a b c"},
	} {
		e := encoder{profile: language(t, c.profile).profile}
		spelled := e.spell(c.in)
		b := e.encode(nil, spelled)
		want := c.want
		if strings.Contains(want, "(") { // bytes that must occur, in order
			for _, part := range strings.FieldsFunc(want, func(r rune) bool { return r == ' ' || r == '(' || r == ')' }) {
				if !strings.Contains(fmt.Sprintf("%x", b), part) {
					t.Errorf("%s: %q is % x, without %s", c.profile, c.in, b, part)
				}
			}
			continue
		}
		if !strings.HasPrefix(string(b), want) {
			t.Errorf("%s: %q is %q, want %q", c.profile, c.in, b, want)
		}
	}
}

func TestAllTextIsPrintable(t *testing.T) {
	for _, name := range Profiles() {
		e := encoder{profile: language(t, name).profile}
		for r := rune(0); r < 0x3000; r++ {
			b := e.encode(nil, e.spell(string(r)))
			if len(b) > 3 && b[0] == esc && b[1] == 't' {
				b = b[3:]
			}
			if r != '\n' && bytes.ContainsFunc(b, func(r rune) bool { return r < 0x20 || r == 0x7F }) {
				t.Errorf("%s: %U is sent as % x", name, r, b)
			}
		}
	}
}

func TestDrawerPulses(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		pulse device.Pulse
		want  string
	}{
		{device.Pulse{Pin: 2, On: 50 * ms, Off: 500 * ms}, "1b 70 00 19 fa"},
		{device.Pulse{Pin: 5, On: 200 * ms, Off: 200 * ms}, "1b 70 01 64 64"},
		{device.Pulse{Pin: 2, On: 32 * ms, Off: 8 * ms}, "1b 70 00 11 04"},
		{device.Pulse{Pin: 5, On: 150 * ms, Off: 0, Urgent: true}, "10 14 01 01 02"},
		{device.Pulse{Pin: 3, On: 50 * ms}, ""},
		{device.Pulse{Pin: 2}, ""},
		{device.Pulse{Pin: 2, On: time.Second}, ""},
	} {
		chunks, _, err := language(t, "epson-80").Job(device.Document{c.pulse})
		got := ""
		if err == nil {
			got = fmt.Sprintf("% x", bytes.Join(chunks, nil))
		}
		if got != c.want {
			t.Errorf("%+v is %q, %v; want %q", c.pulse, got, err, c.want)
		}
	}
}

func TestTheProfileIsFoundByName(t *testing.T) {
	for _, c := range []struct {
		names []string
		want  string
	}{
		{nil, "auto"},
		{[]string{"EPSON"}, "auto"},
		{[]string{"EPSON", "TM-T88V"}, "epson-80"},
		{[]string{"EPSON", "TM-T20III"}, "epson-80-wide"},
		{[]string{"EPSON", "TM-m30"}, "epson-80-wide"},
		{[]string{"X", "POS-58"}, "clone-58"},
		{[]string{"X", "Y"}, "auto"},
	} {
		if got := language(t, "auto").Adapt(c.names, true).(Language).Profile(); got != c.want {
			t.Errorf("%q is %s, want %s", c.names, got, c.want)
		}
	}
	if got := language(t, "clone-58").Adapt([]string{"EPSON", "TM-T88V"}, true).(Language).Profile(); got != "clone-58" {
		t.Errorf("the configured profile became %s", got)
	}
	if _, err := NewLanguage("star"); err == nil || !strings.Contains(err.Error(), "epson-80") {
		t.Errorf("an unknown profile: %v", err)
	}
}

// BenchmarkReceipt is a receipt with everything. Baseline: epson-80 0.45 ms,
// clone-58, with its QR code as a picture, 0.57 ms (2 cores of a busy amd64
// machine); nine tenths of it make the QR code.
func BenchmarkReceipt(b *testing.B) {
	for _, name := range []string{"epson-80", "clone-58"} {
		l := language(b, name)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, _, err := l.Job(receipt); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
