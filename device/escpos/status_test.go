package escpos

import (
	"fmt"
	"strings"
	"testing"

	"till/device"
)

// say writes replies down.
func say(replies []device.Reply) string {
	var words []string
	for _, r := range replies {
		switch r.Kind {
		case device.RealTimeReply:
			words = append(words, fmt.Sprintf("real-time %02x", r.Byte))
		case device.AutomaticReply:
			words = append(words, fmt.Sprintf("automatic %q", r.Set.Fault()))
		case device.JobReply:
			words = append(words, "job")
		case device.NameReply:
			words = append(words, "name "+r.Text)
		}
	}
	return strings.Join(words, ", ")
}

func TestAnswersAreToldApart(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"\x12", "real-time 12"},
		{"\x1e\x16\x72", "real-time 1e, real-time 16, real-time 72"},
		{"\x10\x00\x00\x0f", `automatic ""`},
		{"\x38\x00\x00\x0f", `automatic "cover_open"`},
		{"\x18\x00\x0f\x0f", `automatic "paper_end"`},
		{"\x18\x08\x00\x0f", `automatic "cutter"`},
		{"\x18\x20\x00\x0f", `automatic "fatal"`},
		{"\x18\x40\x00\x0f", `automatic "recoverable"`},
		{"\x00", "job"},
		{"\x0f", "job"},
		{"\x5fEPSON\x00\x5fTM-T88V\x00", "name EPSON, name TM-T88V"},
		{"\x11\x13", ""},
		{"\x10\x13\x00\x11\x00\x0f", `automatic ""`},
		{"\x5fEP\x13SON\x00", "name EPSON"},
		{"\x10\x00\x12", "real-time 12"},                                 // broken off: what follows counts
		{"\x10\x00\x10\x00\x00\x0f", `automatic ""`},                     // broken off by another
		{"\x5f\x12", "real-time 12"},                                     // no name
		{"\x80\xff\x90", ""},                                             // noise
		{"\x5f" + strings.Repeat("x", 300) + "\x00\x12", "real-time 12"}, // too long a name
	} {
		for cut := range len(c.in) {
			parse := Language{}.NewParser()
			got := say(append(parse([]byte(c.in[:cut])), parse([]byte(c.in[cut:]))...))
			if got != c.want && !strings.HasSuffix(got, c.want) {
				t.Errorf("% x cut at %d: %s, want %s", c.in, cut, got, c.want)
			}
		}
	}
}

func TestQuestionsAreJudged(t *testing.T) {
	for _, c := range []struct {
		question int
		answer   byte
		want     device.Condition
	}{
		{0, 0x12, 0},
		{0, 0x1A, device.IsOffline},
		{0, 0x16, device.IsDrawerPinHigh},
		{1, 0x16, device.IsCoverOpen},
		{1, 0x32, device.IsPaperEnd},
		{1, 0x52, device.IsRecoverable},
		{2, 0x1A, device.IsCutterJam},
		{2, 0x32, device.IsFatal},
		{2, 0x52, device.IsRecoverable},
		{3, 0x1E, device.IsPaperNearEnd},
		{3, 0x7E, device.IsPaperNearEnd | device.IsPaperEnd},
	} {
		questions, _ := Language{}.Questions()
		if _, got := questions[c.question].Judge(c.answer); got != c.want {
			t.Errorf("% x answered %02x: %b, want %b", questions[c.question].Ask, c.answer, got, c.want)
		}
	}
}

func FuzzParser(f *testing.F) {
	f.Add([]byte("\x12\x10\x00\x00\x0f\x5fEPSON\x00\x00"))
	f.Add([]byte("\x10\x13\x00\x5f\xff"))
	f.Fuzz(func(t *testing.T, in []byte) {
		whole := say(Language{}.NewParser()(in))
		parse := Language{}.NewParser()
		var pieces []device.Reply
		for _, b := range in {
			pieces = append(pieces, parse([]byte{b})...)
		}
		if say(pieces) != whole {
			t.Errorf("% x: %s in pieces, %s whole", in, say(pieces), whole)
		}
		for _, r := range pieces {
			if len(r.Text) > maxBlock {
				t.Errorf("a name of %d bytes", len(r.Text))
			}
		}
	})
}
