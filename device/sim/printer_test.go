package sim

import (
	"bufio"
	"bytes"
	"context"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"till/device"
)

func printer(t testing.TB, profile string) *Printer {
	t.Helper()
	p, err := NewPrinter(profile, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// printed is the paper after bytes.
func printed(t *testing.T, profile, bytes string) *Printer {
	t.Helper()
	p := printer(t, profile)
	p.change(func() { p.receive([]byte(bytes)) })
	return p
}

func TestCommandsOnPaper(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"text waits for its line feed", "abc", ""},
		{"text", "abc\n", "abc\n"},
		{"ESC @ throws the line away", "abc\x1b@def\n", "def\n"},
		{"code pages", "\x1bt\x00\x82 \x1bt\x13\xd5 \x1bt\x10\x80 \x1bt\x11\x80\n", "é € € А\n"},
		{"alignment", "\x1ba\x01abcd\n\x1ba\x02x\n\x1ba\x00y\n", strings.Repeat(" ", 19) + "abcd\n" + strings.Repeat(" ", 41) + "x\ny\n"},
		{"ASCII digits as parameters", "\x1ba1abcd\n", strings.Repeat(" ", 19) + "abcd\n"},
		{"double width", "\x1d!\x11" + strings.Repeat("w", 22) + "\n", strings.Repeat("w", 21) + "\nw\n"},
		{"font B", "\x1bM\x01" + strings.Repeat("b", 57) + "\n", strings.Repeat("b", 56) + "\nb\n"},
		{"absolute position", "a\x1b$\x3c\x00b\n", "a    b\n"},
		{"tab", "a\tb\n", "a       b\n"},
		{"feed and cut", "a\n\x1bd\x02\x1dVB\x00", "a\n- - - 8< - - -\n"},
		{"NUL is nothing", "\x00\x00a\x00\n", "a\n"},
		{"Code 128", "\x1dkI\x06{B{{x}\n", "[barcode {x}]\n\n"},
		{"EAN by NUL", "\x1dk\x02400638133393\x00a\n", "[barcode 400638133393]\na\n"},
		{"QR", "\x1d(k\x04\x001A2\x00\x1d(k\x05\x001P0hi\x1d(k\x03\x001Q0", "[qr]\n"},
		{"raster in two bands", "\x1dv0\x00\x01\x00\x02\x00\xff\x00\x1dv0\x00\x01\x00\x01\x00\xff", "[picture 8x3]\n"},
		{"graphics", "\x1d8L\x0b\x00\x00\x000p0\x01\x011\x08\x00\x01\x00\xff\x1d(L\x02\x0002", "[picture 8x1]\n"},
		{"the display's bytes are not the paper's", "\x1b=\x02secret\x1b=\x01a\n", "a\n"},
	} {
		p := printed(t, "epson-80", c.in)
		if got := p.Text(); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if got := p.Complaints(); len(got) > 0 {
			t.Errorf("%s: complaints %q", c.name, got)
		}
	}
}

func TestComplaints(t *testing.T) {
	for _, c := range []struct{ profile, in, want string }{
		{"clone-58", "\x1dVB\x00", "without a cutter"},
		{"clone-58", "\x1d(k\x03\x001Q0", "without QR codes"},
		{"clone-58", "\x1dkI\x03{Bx", "without barcodes"},
		{"epson-80", "\x1bZ", "unknown command"},
		{"epson-80", "x\x1dv0\x00\x01\x00\x01\x00\xff", "middle of a line"},
		{"epson-80", "x\x1ba\x01", "middle of a line"},
		{"epson-80", "\x1bt\x63", "code page 99"},
		{"epson-80", "\x1d8L\xff\xff\xff\xff", "bytes"},
	} {
		p := printed(t, c.profile, c.in)
		if got := strings.Join(p.Complaints(), "; "); !strings.Contains(got, c.want) {
			t.Errorf("% x: complaints %q, want %q", c.in, got, c.want)
		}
	}
	if p := printed(t, "clone-58", "\x82\xa0x\n"); p.Text() != "□x\n" {
		t.Errorf("a printer in two-byte mode prints %q", p.Text())
	}
}

// ask sends bytes and gives back the answer.
func ask(p *Printer, in string) []byte {
	p.change(func() {
		p.cable.link = nowhere{}
		p.cable.out = nil
		p.receive([]byte(in))
	})
	return p.cable.out
}

// nowhere is a link that nothing is read from.
type nowhere struct{ device.Link }

func (nowhere) Close() error { return nil }

func TestStatusBitByBit(t *testing.T) {
	const all = "\x10\x04\x01\x10\x04\x02\x10\x04\x03\x10\x04\x04"
	for _, c := range []struct {
		obey string
		want string
	}{
		{"paper in", "\x12\x12\x12\x12"},
		{"paper near", "\x12\x12\x12\x1e"},
		{"paper out", "\x1a\x32\x12\x7e"},
		{"cover open", "\x1a\x16\x12\x12"},
		{"error cutter", "\x1a\x52\x1a\x12"},
		{"error fatal", "\x1a\x52\x32\x12"},
		{"error recoverable", "\x1a\x52\x52\x12"},
		{"offline on", "\x1a\x12\x12\x12"},
		{"drawer open", "\x16\x12\x12\x12"},
	} {
		p := printer(t, "epson-80")
		if err := p.Obey(c.obey, nil); err != nil {
			t.Fatal(err)
		}
		if got := ask(p, all); string(got) != c.want {
			t.Errorf("%s: % x, want % x", c.obey, got, c.want)
		}
	}
	p := printer(t, "epson-80")
	for in, want := range map[string]string{
		"\x1da\xff":                              "\x10\x00\x00\x0f",
		"\x1dI\x42\x1dI\x43":                     "\x5fEPSON\x00\x5fTM-T88V\x00",
		"\x1dr1":                                 "\x00",
		"\x1dr\x01":                              "\x00",
		"\x1dv0\x00\x03\x00\x01\x00\x10\x04\x01": "\x12", // even inside a picture
	} {
		if got := ask(p, in); string(got) != want {
			t.Errorf("% x answers % x, want % x", in, got, want)
		}
	}
	if got := ask(printer(t, "generic"), all+"\x1dr1\x1da\xff"); len(got) > 0 {
		t.Errorf("the generic printer answers % x", got)
	}
}

func TestAutomaticStatusTellsEveryChange(t *testing.T) {
	p := printer(t, "epson-80")
	ask(p, "\x1da\xff")
	for _, c := range []struct{ obey, want string }{
		{"paper near", "\x10\x00\x03\x0f"},
		{"paper out", "\x18\x00\x0f\x0f"},
		{"paper out", ""},
		{"cover open", "\x38\x00\x0f\x0f"},
		{"paper in", "\x38\x00\x00\x0f"},
		{"cover closed", "\x10\x00\x00\x0f"},
		{"error cutter", "\x18\x08\x00\x0f"},
		{"restart", ""},
		{"paper out", ""},
	} {
		p.cable.out = nil
		if err := p.Obey(c.obey, nil); err != nil {
			t.Fatal(err)
		}
		if string(p.cable.out) != c.want {
			t.Errorf("%s: % x, want % x", c.obey, p.cable.out, c.want)
		}
	}
}

func TestWhatWasReceivedOutlivesPaperEndAndUnplugging(t *testing.T) {
	p := printer(t, "epson-80")
	p.SetPaperAfter(PaperOut, 1)
	ask(p, "one\ntwo\nthr")
	p.Unplug()
	p.Replug()
	p.SetPaper(PaperIn)
	p.change(func() { p.receive([]byte("ee\n")) })
	if got := p.Text(); got != "one\ntwo\nthree\n" {
		t.Errorf("paper %q", got)
	}
	p.SetPaper(PaperOut)
	ask(p, "four\n")
	p.Restart()
	p.SetPaper(PaperIn)
	if got := p.Text(); strings.Contains(got, "four") {
		t.Errorf("paper after a restart %q", got)
	}
}

func TestPollingAPrinterThatWaitsTakesNoRoom(t *testing.T) {
	p := printer(t, "epson-80")
	p.SetPaper(PaperOut)
	for range 5000 {
		ask(p, "\x10\x04\x01")
	}
	if p.Received() != 0 {
		t.Errorf("%d bytes of questions in the buffer", p.Received())
	}
}

func TestObeyRefusesWhatItDoesNotUnderstand(t *testing.T) {
	p := printer(t, "epson-80")
	for _, line := range []string{"paper", "paper up", "paper out after x lines", "cover", "error big", "garble 2", "garble NaN", "garble -1", "dance", strings.Repeat("x", 9000)} {
		if err := p.Obey(line, nil); err == nil {
			t.Errorf("%.20q is obeyed", line)
		}
	}
	var out bytes.Buffer
	for _, line := range []string{"", "  ", "paper out after 3 lines", "paper near", "garble 0.5", "stall on", "stall off", "show", "dump"} {
		if err := p.Obey(line, &out); err != nil {
			t.Errorf("%q: %v", line, err)
		}
	}
}

func FuzzObey(f *testing.F) {
	f.Add("paper out after 3 lines")
	f.Add("garble 0.5")
	f.Fuzz(func(t *testing.T, line string) {
		var out bytes.Buffer
		_ = printer(t, "epson-80").Obey(line, &out)
		s := NewScanner("\r")
		_ = s.Obey(line, &out)
	})
}

func FuzzExecutor(f *testing.F) {
	f.Add("epson-80", []byte("\x1b@\x1da\xffabc\n\x1d(k\x05\x001P0hi\x1d(k\x03\x001Q0\x1dVB\x00\x1dr1"))
	f.Add("clone-58", []byte("\x1dv0\x00\x02\x00\x02\x00\x10\x04\x01\x00\x1bJ\x10"))
	f.Add("auto", []byte("\x1d8L\x0b\x00\x00\x000p0\x01\x011\x08\x00\x01\x00\xff\x1d(L\x02\x0002\x1b*\x21\x01\x00abc\x1b=\x02x"))
	f.Fuzz(func(t *testing.T, profile string, in []byte) {
		whole, err := NewPrinter(profile, nil)
		if err != nil {
			return
		}
		glass, err := NewDisplay("epson")
		if err != nil {
			t.Fatal(err)
		}
		whole.Behind(glass)
		whole.change(func() { whole.receive(in) })
		pieces := printer(t, profile)
		for _, b := range in {
			pieces.change(func() { pieces.receive([]byte{b}) })
		}
		if whole.Text() != pieces.Text() {
			t.Errorf("% x prints %q whole and %q in pieces", in, whole.Text(), pieces.Text())
		}
	})
}

// readQR decodes a QR code with a decoder that is none of ours.
func readQR(t *testing.T, p *Printer) string {
	t.Helper()
	zbar, err := exec.LookPath("zbarimg")
	if err != nil {
		t.Skip("zbarimg is not here")
	}
	file := filepath.Join(t.TempDir(), "paper.png")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(f, p.Picture()); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), zbar, "-q", "--raw", "-Sdisable", "-Sqrcode.enable", file).Output()
	if err != nil {
		t.Fatalf("zbarimg: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// TestReceiptio plays what a real client sent, and answered to.
func TestReceiptioIsSatisfied(t *testing.T) {
	file, err := os.Open("testdata/receiptio.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	p := printer(t, "epson-80-wide")
	defer p.Close()
	var hand []string
	var talk strings.Builder
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line := lines.Text()
		obey, isHand := strings.CutPrefix(line, "# obey ")
		if strings.HasPrefix(line, "# connection") || isHand {
			converse(t, p, talk.String())
			talk.Reset()
		}
		if isHand {
			hand = append(hand, obey)
			if err := p.Obey(obey, nil); err != nil {
				t.Fatal(err)
			}
		}
		talk.WriteString(line + "\n")
	}
	converse(t, p, talk.String())
	if len(hand) != 6 {
		t.Errorf("obeyed %q", hand)
	}
	text := p.Text()
	for _, want := range []string{"Café                                        5,00\n", "TOTAL                            12,30\n", "[picture 104x100]", "8<"} {
		if strings.Count(text, want) < 2 {
			t.Errorf("paper lacks %q:\n%s", want, text)
		}
	}
	// Its question to printers of Star's kind is the only thing not understood.
	if c := slices.Compact(p.Complaints()); !slices.Equal(c, []string{"unknown command 1B 06"}) {
		t.Errorf("complaints %q", c)
	}
	if got := readQR(t, p); got != "https://till.example/\nhttps://till.example/" && got != "https://till.example/" {
		t.Errorf("QR %q", got)
	}
}

// converse says one side of a connection and expects the other.
func converse(t *testing.T, p *Printer, talk string) {
	t.Helper()
	turns, err := device.ParseConversation(strings.NewReader(talk))
	if err != nil {
		t.Fatal(err)
	}
	if len(turns) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	link, err := p.Dial(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer link.Close()
	for i, turn := range turns {
		if !turn.Device {
			if _, err := link.Write(ctx, turn.Bytes); err != nil {
				t.Fatalf("turn %d: %v", i, err)
			}
			continue
		}
		got := make([]byte, len(turn.Bytes))
		for n := 0; n < len(got); {
			m, err := link.Read(ctx, got[n:])
			if err != nil {
				t.Fatalf("turn %d: got % x, want % x: %v", i, got[:n], turn.Bytes, err)
			}
			n += m
		}
		if !bytes.Equal(got, turn.Bytes) {
			t.Errorf("turn %d: % x, want % x", i, got, turn.Bytes)
		}
	}
}

func TestQRCodesCanBeRead(t *testing.T) {
	const content = "BITCOIN:BC1QCR8TE4KR609GCAWUTMRZA0J4XV80JY8Z306FYU"
	p := printed(t, "epson-80", "\x1ba\x01\x1d(k\x03\x001C\x06\x1d(k\x35\x001P0"+content+"\x1d(k\x03\x001Q0")
	if got := readQR(t, p); got != content {
		t.Errorf("read %q", got)
	}
	if got := p.QRs(); !slices.Equal(got, []string{content}) {
		t.Errorf("stored %q", got)
	}
}

func TestAStalledPrinterTakesNothingAndSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := printer(t, "epson-80")
		defer p.Close()
		link, err := p.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p.StallAfter(4)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := link.Write(ctx, bytes.Repeat([]byte("abc\n\x10\x04\x01"), 200)); err == nil {
			t.Error("a stalled printer takes 1400 bytes")
		}
		if n, err := link.Read(ctx, make([]byte, 8)); err == nil {
			t.Errorf("a stalled printer says %d bytes", n)
		}
		p.Stall(false)
		if _, err := link.Read(t.Context(), make([]byte, 8)); err != nil || p.Lines() == 0 {
			t.Errorf("%d lines, %v", p.Lines(), err)
		}
	})
}

func TestDisplayCommands(t *testing.T) {
	for _, c := range []struct{ set, in, one, two string }{
		{"epson", "\x0cabc", "abc", ""},
		{"epson", "\x1f$\x03\x02x", "", "  x"},
		{"epson", "12345678901234567890ab", "12345678901234567890", "ab"},
		{"epson", "abc\x0bx", "xbc", ""},
		{"epson", "abc\x1b@", "", ""},
		{"epson", "\x1bt\x13\xd5", "€", ""},
		{"cd5220", "\x1bQAupper\r\x1bQBlower\r", "upper", "lower"},
		{"cd5220", "\x1bl\x02\x01x", " x", ""},
	} {
		d, err := NewDisplay(c.set)
		if err != nil {
			t.Fatal(err)
		}
		d.receive([]byte(c.in))
		if d.Line(1) != c.one || d.Line(2) != c.two {
			t.Errorf("%s: %q shows %q and %q", c.set, c.in, d.Line(1), d.Line(2))
		}
	}
}

func FuzzDisplay(f *testing.F) {
	f.Add([]byte("\x1bQAupper\r\x1f$\x14\x02xx\x0c"))
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, set := range []string{"epson", "cd5220"} {
			d, err := NewDisplay(set)
			if err != nil {
				t.Fatal(err)
			}
			d.receive(in)
			if n := len([]rune(d.Line(1))); n > displayColumns {
				t.Errorf("%d characters on a line", n)
			}
		}
	})
}
