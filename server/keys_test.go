package server_test

import (
	"context"
	"testing"

	"till/protocol"
	"till/protocol/bitcoin"
	"till/server"
)

// world is the network that keys are swept on.
type world interface {
	pay(address string, amount protocol.Sat) (txid string)
	mine(n int)
	net() server.Chain
}

// practiceWorld is the chain in the process.
type practiceWorld struct{ *shop }

func (w practiceWorld) net() server.Chain { return w.chain }

// handed is a key as a customer hands it over.
type handed struct {
	name string
	wif  string // what the terminal makes of it
}

// handedKeys are a mini key, both kinds of WIF and both kinds of BIP38.
func handedKeys(t testing.TB) (all []handed) {
	t.Helper()
	add := func(name string, key bitcoin.Key, err error) {
		if err != nil {
			t.Fatal(name, err)
		}
		for _, wif := range key.WIFs(bitcoin.Regtest) {
			all = append(all, handed{name, wif.Reveal()})
		}
	}
	mini, err := bitcoin.ParseMiniKey("S6c56bnXQiBjk9mqSYE7ykVQ7NzrRy")
	add("mini key", mini, err)
	compressed, err := bitcoin.ParseWIF(sweepKey, bitcoin.Regtest)
	add("compressed", compressed, err)
	hex, err := bitcoin.ParseHexKey("1e99423a4ed27608a15a2616a2b0e9e52ced330ac530edcc32c8ffc6a526aedd")
	add("hex", hex, err) // an uncompressed and a compressed WIF
	own, err := bitcoin.ParseWIF(newWIF(t), bitcoin.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	passphrase := protocol.NewSecret("Satoshi")
	sealed, err := bitcoin.EncryptBIP38(own, passphrase, bitcoin.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := bitcoin.ParseBIP38(sealed.String())
	if err != nil {
		t.Fatal(err)
	}
	opened, err := parsed.Decrypt(passphrase, bitcoin.Regtest)
	add("BIP38", opened, err)
	// Of BIP38's own vectors, made for mainnet: uncompressed, and both EC-multiply
	// forms, without and with lot and sequence.
	for name, v := range map[string][2]string{
		"BIP38 uncompressed": {"6PRVWUbkzzsbcVac2qwfssoUJAN1Xhrg6bNk8J7Nzm5H7kxEbn2Nh2ZoGg", "TestingOneTwoThree"},
		"BIP38 EC":           {"6PfQu77ygVyJLZjfvMLyhLMQbYnu5uguoJJ4kMCLqWwPEdfpwANVS76gTX", "TestingOneTwoThree"},
		"BIP38 EC lot":       {"6PgNBNNzDkKdhkT6uJntUXwwzQV8Rr2tZcbkDcuC9DZRsS6AtHts4Ypo1j", "MOLON LABE"},
	} {
		locked, err := bitcoin.ParseBIP38(v[0])
		if err != nil {
			t.Fatal(name, err)
		}
		key, err := locked.Decrypt(protocol.NewSecret(v[1]), bitcoin.Mainnet)
		add(name, key, err)
	}
	return all
}

func TestKeysPayOnThePracticeChain(t *testing.T) {
	t.Parallel()
	till := openShop(t, nil).pair("main", false)
	testKeysPay(t, till, practiceWorld{till.shop})
	testSalesByKey(t, till, practiceWorld{till.shop})
}

// testKeysPay sweeps each form of each key alone, then all in one transaction.
// The node takes every transaction, at once.
func testKeysPay(t *testing.T, till *till, w world) {
	t.Helper()
	var coins, wifs []string
	for _, key := range handedKeys(t) {
		wifs = append(wifs, key.wif)
		for _, address := range till.forms(key.wif) {
			coins = append(coins, address)
			w.pay(address, 30_000)
			w.mine(1)
			r, err := till.sweep(protocol.Sweep{ID: protocol.PayoutID(newID(t)), Keys: keys(key.wif)})
			if err != nil || r.State != protocol.PayoutBroadcast || r.Inputs != 1 || r.ReceivedSat+r.FeeSat != 30_000 {
				t.Fatalf("%s at %s: %+v, %v", key.name, address, r, err)
			}
			w.mine(1)
		}
	}
	for _, address := range coins {
		w.pay(address, 30_000)
	}
	w.mine(1)
	due := protocol.Sat(100_000)
	r, err := till.sweep(protocol.Sweep{ID: protocol.PayoutID(newID(t)), Keys: keys(wifs...), DueSat: &due, Change: till.foreign(1)})
	if err != nil || r.State != protocol.PayoutBroadcast || r.Inputs != int64(len(coins)) || r.ReceivedSat != due ||
		r.ReceivedSat+r.ChangeSat+r.FeeSat != protocol.Sat(30_000*len(coins)) {
		t.Fatalf("all together: %+v, %v", r, err)
	}
	w.mine(1)
	till.untilPayout(r.ID, protocol.PayoutConfirmed, 1)
}

// testSalesByKey pays sales exactly, with change, not enough, and with keys that
// hold nothing to take.
func testSalesByKey(t *testing.T, till *till, w world) {
	t.Helper()
	sale := func(p *protocol.Sweep, cents int64) protocol.SaleID {
		till.sync()
		id := till.open(cents)
		due, err := till.quote.Buy.Charge(cents)
		if err != nil {
			t.Fatal(err)
		}
		tender := protocol.TenderID(newID(t))
		till.write(protocol.EntryTenderAdded, protocol.TenderAdded{Sale: id, Tender: tender, Kind: protocol.TenderKey, Amount: eur(cents), Quote: till.quote.ID, DueSat: due})
		p.ID, p.DueSat, p.Sale, p.Tender = protocol.PayoutID(newID(t)), &due, id, tender
		return id
	}
	const cents = 1000
	due, err := till.quote.Buy.Charge(cents)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		over  protocol.Sat // beyond due and the fee
		flag  protocol.Flag
		state protocol.SaleState
	}{
		"exactly":        {0, "", protocol.SaleAccepted},
		"with change":    {25_000, "", protocol.SaleAccepted},
		"without enough": {-5_000, protocol.FlagUnderpaid, protocol.SaleSeen},
	} {
		p := protocol.Sweep{Keys: keys(newWIF(t)), Change: till.foreign(2)}
		address := till.forms(p.Keys[0].Reveal())[2]
		w.pay(address, due+1000) // to learn the fee, the price of which is not due
		w.mine(1)
		funds, err := till.QueryAddress(context.Background(), till.id, protocol.QueryAddress{Addresses: []string{address}})
		if err != nil {
			t.Fatal(err)
		}
		p.Keys = keys(newWIF(t))
		address = till.forms(p.Keys[0].Reveal())[2]
		w.pay(address, due+funds.SweepFeeSat+c.over)
		w.mine(1)
		id := sale(&p, cents)
		r, err := till.sweep(p)
		if err != nil || r.State != protocol.PayoutBroadcast || r.ReceivedSat+r.ChangeSat+r.FeeSat != due+funds.SweepFeeSat+c.over {
			t.Fatalf("%s: %+v, %v", name, r, err)
		}
		if c.over > 0 && (r.ReceivedSat != due || r.ChangeSat == 0) || c.over <= 0 && r.ChangeSat != 0 || r.RefundOwedSat != max(0, r.ReceivedSat-due) {
			t.Fatalf("%s: %+v", name, r)
		}
		told := till.untilState(id, c.state)
		if c.flag != "" && (len(told.Flags) != 1 || told.Flags[0] != c.flag) || told.ReceivedSat != r.ReceivedSat {
			t.Fatalf("%s: told as %+v", name, told)
		}
		w.mine(1)
	}

	p := protocol.Sweep{Keys: keys(newWIF(t)), Change: till.foreign(3)}
	address := till.forms(p.Keys[0].Reveal())[2]
	refused := func(what string, code protocol.Code) {
		t.Helper()
		_, err := till.sweep(p)
		t.Log(what)
		wants(t, err, code, -1)
	}
	sale(&p, cents)
	refused("an empty key", protocol.CodeNoFunds)
	w.pay(address, 50_000)
	refused("a key that is only pending", protocol.CodeNoFunds)
	w.mine(1)
	other := protocol.Sweep{ID: protocol.PayoutID(newID(t)), Keys: p.Keys}
	till.takes(w.net(), address, p.Keys)
	refused("a key that is contested", protocol.CodeNoFunds)
	w.mine(1)
	w.pay(till.forms(p.Keys[0].Reveal())[2], 330)
	w.mine(1)
	refused("a key below dust", protocol.CodeBelowDust)
	p = other
	refused("and without a sale", protocol.CodeBelowDust)

	// Both sides below dust: a due that no output may hold is raised to one, and
	// what would be change joins it.
	small := protocol.Sweep{ID: protocol.PayoutID(newID(t)), Keys: keys(newWIF(t)), DueSat: new(protocol.Sat), Change: till.foreign(4)}
	*small.DueSat = 200
	w.pay(till.forms(small.Keys[0].Reveal())[2], 600)
	w.mine(1)
	r, err := till.sweep(small)
	if err != nil || r.ChangeSat != 0 || r.ReceivedSat+r.FeeSat != 600 || r.RefundOwedSat != r.ReceivedSat-200 {
		t.Fatalf("both sides below dust: %+v, %v", r, err)
	}
	w.mine(1)
}

// takes spends the one coin of an address elsewhere, past the shop.
func (t *till) takes(net server.Chain, address string, key []protocol.Secret) {
	t.t.Helper()
	ctx := context.Background()
	payments, tip, err := net.Payments(ctx, t.scripts(address))
	if err != nil || len(payments) != 1 {
		t.t.Fatalf("%+v, %v", payments, err)
	}
	signed, err := t.wallet.Take(ctx, server.Take{
		Keys:     key,
		Coins:    []server.KeyCoin{{TxID: payments[0].TxID, Vout: payments[0].Vout, Amount: payments[0].Amount, Script: payments[0].Script}},
		Merchant: t.scripts(t.foreign(9))[0], FeeRate: 50_000, FeeLimit: protocol.MaxSat, Height: tip.Height,
	})
	if err != nil {
		t.t.Fatal(err)
	}
	if err := net.Broadcast(ctx, signed.Raw); err != nil {
		t.t.Fatal(err)
	}
}
