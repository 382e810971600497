package sim_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"till/device"
	"till/device/msr605"
	"till/device/sim"
)

func newCardReader(t *testing.T, profile string) *sim.CardReader {
	t.Helper()
	r, err := sim.NewCardReader(profile, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// talk says hex to a reader and gives back, in hex, as many bytes as wanted.
func talk(t *testing.T, link device.Link, say, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	p, err := hex.DecodeString(say)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := link.Write(ctx, p); err != nil {
		t.Fatal(err)
	}
	hear(t, link, want)
}

func hear(t *testing.T, link device.Link, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	var got []byte
	for p := make([]byte, 256); len(got) < len(want)/2; {
		n, err := link.Read(ctx, p)
		if err != nil {
			t.Fatalf("heard %x, then %v, want %s", got, err, want)
		}
		got = append(got, p[:n]...)
	}
	if hex.EncodeToString(got) != want {
		t.Errorf("heard %x, want %s", got, want)
	}
}

func show(t *testing.T, r *sim.CardReader, line string) string {
	t.Helper()
	var out bytes.Buffer
	if err := r.Obey(line, &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// await waits until the reader waits for a swipe and pulls the card through.
func swipe(t *testing.T, r *sim.CardReader, line string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if !r.AwaitWaiting(ctx) {
		t.Fatal("the reader does not wait for a card")
	}
	show(t, r, line)
}

// TestCardReaderSpeaksAsTheManualSays runs the manual's examples (sections 8 and
// 9): what is written as text or as bits is read as either.
func TestCardReaderSpeaksAsTheManualSays(t *testing.T) {
	r := newCardReader(t, "msr605")
	link, err := r.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer link.Close()
	talk(t, link, "1b611b65", "1b79")
	talk(t, link, "1b78", "1b30")
	talk(t, link, "1b64", "1b48")
	talk(t, link, "1b74", "1b3353")
	talk(t, link, "1b6c", "1b3d16")
	talk(t, link, "1b87", "1b30")
	talk(t, link, "1b771b731b014142433132331b0231323334351b0331323334353f1c", "")
	swipe(t, r, "swipe")
	hear(t, link, "1b30")
	talk(t, link, "1b72", "")
	swipe(t, r, "swipe")
	hear(t, link, "1b731b01254142433132333f1b023b31323334353f1b033b31323334353f3f1c1b30")
	talk(t, link, "1b6f080808", "1b30080808")
	talk(t, link, "1b6d", "")
	swipe(t, r, "swipe")
	hear(t, link, "1b731b0108a30d1e28a9727c541b0205d4119257f51b0305d4119257f53f1c1b30")
	show(t, r, "card hi")
	talk(t, link, "1b6e1b731b0108c5b07814954e3e2a1b02052b8849eaaf1b03052b8849eaaf3f1c", "")
	swipe(t, r, "swipe")
	hear(t, link, "1b30")
	if got, want := show(t, r, "show"), "card hi\n1 %ABC123?\n2 ;12345?\n3 ;12345?\n"; got != want {
		t.Errorf("the card holds\n%swant\n%s", got, want)
	}
	if got, want := show(t, r, "dump"), "1 a30d1e28a9727c54\n2 d4119257f5\n3 d4119257f5\n"; got != want {
		t.Errorf("the card's bits are\n%swant\n%s", got, want)
	}
	show(t, r, "card hi")
	// Seven, five and five bits, one character to a byte, as in section 9.
	talk(t, link, "1b6f070505", "1b30070505")
	talk(t, link, "1b6e1b731b0109456162235152131f2a1b02080b01021304151f151b03003f1c", "")
	swipe(t, r, "swipe")
	hear(t, link, "1b30")
	if got, want := show(t, r, "show"), "card hi\n1 %ABC123?\n2 ;12345?\n3\n"; got != want {
		t.Errorf("the card holds\n%swant\n%s", got, want)
	}
}

func TestCardReaderRefusesWhatItDoesNotKnow(t *testing.T) {
	r := newCardReader(t, "")
	link, err := r.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer link.Close()
	talk(t, link, "1b51", "1b34")               // no such command
	talk(t, link, "1b6f090505", "1b41")         // nine bits
	talk(t, link, "1b6277", "1b41")             // no such density
	talk(t, link, "1b6308", "1b41")             // no such track
	talk(t, link, "1b771b7301", "1b32")         // a block without its tracks
	talk(t, link, "1b771b731b01611b65", "1b79") // a command breaks a block off
	talk(t, link, "1b771b731b011b021b031b65", "1b79")
	talk(t, link, "1b771b731b01e9411b021b033f1c", "1b32") // no code for it
	talk(t, link, "1b721b651b611b65", "1b79")             // it hears only a reset while it waits
}

func TestCardReaderObeysItsLines(t *testing.T) {
	r := newCardReader(t, "msr206")
	for line, want := range map[string]string{
		"card hi":                "card hi\n1\n2\n3\n",
		"card lo %AB C?":         "card lo\n1 %AB C?\n2\n3\n",
		"card hi AB|12|345":      "card hi\n1 %AB?\n2 ;12?\n3 ;345?\n",
		"card hi |;12?":          "card hi\n1\n2 ;12?\n3\n",
		"card lo %A B? ;12? ;3?": "card lo\n1 %A B?\n2 ;12?\n3 ;3?\n",
		"card lo ;12?":           "card lo\n1\n2 ;12?\n3\n",
		"  card  hi  HELLO ":     "card hi\n1 %HELLO?\n2\n3\n",
	} {
		show(t, r, line)
		if got := show(t, r, "show"); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	for _, line := range []string{"card", "card mid", "card hi é", "card hi A|B", "card hi 1|2|3|4", "card hi %A? %B?", "card hi %A? x",
		"swipe twice", "garble 2", "garble x", "stall", "paper out", strings.Repeat("x", 9000)} {
		if err := r.Obey(line, nil); err == nil {
			t.Errorf("%.20s was obeyed", line)
		}
	}
	if err := r.Obey("  ", nil); err != nil {
		t.Error(err)
	}
	if _, err := sim.NewCardReader("msr605x", nil); err == nil {
		t.Error("an unknown profile was taken")
	}
}

// TestCardReaderIsReachedByAddress makes a card over a pseudo-terminal and over
// TCP, through the addresses of the configuration.
func TestCardReaderIsReachedByAddress(t *testing.T) {
	for name, plug := range map[string]func(*testing.T, context.Context, *sim.CardReader, *sync.WaitGroup) string{
		"pty": plugPTY, "tcp": plugTCP,
	} {
		t.Run(name, func(t *testing.T) {
			r := newCardReader(t, "msr605")
			ctx, cancel := context.WithCancel(t.Context())
			var running sync.WaitGroup
			defer func() { cancel(); running.Wait() }()
			address, err := device.ParseURL(plug(t, ctx, r, &running), 9600)
			if err != nil {
				t.Fatal(err)
			}
			reader := msr605.New(address.Dialer(nil), func(device.Status) {})
			running.Go(func() { reader.Run(ctx) })
			running.Go(func() {
				for r.AwaitWaiting(ctx) {
					r.Swipe(sim.GoodSwipe)
				}
			})
			err = device.MakeCard(ctx, reader, device.Stripe{device.TextOf("%OVER THE WIRE?")}, device.HiCo, func(device.CardStep) {})
			if err != nil || r.Text(1) != "%OVER THE WIRE?" {
				t.Errorf("%v; the card holds %q", err, r.Text(1))
			}
		})
	}
}

func plugPTY(t *testing.T, ctx context.Context, r *sim.CardReader, running *sync.WaitGroup) string {
	link, path, err := device.OpenPTY()
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	running.Go(func() { _ = r.Serve(ctx, link); _ = link.Close() })
	return "serial://" + path
}

func plugTCP(t *testing.T, ctx context.Context, r *sim.CardReader, running *sync.WaitGroup) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	context.AfterFunc(ctx, func() { _ = l.Close() })
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			link := device.NewLink(conn)
			running.Go(func() { _ = r.Serve(ctx, link); _ = link.Close() })
		}
	})
	return "tcp://" + l.Addr().String()
}

// FuzzCardReader: no bytes of a host make the reader hang, and after a reset and
// enough filler it lives.
func FuzzCardReader(f *testing.F) {
	for _, s := range []string{"1b72", "1b6e1b731b0108c5b07814954e3e2a1b02052b8849eaaf1b03052b8849eaaf3f1c",
		"1b771b731b014142433132331b0231323334351b0331323334353f1c", "1b6e1b731b01ff"} {
		p, err := hex.DecodeString(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		r := newCardReader(t, "")
		link, err := r.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer link.Close()
		go func() {
			_, _ = link.Write(t.Context(), append(append(p, make([]byte, 257)...), "\x1ba\x1be"...))
		}()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		var heard []byte
		for b := make([]byte, 256); !bytes.HasSuffix(heard, []byte("\x1by")); {
			n, err := link.Read(ctx, b)
			if err != nil {
				t.Fatalf("% x: heard % x, then %v", p, heard, err)
			}
			heard = append(heard, b[:n]...)
		}
	})
}
