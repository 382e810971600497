package boot

import (
	"context"
	"crypto/rand"
	"log/slog"
	"testing"

	"till/cmd/internal/config"
)

func TestADoctorLooksAtEveryMint(t *testing.T) {
	c := configured(t)
	m, err := OpenMint(t.Context(), MintOptions{Dir: t.TempDir(), Config: c, Clock: &Clock{}, Random: rand.Reader, Log: slog.New(slog.DiscardHandler), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	defer func() {
		cancel()
		<-done
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}()
	at := "http://" + m.Addresses().Mint
	for name, test := range map[string]struct {
		mint config.Mint
		ok   bool
	}{
		"as it should be":    {config.Mint{URL: at, MasterPub: m.Master()}, true},
		"another master key": {config.Mint{URL: at, MasterPub: "KZG35026047VHYZN3SC3172QG05HE31HBGM14416A1Z7KBQD62X0"}, false},
		"away":               {config.Mint{URL: "http://127.0.0.1:1", MasterPub: m.Master()}, false},
		"no key":             {config.Mint{URL: at, MasterPub: "x"}, false},
	} {
		if f := examineMint(t.Context(), test.mint, &Clock{}); f.OK != test.ok || f.What != "mint" || f.OK == (f.Try != "") {
			t.Errorf("%s: %+v", name, f)
		}
	}
}
