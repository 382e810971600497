package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"till/cmd/internal/boot"
	"till/cmd/internal/story"
	"till/protocol"
)

// TestCoinsAreCaredForFromTheShell: payouts of a real counter are seen, raised and
// paid back with the program's own commands.
func TestCoinsAreCaredForFromTheShell(t *testing.T) {
	if testing.Short() {
		t.Skip("plays a whole shop")
	}
	t.Parallel()
	program := tillProgram(t)
	shop, err := openStage(program, staging{command: []string{"practice"}})
	if err != nil {
		t.Fatal(err)
	}
	end := shop.Close
	t.Cleanup(func() { _ = end() }) // what it does not tell was told
	shop.Close = func() error { return nil }
	file := filepath.Join(t.TempDir(), "coins.story")
	err = os.WriteFile(file, []byte(`do sell
press 2 0 0 0
do next
scan "mwWwgctbM5MJ2T1FGmG1yoXxSado67c1zW" by keyboard
do approve
type "2\n2222\n"
do confirm
see "PAID OUT" within 20s
do acknowledge
mine 1
do key
scan "cV83kKisF3RQSvXbUCm9ox3kaz5JjEUBWcx8tNydfGJcyeUxuH47" by keyboard
see "the shop takes" within 20s
do next
do confirm
see "TAKEN" within 20s
do acknowledge
do sell
press 1 0 0 0
do next
scan "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080" by keyboard
do approve
type "2\n2222\n"
do confirm
see "PAID OUT" within 20s
do acknowledge
paper count "Bitcoin sold" 2 within 20s
do register
ring 10.00
do pay
do tender.bitcoin
customer pays 30000sat
see "PAID" within 20s
do acknowledge
`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	results, err := story.Play(t.Context(), story.Options{
		Open: func(context.Context) (*story.Shop, error) { return shop, nil }, Now: time.Now, Out: t.Output(), Shots: t.TempDir(),
	}, []string{file})
	if err != nil {
		t.Fatal(err)
	}
	if !results[0].Held {
		_ = story.Report(t.Output(), results) // the log of a test takes all
		t.Fatal(results[0].Failure)
	}
	s := shop.Clock.(*stage)
	till := func(code int, into any, args ...string) string {
		t.Helper()
		c := exec.CommandContext(t.Context(), program, append(args, "--data", s.dir, "--json")...)
		c.Env = []string{"HOME=" + s.dir}
		var complaints strings.Builder
		c.Stderr = &complaints
		out, _ := c.Output() // the exit code says it
		if c.ProcessState.ExitCode() != code {
			t.Fatalf("till %v: exit %d, not %d: %s%s", args, c.ProcessState.ExitCode(), code, out, complaints.String())
		}
		if into != nil {
			if err := json.Unmarshal(out, into); err != nil {
				t.Fatalf("till %v: %v: %s", args, err, out)
			}
		}
		return complaints.String()
	}
	var wallet struct {
		Network string `json:"network"`
		Hot     bool   `json:"hot"`
	}
	till(0, &wallet, "wallet", "show")
	if wallet.Network != "regtest" || !wallet.Hot {
		t.Errorf("the practice wallet is shown as %+v", wallet)
	}
	var found boot.Rescanned
	till(0, &found, "wallet", "rescan")

	// A line of paper holds 42 characters: a transaction's id stands on two.
	txids := regexp.MustCompile(`[0-9a-f]{42}\s*[0-9a-f]{22}\b`).FindAllString(s.printer.Text(), -1)
	if len(txids) < 3 {
		t.Fatalf("the paper names %d transactions", len(txids))
	}
	for i := range txids {
		txids[i] = strings.Join(strings.Fields(txids[i]), "")
	}
	if said := till(exitRefused, nil, "wallet", "bump", txids[1], "--fee-rate", "20"); !strings.Contains(said, "key") || !strings.Contains(said, "F5") {
		t.Errorf("raising a sweep: %s", said)
	}
	if said := till(exitRefused, nil, "wallet", "bump", txids[0], "--fee-rate", "20"); !strings.Contains(said, "confirmed") {
		t.Errorf("raising a confirmed payout: %s", said)
	}
	var raised protocol.DispenseResult
	till(0, &raised, "wallet", "bump", txids[2], "--fee-rate", "20")
	if raised.State != protocol.PayoutBroadcast || len(raised.Replaces) != 1 || raised.Replaces[0] != txids[2] || raised.FeeSat < 2000 {
		t.Errorf("raised: %+v", raised)
	}
	till(exitRefused, nil, "wallet", "bump", strings.Repeat("0", 64))

	var debts []boot.DebtLine
	till(0, &debts, "debts", "list")
	if len(debts) != 1 || debts[0].Reason != "overpaid" || debts[0].AmountSat == 0 {
		t.Fatalf("owed: %+v", debts)
	}
	owed, address := string(debts[0].ID), "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
	till(exitUsage, nil, "debts", "pay", owed, address)
	till(exitRefused, nil, "debts", "pay", owed, address, "--approve", "3", "--code", "000000")
	var made boot.TOTPSecret
	till(0, &made, "user", "totp", "3")
	var paid protocol.DispenseResult
	till(0, &paid, "debts", "pay", owed, address, "--approve", "3", "--code", authenticatorOf(t, made).code(presentStep()))
	if paid.AmountSat != debts[0].AmountSat || paid.State != protocol.PayoutBroadcast {
		t.Errorf("paid: %+v", paid)
	}
	till(0, &debts, "debts", "list")
	if len(debts) != 0 {
		t.Errorf("still owed: %+v", debts)
	}
	till(exitRefused, nil, "debts", "pay", owed, address, "--approve", "3", "--code", "000000")
}
