package boot

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"testing"
)

func TestPracticeTakesEcashWithoutAListener(t *testing.T) {
	s, err := OpenServer(t.Context(), ServerOptions{Dir: t.TempDir(), Config: configured(t), Practice: true, Clock: &Clock{}, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if at := s.Addresses(); at != (Addresses{}) {
		t.Errorf("listens at %+v, unasked", at)
	}
	client := &http.Client{Transport: s.CustomerHTTP()}
	for url, want := range map[string]int{"http://" + innerMerchant + "/openapi.json": 200, s.MintURL() + "/nothing": 404} {
		r, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		if _ = r.Body.Close(); r.StatusCode != want {
			t.Errorf("GET %s: %d, not %d", url, r.StatusCode, want)
		}
	}
}
