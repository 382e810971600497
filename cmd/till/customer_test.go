package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"till/cmd/internal/boot"
)

// TestACustomerWithdrawsFromAMintOfItsOwn runs the mint and the wallet as a user does.
func TestACustomerWithdrawsFromAMintOfItsOwn(t *testing.T) {
	dir := t.TempDir()
	till := func(ctx context.Context, args ...string) (string, error) {
		var out bytes.Buffer
		err := run(ctx, append([]string{"--data", dir}, args...), nil, stdio{strings.NewReader(""), &out, &bytes.Buffer{}})
		return out.String(), err
	}
	addresses := filepath.Join(dir, "addresses.json")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := till(ctx, "mint", "serve", "--mint", "127.0.0.1:0", "--addresses-file", addresses)
		ended <- err
	}()
	mint := "http://" + mintAddress(t, addresses, ended)
	if out, err := till(t.Context(), "customer", "withdraw", "12.35", "--mint", mint); err != nil || out != "EUR 12.35 withdrawn\n" {
		t.Errorf("%q, %v", out, err)
	}
	var holdings []struct {
		Mint   string `json:"mint_pub"`
		URL    string `json:"url"`
		Amount struct{ Minor int64 }
	}
	out, err := till(t.Context(), "customer", "balance", "--json")
	if err := errors.Join(err, json.Unmarshal([]byte(out), &holdings)); err != nil || len(holdings) != 1 || holdings[0].Amount.Minor != 1235 || holdings[0].URL != mint {
		t.Errorf("%s, %v", out, err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"customer", "withdraw", "1", "--mint", mint}, exitUnreachable, "no answer"},
		{[]string{"customer", "pay", "http://example.org"}, exitUsage, "link"},
		{[]string{"customer", "pay", "taler+http://192.0.2.1:80/contract?sale=a#" + holdings[0].Mint + ".0000000000008"}, exitUsage, "plain HTTP"},
		{[]string{"customer"}, exitUsage, ""},
		{[]string{"mint"}, exitUsage, ""},
	} {
		_, err := till(t.Context(), c.args...)
		var f *failure
		if !errors.As(err, &f) || f.code != c.code || f.try == "" || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: %v", c.args, err)
		}
	}
}

// mintAddress waits for the file that says where the mint listens.
func mintAddress(t *testing.T, path string, ended <-chan error) string {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			t.Fatalf("the mint ended: %v", err)
		case <-tick.C:
			text, err := os.ReadFile(path)
			if err != nil {
				continue
			}
			var at boot.Addresses
			if err := json.Unmarshal(text, &at); err != nil || at.Mint == "" {
				t.Fatalf("%s: %v", text, err)
			}
			return at.Mint
		}
	}
}
