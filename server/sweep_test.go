package server_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"till/protocol"
	"till/server"
)

// sweepKey is a compressed key of wif.json.
const sweepKey = "cV83kKisF3RQSvXbUCm9ox3kaz5JjEUBWcx8tNydfGJcyeUxuH47"

// forms are the addresses of the key.
func (s *shop) forms(wif string) []string {
	s.t.Helper()
	forms, err := s.wallet.KeyForms(protocol.NewSecret(wif))
	if err != nil {
		s.t.Fatal(err)
	}
	var texts []string
	for _, f := range forms {
		texts = append(texts, f.Text)
	}
	return texts
}

// steal spends the one coin at an address of sweepKey elsewhere, at 50 sat/vB.
func (t *till) steal(address string) {
	t.t.Helper()
	ctx := context.Background()
	payments, tip, err := t.chain.Payments(ctx, t.scripts(address))
	if err != nil || len(payments) != 1 {
		t.t.Fatalf("%+v, %v", payments, err)
	}
	coin := server.KeyCoin{TxID: payments[0].TxID, Vout: payments[0].Vout, Amount: payments[0].Amount, Script: payments[0].Script}
	signed, err := t.wallet.Take(ctx, server.Take{
		Keys: keys(sweepKey), Coins: []server.KeyCoin{coin}, Merchant: t.scripts(t.foreign(9))[0],
		FeeRate: 50_000, FeeLimit: protocol.MaxSat, Height: tip.Height,
	})
	if err != nil {
		t.t.Fatal(err)
	}
	if err := t.chain.Broadcast(ctx, signed.Raw); err != nil {
		t.t.Fatal(err)
	}
}

func TestContestedCoinIsNotTaken(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	address := till.forms(sweepKey)[2]
	till.pay(address, 50_000)
	till.mine(1)
	till.steal(address)
	r, err := till.QueryAddress(context.Background(), till.id, protocol.QueryAddress{Addresses: []string{address}})
	if err != nil || r.ContestedSat != 50_000 || r.ConfirmedSat != 0 || r.UsableSat != 0 || r.Funds[0].Outputs != 1 {
		t.Fatalf("asked about: %+v, %v", r, err)
	}
	_, err = till.sweep(protocol.Sweep{ID: protocol.PayoutID(newID(t)), Keys: keys(sweepKey)})
	wants(t, err, protocol.CodeNoFunds, -1)
}

// scripts reads addresses.
func (s *shop) scripts(addresses ...string) (scripts []server.Script) {
	s.t.Helper()
	for _, a := range addresses {
		script, err := s.wallet.Script(a)
		if err != nil {
			s.t.Fatal(err)
		}
		scripts = append(scripts, script)
	}
	return scripts
}

func (t *till) sweep(p protocol.Sweep) (*protocol.SweepResult, error) {
	return t.Sweep(context.Background(), t.id, p)
}

func keys(wif ...string) (secrets []protocol.Secret) {
	for _, w := range wif {
		secrets = append(secrets, protocol.NewSecret(w))
	}
	return secrets
}

func TestKeyPaysASaleAndGetsChange(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	for i, address := range till.forms(sweepKey) {
		till.pay(address, protocol.Sat(20_000+1000*i))
	}
	till.mine(1)
	sale := till.open(1000)
	due, err := till.quote.Buy.Charge(1000)
	if err != nil {
		t.Fatal(err)
	}
	tender := protocol.TenderID(newID(t))
	p := protocol.Sweep{ID: protocol.PayoutID(newID(t)), Keys: keys(sweepKey, sweepKey), DueSat: &due, Change: till.foreign(1), Sale: sale, Tender: tender}
	_, err = till.sweep(p)
	wants(t, err, protocol.CodeAmountMismatch, -1) // not told yet
	till.write(protocol.EntryTenderAdded, protocol.TenderAdded{Sale: sale, Tender: tender, Kind: protocol.TenderKey, Amount: eur(1000), Quote: till.quote.ID, DueSat: due})
	if got := till.last(sale); got.State != protocol.SaleOpen || got.DueSat != due {
		t.Fatalf("the key tender is told as %+v", got)
	}
	wrong := p
	less := due - 1
	wrong.DueSat = &less
	_, err = till.sweep(wrong)
	wants(t, err, protocol.CodeAmountMismatch, -1)

	r, err := till.sweep(p)
	if err != nil {
		t.Fatal(err)
	}
	if r.State != protocol.PayoutBroadcast || r.ReceivedSat != due || r.RefundOwedSat != 0 || r.Inputs != 4 || r.ReceivedSat+r.ChangeSat+r.FeeSat != 86_000 {
		t.Fatalf("swept %+v", r)
	}
	paid := till.untilState(sale, protocol.SaleAccepted)
	if !slices.Equal(paid.TxIDs, []string{r.TxID}) || paid.Tenders[0].Address != r.Address {
		t.Fatalf("the sale is told as %+v", paid)
	}
	funds, err := till.chain.Address(context.Background(), p.Change)
	if err != nil || funds.Pending != r.ChangeSat {
		t.Fatalf("the customer's change is %+v, %v", funds, err)
	}
	retry := p
	retry.Keys = nil
	if again, err := till.sweep(retry); err != nil || again.TxID != r.TxID {
		t.Fatalf("a retry without keys: %+v, %v", again, err)
	}
	retry.Keys = keys("cPisAUdLvqqAr6MYtXnrWvgvyUAwuNyuTvZkDGw6miPhZdaiSDNH")
	_, err = till.sweep(retry)
	wants(t, err, protocol.CodeIDConflict, -1)
	till.mine(1)
	till.untilPayout(p.ID, protocol.PayoutConfirmed, 1)
	till.owes(nil)
}

func TestSweptKeyThatIsDoubleSpentMarksTheSaleReplaced(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	address := till.forms(sweepKey)[2]
	till.pay(address, 50_000)
	till.mine(1)
	sale := till.open(1000)
	due, err := till.quote.Buy.Charge(1000)
	if err != nil {
		t.Fatal(err)
	}
	tender := protocol.TenderID(newID(t))
	till.write(protocol.EntryTenderAdded, protocol.TenderAdded{Sale: sale, Tender: tender, Kind: protocol.TenderKey, Amount: eur(1000), Quote: till.quote.ID, DueSat: due})
	r, err := till.sweep(protocol.Sweep{ID: protocol.PayoutID(newID(t)), Keys: keys(sweepKey), DueSat: &due, Change: till.foreign(1), Sale: sale, Tender: tender})
	if err != nil {
		t.Fatal(err)
	}
	till.untilState(sale, protocol.SaleAccepted)
	// Whoever kept a copy of the key takes the coin back with a higher fee.
	till.steal(address)
	got := till.untilSale(sale, "it was replaced", func(s protocol.SaleStatus) bool { return slices.Contains(s.Flags, protocol.FlagReplaced) })
	if got.Verdict != protocol.VerdictRefuse || got.ReceivedSat != 0 {
		t.Fatalf("told as %+v", got)
	}
	till.mine(6)
	till.untilPayout(r.ID, protocol.PayoutRefused, 0)
}

func TestSweepWithoutASaleTakesEverythingOrGivesTheRest(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	address := till.forms(sweepKey)[1]
	due := protocol.Sat(30_000)
	_, err := till.sweep(protocol.Sweep{ID: protocol.PayoutID(newID(t)), Keys: keys(sweepKey)})
	wants(t, err, protocol.CodeNoFunds, -1)
	till.pay(address, 31_000)
	_, err = till.sweep(protocol.Sweep{ID: protocol.PayoutID(newID(t)), Keys: keys(sweepKey)})
	wants(t, err, protocol.CodeNoFunds, -1) // not confirmed
	till.mine(1)
	r, err := till.sweep(protocol.Sweep{ID: protocol.PayoutID(newID(t)), Keys: keys(sweepKey), DueSat: &due, Change: till.foreign(1)})
	if err != nil {
		t.Fatal(err)
	}
	if r.ReceivedSat+r.ChangeSat+r.FeeSat != 31_000 || r.RefundOwedSat != r.ReceivedSat-due {
		t.Fatalf("swept %+v", r)
	}
	if r.RefundOwedSat > 0 {
		till.owes(map[string]protocol.Sat{"overpaid": r.RefundOwedSat})
	}
	_, err = till.sweep(protocol.Sweep{ID: protocol.PayoutID(newID(t)), Keys: keys(sweepKey)})
	wants(t, err, protocol.CodeNoFunds, -1) // contested by the first

	till.pay(till.forms(sweepKey)[2], 330)
	till.mine(1)
	_, err = till.sweep(protocol.Sweep{ID: protocol.PayoutID(newID(t)), Keys: keys(sweepKey)})
	wants(t, err, protocol.CodeBelowDust, -1)
}

func TestSweepRefusesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	due := protocol.Sat(1000)
	const mainnet = "KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn"
	for name, c := range map[string]struct {
		p    protocol.Sweep
		code protocol.Code
	}{
		"no keys":            {protocol.Sweep{}, protocol.CodeInvalidParams},
		"seventeen keys":     {protocol.Sweep{Keys: keys(slices.Repeat([]string{sweepKey}, 17)...)}, protocol.CodeInvalidParams},
		"a typing error":     {protocol.Sweep{Keys: keys(strings.Replace(sweepKey, "V8", "8V", 1))}, protocol.CodeKeyInvalid},
		"another network":    {protocol.Sweep{Keys: keys(mainnet)}, protocol.CodeWrongNetwork},
		"not an address":     {protocol.Sweep{Keys: keys(sweepKey), Change: "x"}, protocol.CodeAddressInvalid},
		"sale alone":         {protocol.Sweep{Keys: keys(sweepKey), DueSat: &due, Sale: protocol.SaleID(newID(t))}, protocol.CodeInvalidParams},
		"tender without due": {protocol.Sweep{Keys: keys(sweepKey), Sale: protocol.SaleID(newID(t)), Tender: protocol.TenderID(newID(t))}, protocol.CodeInvalidParams},
	} {
		c.p.ID = protocol.PayoutID(newID(t))
		_, err := till.sweep(c.p)
		if e := wants(t, err, c.code, -1); strings.Contains(e.Error(), sweepKey) {
			t.Errorf("%s: the message repeats the key", name)
		}
	}
	till.chain.NodeDown(true)
	_, err := till.sweep(protocol.Sweep{ID: protocol.PayoutID(newID(t)), Keys: keys(sweepKey)})
	wants(t, err, protocol.CodeChainUnavailable, -1)
	till.pass(time.Second)
}
