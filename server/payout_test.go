package server_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"till/protocol"
	"till/server"
)

// bank is a shop with a filled hot wallet, a manager and an owner who approve.
type bank struct {
	*till
	secret []byte // the manager's TOTP
}

var approveKey = []byte("thirty-two bytes of a PIN's hash")

func openBank(t testing.TB, edit func(*server.Settings)) *bank {
	t.Helper()
	ctx := context.Background()
	shop := openShop(t, edit)
	b := &bank{till: shop.pair("main", false)}
	err := errors.Join(
		shop.PutUser(ctx, protocol.User{ID: "1", Name: "Ada", Role: protocol.RoleCashier, PIN: "$"}, nil),
		shop.PutUser(ctx, protocol.User{ID: "2", Name: "Bo", Role: protocol.RoleManager, PIN: "$", ApproveSalt: "00"}, approveKey),
		shop.PutUser(ctx, protocol.User{ID: "3", Name: "Cy", Role: protocol.RoleOwner, PIN: "$", ApproveSalt: "00"}, approveKey),
	)
	if err != nil {
		t.Fatal(err)
	}
	made, err := shop.NewTOTP(ctx, "2")
	if err != nil {
		t.Fatal(err)
	}
	if b.secret, err = base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(made.Secret.Reveal()); err != nil || len(b.secret) != 20 {
		t.Fatalf("secret of %d bytes: %v", len(b.secret), err)
	}
	b.fill(2_000_000, 1_000_000)
	return b
}

// fill puts coins into the wallet and waits until they are known.
func (b *bank) fill(amounts ...protocol.Sat) {
	b.t.Helper()
	for _, amount := range amounts {
		a, err := b.ReceiveAddress(context.Background())
		if err != nil {
			b.t.Fatal(err)
		}
		b.pay(a.Text, amount)
	}
	b.mine(1)
	settled(b.t, "coins are known", func() bool {
		known := 0
		err := b.db.Read(context.Background(), func(tx *server.Tx) error {
			unspent, err := tx.Payments.Unspent()
			for _, p := range unspent {
				if p.Height > 0 {
					known++
				}
			}
			return err
		})
		return err == nil && known >= len(amounts)
	})
}

// totp is the manager's code now.
func (b *bank) totp() string { return b.totpAt(int64(b.clock()) / 1000 / 30) }

func (b *bank) totpAt(step int64) string {
	mac := hmac.New(sha1.New, b.secret)
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(step))
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	o := sum[len(sum)-1] & 15
	return fmt.Sprintf("2:%06d", binary.BigEndian.Uint32(sum[o:])&0x7fffffff%1_000_000)
}

// pin is the code of an approval by PIN.
func (b *bank) pin(user string, p protocol.Dispense, step int64) string {
	return b.pinOf(user, p, step, string(p.Quote))
}

// pinFor is one for a refund, now.
func (b *bank) pinFor(user string, p protocol.Dispense, refund string) string {
	return b.pinOf(user, p, int64(b.clock())/1000/30, refund)
}

func (b *bank) pinOf(user string, p protocol.Dispense, step int64, about string) string {
	mac := hmac.New(sha256.New, approveKey)
	fmt.Fprintf(mac, "dispense|%s|%d|%s|%s|%s|%d|%s", p.ID, int64(p.AmountSat), p.Method, p.Address, b.id, step, about)
	return user + ":" + hex.EncodeToString(mac.Sum(nil))[:16]
}

// foreign gives an address that is not the shop's.
func (s *shop) foreign(n uint32) string {
	s.t.Helper()
	a, err := s.wallet.Derive(server.BranchReceive, 1_000_000+n)
	if err != nil {
		s.t.Fatal(err)
	}
	return a.Text
}

// sale makes the params of coins sold for so many cents, with a fresh code.
func (b *bank) coins(cents int64) protocol.Dispense {
	b.t.Helper()
	b.pass(30 * time.Second) // each code is good once
	b.sync()
	amount, err := b.quote.Sell.Payout(cents)
	if err != nil {
		b.t.Fatal(err)
	}
	price := eur(cents)
	return protocol.Dispense{
		ID: protocol.PayoutID(newID(b.t)), AmountSat: amount, Method: protocol.MethodAddress, Address: b.foreign(uint32(cents)),
		Authcode: protocol.NewSecret(b.totp()), Quote: b.quote.ID, Price: &price,
	}
}

func (b *bank) dispense(p protocol.Dispense) (*protocol.DispenseResult, error) {
	return b.Dispense(context.Background(), b.id, p)
}

func (b *bank) dispensed(p protocol.Dispense) *protocol.DispenseResult {
	b.t.Helper()
	r, err := b.dispense(p)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

// untilPayout waits for an alert that tells the payout's state and depth.
func (t *till) untilPayout(id protocol.PayoutID, state protocol.PayoutState, depth int64) protocol.PayoutStatus {
	t.t.Helper()
	var s protocol.PayoutStatus
	t.until(fmt.Sprintf("the payout is %s, %d deep", state, depth), 0, func(a protocol.Alert) bool {
		if a.Kind != protocol.AlertPayout {
			return false
		}
		s = protocol.PayoutStatus{}
		if err := protocol.DecodeResult(a.Body, &s); err != nil {
			t.t.Fatal(err)
		}
		return s.ID == id && s.State == state && s.Confirmations == depth
	})
	return s
}

func TestCoinsAreSoldOnceAndConfirm(t *testing.T) {
	t.Parallel()
	b := openBank(t, nil)
	p := b.coins(5000)
	r := b.dispensed(p)
	if r.State != protocol.PayoutBroadcast || r.AmountSat != p.AmountSat || r.FeeSat <= 0 {
		t.Fatalf("dispensed %+v", r)
	}
	funds, err := b.chain.Address(context.Background(), p.Address)
	if err != nil || funds.Pending != p.AmountSat || !slices.Equal(funds.TxIDs, []string{r.TxID}) {
		t.Fatalf("the customer has %+v, %v", funds, err)
	}
	p.Authcode = protocol.NewSecret("nonsense") // is not judged again
	if again := b.dispensed(p); again.TxID != r.TxID {
		t.Fatalf("a second payout %+v", again)
	}
	answer, err := b.QueryNonce(context.Background(), b.id, protocol.QueryNonce{ID: p.ID})
	if got, ok := answer.(*protocol.DispenseResult); err != nil || !ok || got.Of != protocol.PayoutDispense || got.TxID != r.TxID {
		t.Fatalf("asked about: %+v, %v", answer, err)
	}
	b.mine(1)
	b.untilPayout(p.ID, protocol.PayoutConfirmed, 1)
	for n := int64(2); n <= 6; n++ {
		b.mine(1)
		b.untilPayout(p.ID, protocol.PayoutConfirmed, n)
	}
	next := b.coins(100)
	b.dispensed(next)
	if funds, err := b.chain.Address(context.Background(), p.Address); err != nil || funds.Confirmed != p.AmountSat || len(funds.TxIDs) != 1 {
		t.Fatalf("the customer has %+v, %v", funds, err)
	}
}

func TestIDIsBoundToWhatItWasAcceptedFor(t *testing.T) {
	t.Parallel()
	b := openBank(t, nil)
	other := &bank{till: b.shop.pair("second", false), secret: b.secret}
	p := b.coins(1000)
	b.dispensed(p)
	price := eur(1001)
	for member, edit := range map[string]func(*protocol.Dispense){
		"amount":  func(p *protocol.Dispense) { p.AmountSat++ },
		"method":  func(p *protocol.Dispense) { p.Method = protocol.MethodPrinter },
		"address": func(p *protocol.Dispense) { p.Address = b.foreign(7) },
		"quote":   func(p *protocol.Dispense) { p.Quote = protocol.QuoteID(newID(t)) },
		"price":   func(p *protocol.Dispense) { p.Price = &price },
	} {
		changed := p
		edit(&changed)
		_, err := b.dispense(changed)
		if !errors.Is(err, protocol.CodeIDConflict) {
			t.Errorf("another %s: %v", member, err)
		}
	}
	_, err := other.dispense(p)
	wants(t, err, protocol.CodeIDConflict, -1)
	_, err = other.QueryNonce(context.Background(), other.id, protocol.QueryNonce{ID: p.ID})
	wants(t, err, protocol.CodeIDConflict, -1)
	_, err = b.Sweep(context.Background(), b.id, protocol.Sweep{ID: p.ID, Keys: []protocol.Secret{protocol.NewSecret(sweepKey)}})
	wants(t, err, protocol.CodeIDConflict, -1)
}

func TestAskedBeforeUsedIsVoidForEver(t *testing.T) {
	t.Parallel()
	b := openBank(t, nil)
	p := b.coins(1000)
	for range 2 {
		answer, err := b.QueryNonce(context.Background(), b.id, protocol.QueryNonce{ID: p.ID})
		if got, ok := answer.(server.NeverUsed); err != nil || !ok || got.State != protocol.PayoutNever || got.ID != p.ID {
			t.Fatalf("asked about: %+v, %v", answer, err)
		}
	}
	_, err := b.dispense(p)
	wants(t, err, protocol.CodeIDPoisoned, -1)
	for range 99 {
		if _, err := b.QueryNonce(context.Background(), b.id, protocol.QueryNonce{ID: protocol.PayoutID(newID(t))}); err != nil {
			t.Fatal(err)
		}
	}
	_, err = b.QueryNonce(context.Background(), b.id, protocol.QueryNonce{ID: protocol.PayoutID(newID(t))})
	wants(t, err, protocol.CodeTooManyRequests, -1)
	b.restart()
	_, err = b.dispense(p)
	wants(t, err, protocol.CodeIDPoisoned, -1)
}

func TestRefusedCallBindsNothing(t *testing.T) {
	t.Parallel()
	b := openBank(t, nil)
	good := b.coins(1000)
	rest := eur(300_000)
	stale := b.quote.ID
	mainnet := "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
	cases := []struct {
		name string
		code protocol.Code
		edit func(*protocol.Dispense)
	}{
		{"no method", protocol.CodeInvalidParams, func(p *protocol.Dispense) { p.Method = "" }},
		{"no amount", protocol.CodeInvalidParams, func(p *protocol.Dispense) { p.AmountSat = 0 }},
		{"both kinds", protocol.CodeInvalidParams, func(p *protocol.Dispense) { p.RefundOf = protocol.RefundID(newID(t)) }},
		{"no price", protocol.CodeInvalidParams, func(p *protocol.Dispense) { p.Price = nil }},
		{"not an address", protocol.CodeAddressInvalid, func(p *protocol.Dispense) { p.Address = "nonsense" }},
		{"another network", protocol.CodeWrongNetwork, func(p *protocol.Dispense) { p.Address = mainnet }},
		{"unknown quote", protocol.CodeQuoteUnknown, func(p *protocol.Dispense) { p.Quote = protocol.QuoteID(newID(t)) }},
		{"another amount", protocol.CodeAmountMismatch, func(p *protocol.Dispense) { p.AmountSat++ }},
		{"dollars", protocol.CodeAmountMismatch, func(p *protocol.Dispense) { p.Price = &protocol.Money{Currency: "USD", Minor: 1000} }},
		{"unknown refund", protocol.CodeRefundUnknown, func(p *protocol.Dispense) {
			p.Quote, p.Price, p.RefundOf = "", nil, protocol.RefundID(newID(t))
		}},
		{"wrong code", protocol.CodeAuthcodeWrong, func(p *protocol.Dispense) { p.Authcode = protocol.NewSecret("2:000000") }},
		{"too much at once", protocol.CodeLimitExceeded, func(p *protocol.Dispense) {
			p.Price, p.AmountSat = &rest, must(t, b.quote.Sell, rest.Minor)
		}},
	}
	for _, c := range cases {
		p := good
		c.edit(&p)
		if _, err := b.dispense(p); !errors.Is(err, c.code) {
			t.Errorf("%s: %v, want %s", c.name, err, c.code)
		}
	}
	b.chain.NodeDown(true)
	_, err := b.dispense(good)
	wants(t, err, protocol.CodeChainUnavailable, -1)
	b.chain.NodeDown(false)
	if r := b.dispensed(good); r.State != protocol.PayoutBroadcast { // the same id and the same code
		t.Fatalf("dispensed %+v", r)
	}
	b.pass(11 * time.Minute)
	late := b.coins(1000)
	late.Quote = stale
	_, err = b.dispense(late)
	wants(t, err, protocol.CodeQuoteExpired, -1)
}

func must(t testing.TB, r protocol.Rate, minor int64) protocol.Sat {
	t.Helper()
	amount, err := r.Payout(minor)
	if err != nil {
		t.Fatal(err)
	}
	return amount
}

func TestLimitsCountFeesAndAreKeptApart(t *testing.T) {
	t.Parallel()
	b := openBank(t, func(s *server.Settings) {
		up := func(minor int64) *protocol.Money { m := eur(minor); return &m }
		s.Limits = protocol.Limits{PerPayout: up(20_000), PerTerminalDay: up(30_000), PerUserDay: up(40_000), ShopDay: up(50_000)}
	})
	_, err := b.dispense(b.coins(20_000)) // with the fee it is above
	wants(t, err, protocol.CodeLimitExceeded, -1)
	b.dispensed(b.coins(15_000))
	_, err = b.dispense(b.coins(15_000))
	if e := wants(t, err, protocol.CodeLimitExceeded, -1); !strings.Contains(e.Message, "of this terminal for a day") {
		t.Errorf("told %q", e.Message)
	}
	second := &bank{till: b.shop.pair("second", false), secret: b.secret}
	second.dispensed(second.coins(15_000))
	_, err = second.dispense(second.coins(14_000))
	if e := wants(t, err, protocol.CodeLimitExceeded, -1); !strings.Contains(e.Message, "of the person who approves") {
		t.Errorf("told %q", e.Message)
	}
	b.pass(24 * time.Hour)
	b.dispensed(b.coins(15_000)) // another day
}

func TestApprovalsAreBoundCountedAndLocked(t *testing.T) {
	t.Parallel()
	b := openBank(t, func(s *server.Settings) {
		m, day := eur(10_000), eur(15_000)
		s.Limits.PinApproval, s.Limits.PinApprovalDay = &m, &day
	})
	ctx := context.Background()
	step := func() int64 { return int64(b.clock()) / 1000 / 30 }

	p := b.coins(1000)
	b.dispensed(p)
	again := p
	again.ID = protocol.PayoutID(newID(t))
	_, err := b.dispense(again)
	wants(t, err, protocol.CodeAuthcodeUsed, -1)
	again.Authcode = protocol.NewSecret(b.totpAt(step() - 1)) // an earlier one than the used
	_, err = b.dispense(again)
	wants(t, err, protocol.CodeAuthcodeUsed, -1)
	again.Authcode = protocol.NewSecret(b.totpAt(step() + 2))
	_, err = b.dispense(again)
	wants(t, err, protocol.CodeAuthcodeWrong, -1)

	byPIN := b.coins(5000)
	for _, off := range []int64{-3, 3} {
		byPIN.Authcode = protocol.NewSecret(b.pin("2", byPIN, step()+off))
		_, err = b.dispense(byPIN)
		wants(t, err, protocol.CodeAuthcodeWrong, -1)
	}
	byPIN.Authcode = protocol.NewSecret(b.pin("2", byPIN, step()-2))
	b.dispensed(byPIN)
	stolen := b.coins(5000)
	stolen.Authcode = byPIN.Authcode // bound to the other payout
	_, err = b.dispense(stolen)
	wants(t, err, protocol.CodeAuthcodeWrong, -1)
	large := b.coins(10_000)
	large.Authcode = protocol.NewSecret(b.pin("2", large, step()))
	_, err = b.dispense(large)
	if e := wants(t, err, protocol.CodeLimitExceeded, -1); !strings.Contains(e.Message, "by PIN") {
		t.Errorf("told %q", e.Message)
	}

	b.write(protocol.EntrySignedIn, protocol.PersonDid{User: "2"})
	own := b.coins(1000)
	_, err = b.dispense(own)
	wants(t, err, protocol.CodeAuthcodeWrong, -1)
	b.write(protocol.EntrySignedIn, protocol.PersonDid{User: "1"})
	b.dispensed(own) // a good code ends the row of wrong ones

	for _, who := range []string{"1:123456", "9:123456", ":", "2", strings.Repeat("x", 200) + ":1"} {
		wrong := own
		wrong.ID, wrong.Authcode = protocol.PayoutID(newID(t)), protocol.NewSecret(who)
		_, err := b.dispense(wrong)
		wants(t, err, protocol.CodeAuthcodeWrong, -1)
	}
	for range 5 {
		wrong := own
		wrong.ID, wrong.Authcode = protocol.PayoutID(newID(t)), protocol.NewSecret("2:000000")
		_, err = b.dispense(wrong)
		wants(t, err, protocol.CodeAuthcodeWrong, -1)
	}
	b.restart() // the lock is durable
	locked := b.coins(1000)
	_, err = b.dispense(locked)
	wants(t, err, protocol.CodeAuthcodeLocked, -1)
	second := &bank{till: b.shop.pair("second", false), secret: b.secret}
	second.dispensed(second.coins(1000)) // at another terminal
	b.pass(15 * time.Minute)
	b.dispensed(b.coins(1000))

	for range 5 {
		wrong := b.coins(1000)
		wrong.Authcode = protocol.NewSecret("2:000000")
		_, err = b.dispense(wrong)
		wants(t, err, protocol.CodeAuthcodeWrong, -1)
	}
	if err := b.UnlockUser(ctx, "2"); err != nil {
		t.Fatal(err)
	}
	b.dispensed(b.coins(1000))
	if err := b.DisableUser(ctx, "2"); err != nil {
		t.Fatal(err)
	}
	_, err = b.dispense(b.coins(1000))
	wants(t, err, protocol.CodeAuthcodeWrong, -1)
	if _, err := b.NewTOTP(ctx, "1"); !errors.Is(err, server.ErrNotApprover) {
		t.Errorf("a cashier's TOTP: %v", err)
	}
	settled(t, "the owner hears of two locks", func() bool { return len(b.alarms.of("approvals")) >= 2 })
}

func TestRefundPaysBackNoMoreThanWasReceived(t *testing.T) {
	t.Parallel()
	b := openBank(t, nil)
	d := b.sell(2000)
	b.pay(d.address, d.due+500)
	b.untilState(d.sale, protocol.SaleAccepted)
	refund := protocol.RefundID(newID(t))
	b.write(protocol.EntryRefund, protocol.Refund{Sale: d.sale, Refund: refund, Amount: eur(2000), Kind: protocol.TenderBitcoin, User: "1"})
	pays := func(amount protocol.Sat) protocol.Dispense {
		b.pass(30 * time.Second)
		return protocol.Dispense{ID: protocol.PayoutID(newID(t)), AmountSat: amount, Method: protocol.MethodAddress, Address: b.foreign(1),
			Authcode: protocol.NewSecret(b.totp()), RefundOf: refund}
	}
	_, err := b.dispense(pays(d.due + 501))
	wants(t, err, protocol.CodeLimitExceeded, -1)
	b.dispensed(pays(d.due))
	_, err = b.dispense(pays(501))
	wants(t, err, protocol.CodeLimitExceeded, -1)
	b.dispensed(pays(500))
	second := b.shop.pair("second", false)
	p := pays(100)
	_, err = b.Dispense(context.Background(), second.id, p)
	wants(t, err, protocol.CodeRefundUnknown, -1)
}

func TestReserveIsNotSpentTwice(t *testing.T) {
	t.Parallel()
	b := openBank(t, func(s *server.Settings) {
		much := eur(1_000_000)
		s.Limits = protocol.Limits{PinApproval: &much}
	})
	// Ten at once ask for some 0.01 BTC each; the wallet holds 0.03.
	model := b.coins(60_000)
	var calls sync.WaitGroup
	results := make([]*protocol.DispenseResult, 10)
	for i := range results {
		p := model
		p.ID = protocol.PayoutID(newID(t))
		p.Authcode = protocol.NewSecret(b.pin("2", p, int64(b.clock())/1000/30))
		calls.Go(func() {
			var err error
			if results[i], err = b.dispense(p); err != nil && !errors.Is(err, protocol.CodeInsufficientReserve) {
				t.Error(err)
			}
		})
	}
	calls.Wait()
	var total protocol.Sat
	paid := 0
	for _, r := range results {
		if r != nil {
			total += r.AmountSat + r.FeeSat
			paid++
		}
	}
	if paid < 1 || total > 3_000_000 {
		t.Fatalf("%d payouts took %d sat of 3 000 000", paid, total)
	}
	b.mine(1)
	funds, err := b.chain.Address(context.Background(), model.Address)
	if err != nil || funds.Confirmed != protocol.Sat(paid)*model.AmountSat {
		t.Fatalf("%d payouts gave %+v, %v", paid, funds, err)
	}
}

func TestWatchOnlyShopPaysNothingOut(t *testing.T) {
	t.Parallel()
	b := openBank(t, nil)
	b.stop()
	b.watchOnly = true
	b.start()
	_, err := b.dispense(b.coins(1000))
	wants(t, err, protocol.CodeNoHotWallet, -1)
}
