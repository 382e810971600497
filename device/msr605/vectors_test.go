package msr605

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"till/device"
)

// vectors is testdata/magstripe.json, the project's vectors/magstripe.json.
type vectors struct {
	Manual []struct {
		Track   int
		Text    string
		BPC7    string `json:"bpc7_with_parity_lrc"`
		BPC5    string `json:"bpc5_with_parity_lrc"`
		Write   string `json:"bpc8_write"`
		Compute string `json:"bpc8_write_computed"`
		Summary string `json:"bpc8_write_manual_summary"`
		Read    string `json:"bpc8_read"`
	}
	Frames map[string]string
	Card   []struct{ Track1 string }
	Bad    map[string]string
}

func load(t testing.TB) (v vectors) {
	t.Helper()
	text, err := os.ReadFile("testdata/magstripe.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Manual) != 2 || len(v.Frames) != 5 || len(v.Card) != 6 || len(v.Bad) != 2 {
		t.Fatalf("vectors are incomplete: %+v", v)
	}
	return v
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTracksAreEncodedAsInTheManual(t *testing.T) {
	for _, v := range load(t).Manual {
		l := layouts[v.Track-1]
		characters, err := l.encode([]byte(v.Text))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := hex.EncodeToString(characters), v.BPC7+v.BPC5; got != want {
			t.Errorf("track %d: %s, want %s", v.Track, got, want)
		}
		bits, err := Bits(v.Track, []byte(v.Text))
		if err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(bits.Reveal()); got != v.Read {
			t.Errorf("track %d is read as %s, want %s", v.Track, got, v.Read)
		}
		for _, want := range []string{v.Write, v.Compute, v.Summary} {
			if got := hex.EncodeToString(reversed(bits.Reveal())); want != "" && got != want {
				t.Errorf("track %d is written as %s, want %s", v.Track, got, want)
			}
		}
		if got, err := l.decode(characters); err != nil || string(got) != v.Text {
			t.Errorf("track %d decodes to %q, %v", v.Track, got, err)
		}
		if got := Text(v.Track, unhex(t, v.Read)); got.Kind() != device.TextTrack || string(got.Reveal()) != v.Text {
			t.Errorf("track %d: bits say %q", v.Track, got.Reveal())
		}
	}
}

func TestParityAndLRCFaultsAreFound(t *testing.T) {
	bad := load(t).Bad
	for name, want := range map[string]error{"t1_parity_error_bpc7": errParity, "t1_lrc_error_bpc7": errLRC} {
		characters := unhex(t, bad[name])
		if _, err := layouts[0].decode(characters); !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
		if got := Text(1, layouts[0].pack(characters)); got.Kind() != device.BadTrack {
			t.Errorf("%s is read as %q", name, got.Reveal())
		}
	}
	good, err := Bits(1, []byte("%ABC123?"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 9 * 7 {
		flipped := bytes.Clone(good.Reveal())
		flipped[i/8] ^= 0x80 >> (i % 8)
		if got := Text(1, flipped); got.Kind() == device.TextTrack {
			t.Errorf("bit %d flipped is read as %q", i, got.Reveal())
		}
	}
}

func TestKeysFitTrackOne(t *testing.T) {
	for _, v := range load(t).Card {
		if _, err := isoBlock(device.Stripe{device.TextOf(v.Track1)}); err != nil {
			t.Errorf("%s: %v", v.Track1, err)
		}
	}
}

func TestWriteBlocksAreThoseOfTheManual(t *testing.T) {
	frames := load(t).Frames
	iso, err := isoBlock(device.Stripe{device.TextOf("%ABC123?"), device.TextOf(";12345?"), device.TextOf(";12345?")})
	if got := "1b77" + hex.EncodeToString(iso); err != nil || got != frames["iso_write_manual"] {
		t.Errorf("%s, %v, want %s", got, err, frames["iso_write_manual"])
	}
	one, err := Bits(1, []byte("%ABC123?"))
	if err != nil {
		t.Fatal(err)
	}
	two, err := Bits(2, []byte(";12345?"))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := rawBlock(device.Stripe{one, two, two})
	if got := "1b6e" + hex.EncodeToString(raw); err != nil || got != frames["raw_write_manual_8bpc"] {
		t.Errorf("%s, %v, want %s", got, err, frames["raw_write_manual_8bpc"])
	}
}

func TestAnswersAreReadByPosition(t *testing.T) {
	frames := load(t).Frames
	none, bad := device.Track{}, device.Unreadable()
	for _, c := range []struct {
		name, hex string
		parse     func([]byte) (device.Stripe, byte, error)
		want      device.Stripe
		status    byte
	}{
		{"manual", frames["iso_read_reply_manual"], parseISO, device.Stripe{device.TextOf("%01?"), device.TextOf(";23?"), device.TextOf(";45?")}, '0'},
		{"marks", frames["iso_read_empty_t1_bad_t3"], parseISO, device.Stripe{none, device.TextOf(";23?"), bad}, '1'},
		{"nothing at all", "1b731b011b021b033f1c1b31", parseISO, device.Stripe{}, '1'},
		{"a track that looks like an end", "1b731b01253f1b021b033f1c1b30", parseISO, device.Stripe{device.TextOf("%?")}, '0'},
		{"raw track 2", frames["raw_read_only_t2"], parseRaw, device.Stripe{none, device.BitsOf(unhex(t, "d4119257f5")), none}, '0'},
		{"bits that look like a frame", "1b731b01041b023f1c1b02001b03021b303f1c1b30", parseRaw,
			device.Stripe{device.BitsOf(unhex(t, "1b023f1c")), none, device.BitsOf(unhex(t, "1b30"))}, '0'},
	} {
		t.Run(c.name, func(t *testing.T) {
			frame := unhex(t, c.hex)
			got, status, err := c.parse(frame)
			if err != nil || status != c.status {
				t.Fatalf("status %c, %v", status, err)
			}
			for i := range got {
				if got[i].Kind() != c.want[i].Kind() || !bytes.Equal(got[i].Reveal(), c.want[i].Reveal()) {
					t.Errorf("track %d: %q, want %q", i+1, got[i].Reveal(), c.want[i].Reveal())
				}
			}
			for n := range frame {
				if _, _, err := c.parse(frame[:n]); !errors.Is(err, errMore) {
					t.Errorf("the first %d bytes: %v", n, err)
				}
			}
			if _, _, err := c.parse(append(frame, 0)); !errors.Is(err, errGarbled) {
				t.Errorf("a byte too many: %v", err)
			}
		})
	}
}

func TestWhatAStripeCannotHoldIsRefused(t *testing.T) {
	long := func(start string, n int) string { return start + strings.Repeat("1", n) + "?" }
	for name, s := range map[string]device.Stripe{
		"lower case":         {device.TextOf("%abc?")},
		"control":            {device.TextOf("%A\x1bB?")},
		"beyond ASCII":       {device.TextOf("%É?")},
		"inner end":          {device.TextOf("%A?B?")},
		"inner start":        {device.TextOf("%A%B?")},
		"no sentinels":       {device.TextOf("ABC")},
		"wrong sentinel":     {device.TextOf(";ABC?")},
		"letters on track 2": {device.Track{}, device.TextOf(";1A?")},
		"77 on track 1":      {device.TextOf(long("%", 77))},
		"38 on track 2":      {{}, device.TextOf(long(";", 38))},
		"105 on track 3":     {{}, {}, device.TextOf(long(";", 105))},
		"bits":               {device.BitsOf([]byte{0x80})},
	} {
		if _, err := isoBlock(s); !errors.Is(err, device.ErrTrack) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := isoBlock(device.Stripe{device.TextOf(long("%", 76)), device.TextOf(long(";", 37)), device.TextOf(long(";", 104))}); err != nil {
		t.Errorf("full tracks: %v", err)
	}
	for name, s := range map[string]device.Stripe{
		"too many bits": {{}, device.BitsOf(make([]byte, room75+1))},
		"text":          {device.TextOf("%A?"), device.BitsOf([]byte{0x80})},
	} {
		if _, err := rawBlock(s); !errors.Is(err, device.ErrTrack) {
			t.Errorf("%s as bits: %v", name, err)
		}
	}
}

// FuzzParseISO: whatever is accepted is exactly one answer, its texts can be
// written again or are longer than the standard allows, and no prefix of it is
// an answer.
func FuzzParseISO(f *testing.F) {
	for _, frame := range load(f).Frames {
		f.Add(unhex(f, frame))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		s, _, err := parseISO(p)
		if err != nil {
			return
		}
		size := 2 + 3*2 + 2 + 2
		for _, track := range s {
			text := track.Reveal()
			size += len(text)
			if track.Kind() == device.TextTrack && (len(text) > longestText || bytes.IndexByte(text, end) != len(text)-1) {
				t.Errorf("track %q", text)
			}
		}
		if len(p) < size || len(p) > size+3*2 {
			t.Errorf("%d bytes for an answer of %d", len(p), size)
		}
		if _, _, err := parseISO(p[:len(p)-1]); !errors.Is(err, errMore) {
			t.Errorf("without its last byte: %v", err)
		}
	})
}

// FuzzParseRaw: whatever is accepted comes out again as the same bytes.
func FuzzParseRaw(f *testing.F) {
	for _, frame := range load(f).Frames {
		f.Add(unhex(f, frame))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		s, status, err := parseRaw(p)
		if err != nil {
			return
		}
		again := []byte{escape, 's'}
		for i, track := range s {
			again = append(again, escape, byte(i+1), byte(len(track.Reveal())))
			again = append(again, track.Reveal()...)
		}
		if again = append(again, end, separator, escape, status); !bytes.Equal(again, p) {
			t.Errorf("% x was read from % x", again, p)
		}
	})
}

// FuzzTrack: bits that say a text are the bits of that text.
func FuzzTrack(f *testing.F) {
	for _, v := range load(f).Manual {
		f.Add(byte(v.Track), unhex(f, v.Read))
	}
	f.Fuzz(func(t *testing.T, n byte, bits []byte) {
		track := int(n)%3 + 1
		got := Text(track, bits)
		if got.Kind() != device.TextTrack {
			return
		}
		back, err := Bits(track, got.Reveal())
		if errors.Is(err, device.ErrTrack) {
			return // a card of another standard
		}
		if err != nil {
			t.Fatal(err)
		}
		read := layouts[track-1].unpack(bits)
		if written := layouts[track-1].unpack(back.Reveal()); !bytes.HasPrefix(read, written[:len(got.Reveal())+1]) {
			t.Errorf("% x reads as %q, which is % x", bits, got.Reveal(), back.Reveal())
		}
	})
}
