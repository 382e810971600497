package device_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"till/device"
	"till/device/escpos"
	"till/device/sim"
)

func TestAConversationIsPlayedAsItWasRecorded(t *testing.T) {
	var tape strings.Builder
	print := func(t *testing.T, dial device.Dialer, paper *sim.Printer) {
		language, err := escpos.NewLanguage("auto")
		if err != nil {
			t.Fatal(err)
		}
		s := start(t, paper, dial, language)
		if err := s.printer.Print(device.Job{ID: "a", Document: receipt("Anna")}); err != nil {
			t.Fatal(err)
		}
		s.wants("a", device.JobDone, 5*time.Second)
		s.stop()
	}
	synctest.Test(t, func(t *testing.T) {
		paper, err := sim.NewPrinter("epson-80", nil)
		if err != nil {
			t.Fatal(err)
		}
		print(t, func(ctx context.Context) (device.Link, error) {
			link, err := paper.Dial(ctx)
			return device.Record(link, &tape), err
		}, paper)
	})
	turns, err := device.ParseConversation(strings.NewReader("# an Epson\n\n" + tape.String()))
	if err != nil || len(turns) < 8 || turns[0].Device {
		t.Fatalf("%d turns, %v", len(turns), err)
	}
	synctest.Test(t, func(t *testing.T) {
		paper, err := sim.NewPrinter("epson-80", nil)
		if err != nil {
			t.Fatal(err)
		}
		print(t, func(context.Context) (device.Link, error) { return device.Play(turns), nil }, paper)
	})
}

func TestAPlayerFailsWhatDeviates(t *testing.T) {
	turns, err := device.ParseConversation(strings.NewReader("> 01 02\n< 03\n> 04"))
	if err != nil {
		t.Fatal(err)
	}
	link := device.Play(turns)
	if n, err := link.Write(t.Context(), []byte{1, 9}); n != 0 || !errors.Is(err, device.ErrDeviates) {
		t.Errorf("a wrong byte: %d, %v", n, err)
	}
	link = device.Play(turns)
	if _, err := link.Write(t.Context(), []byte{1, 2}); err != nil {
		t.Error(err)
	}
	b := make([]byte, 4)
	if n, err := link.Read(t.Context(), b); n != 1 || b[0] != 3 || err != nil {
		t.Errorf("read %d %x, %v", n, b, err)
	}
	if _, err := link.Write(t.Context(), []byte{4, 5}); !errors.Is(err, device.ErrUnplugged) {
		t.Errorf("past the end: %v", err)
	}
	for _, bad := range []string{"? 01", "> 0", "> zz", ">"} {
		if _, err := device.ParseConversation(strings.NewReader(bad)); err == nil {
			t.Errorf("%q is a conversation", bad)
		}
	}
}

func FuzzParseConversation(f *testing.F) {
	f.Add("> 10 04 01\n< 12\n# x\n")
	f.Fuzz(func(t *testing.T, text string) {
		turns, err := device.ParseConversation(strings.NewReader(text))
		if err != nil {
			return
		}
		for i, turn := range turns {
			if len(turn.Bytes) == 0 || i > 0 && turns[i-1].Device == turn.Device {
				t.Errorf("turn %d of %q: %+v", i, text, turn)
			}
		}
	})
}
