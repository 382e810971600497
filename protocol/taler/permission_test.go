package taler

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestPermissionsComeBackAsTheyWere(t *testing.T) {
	s := newShop(t)
	c := s.contract(s.terms(5_000_000))
	one := Permissions{s.pay(s.coin(t, 1), c, 5_000_000)}
	two := Permissions{s.pay(s.coin(t, 1), c, 2_000_000), s.pay(s.coin(t, 2), c, 3_000_000)}
	for _, ps := range []Permissions{one, two} {
		body := must(ps.Encode())
		again, err := ParsePermissions(body)
		if err != nil {
			t.Fatal(err)
		}
		if again.Identity() != ps.Identity() || !bytes.Equal(must(again.Encode()), body) {
			t.Errorf("%s comes back as %s", body, must(again.Encode()))
		}
		if err := again.MatchContract(c, s.merchant.Public()); err != nil {
			t.Error(err)
		}
		if err := again.MatchAmount(&c.terms); err != nil {
			t.Error(err)
		}
		if err := s.keys.CheckPermissions(again, &c.terms, eur(20_000), s.now); err != nil {
			t.Error(err)
		}
	}
}

func TestAPermissionIsKnownByItsBytesAndAnArrayByItsSet(t *testing.T) {
	s := newShop(t)
	c := s.contract(s.terms(5_000_000))
	a, b := s.pay(s.coin(t, 1), c, 2_000_000), s.pay(s.coin(t, 2), c, 3_000_000)
	id := Permissions{a, b}.Identity()
	if (Permissions{b, a}).Identity() != id {
		t.Error("the order counts")
	}
	if (Permissions{a}).Identity() == id || (Permissions{a}).Identity() != a.Identity() {
		t.Error("one permission is not itself")
	}
	var alone Permissions
	for _, body := range []string{"[%]", "%", " [ % ] "} {
		text := strings.ReplaceAll(body, "%", string(must(Permissions{a}.Encode())))
		text = strings.Replace(text, a.CSig.String(), strings.ToLower(a.CSig.String()), 1)
		ps, err := ParsePermissions([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if alone != nil && ps.Identity() != alone.Identity() {
			t.Errorf("%s is another permission", body)
		}
		alone = ps
	}
	for name, change := range map[string]func(*Permission){
		"coin": func(p *Permission) { p.Coin[0] ^= 1 }, "mint": func(p *Permission) { p.Mint[0] ^= 1 },
		"denomination": func(p *Permission) { p.Denom = otherDenomPub(3) },
		"ubsig":        func(p *Permission) { p.UBSig = bytes.Clone(p.UBSig); p.UBSig[0] ^= 1 },
		"type":         func(p *Permission) { p.Type = Incremental }, "transaction": func(p *Permission) { p.TransactionID++ },
		"amount": func(p *Permission) { p.Amount.Fraction++ }, "currency": func(p *Permission) { p.Amount.Currency = "USD" },
		"merchant": func(p *Permission) { p.Merchant[0] ^= 1 }, "H_a": func(p *Permission) { p.HA[0] ^= 1 },
		"H_wire": func(p *Permission) { p.HWire[0] ^= 1 }, "csig": func(p *Permission) { p.CSig[0] ^= 1 },
	} {
		other := a
		change(&other)
		if other.Identity() == a.Identity() {
			t.Errorf("the %s does not count", name)
		}
	}
}

func TestArraysThatAreNoPaymentAreMalformed(t *testing.T) {
	s := newShop(t)
	c := s.contract(s.terms(5_000_000))
	a, b := s.pay(s.coin(t, 1), c, 2_000_000), s.pay(s.coin(t, 2), c, 3_000_000)
	tab := s.terms(5_000_000)
	tab.Tab = true
	incremental := s.pay(s.coin(t, 3), s.contract(tab), 1)
	elsewhere := s.paidElsewhere(s.coin(t, 4), 99, 1)
	otherMint := b
	otherMint.Mint[0] ^= 1
	raw := func(ps ...Permission) []byte {
		var parts []string
		for _, p := range ps {
			parts = append(parts, string(must(Encode(&p))))
		}
		return []byte("[" + strings.Join(parts, ",") + "]")
	}
	crowd := make([]Permission, maxPermissions+1)
	for i := range crowd {
		crowd[i] = a
		crowd[i].Coin[0] = byte(i)
	}
	lottery := s.pay(s.coin(t, 5), s.contract(s.lotteryTerms(SecretFrom([32]byte{3}))), 5_000_000)
	lottery.Draw = &Draw{}
	for _, bad := range []struct {
		name, parameter string
		body            []byte
	}{
		{"a coin twice", "coin_pub", raw(a, a)},
		{"mixed types", "type", raw(a, incremental)},
		{"mixed transactions", "transaction_id", raw(a, elsewhere)},
		{"mixed mints", "mint_pub", raw(a, otherMint)},
		{"none", "body", raw()},
		{"65", "body", raw(crowd...)},
		{"r_m from a customer", "r_m", raw(lottery)},
		{"no permission", "body", []byte(`[1]`)},
		{"unknown type", "type", bytes.Replace(raw(a), []byte("DIRECT_DEPOSIT"), []byte("DIRECT"), 1)},
		{"r_c on a direct one", "r_c", bytes.Replace(raw(a), []byte(`"type"`), []byte(`"r_c":"`+Nonce{}.String()+`","type"`), 1)},
		{"transaction as a number", "transaction_id", bytes.Replace(raw(a), []byte(`"`+a.TransactionID.String()+`"`), []byte(`77`), 1)},
		{"short key", "coin_pub", bytes.Replace(raw(a), []byte(a.Coin.String()), []byte(a.Coin.String()[1:]), 1)},
		{"short ubsig", "ubsig", bytes.Replace(raw(a), []byte(a.UBSig.String()), []byte(a.UBSig[1:].String()), 1)},
		{"nothing paid", "amount", bytes.Replace(raw(a), []byte(`"value":2`), []byte(`"value":0`), 1)},
	} {
		if _, err := ParsePermissions(bad.body); !errors.Is(err, &Error{Status: 400, Parameter: bad.parameter}) {
			t.Errorf("%s: %v instead of %s", bad.name, err, bad.parameter)
		}
	}
	if _, err := ParsePermissions(raw(crowd[:maxPermissions]...)); err != nil {
		t.Errorf("64 coins: %v", err)
	}
}

func TestPermissionsAreWhatTheContractSays(t *testing.T) {
	s := newShop(t)
	c := s.contract(s.terms(5_000_000))
	coin := s.coin(t, 1)
	good := s.pay(coin, c, 5_000_000)
	resigned := func(change func(*Permission)) Permission {
		p := good
		change(&p)
		p.CSig = coin.Key.Sign(p.block(Commitment{}))
		return p
	}
	for _, bad := range []struct {
		name, parameter string
		status          int
		p               Permission
	}{
		{"type", "type", 404, resigned(func(p *Permission) { p.Type = Incremental })},
		{"transaction", "transaction_id", 404, resigned(func(p *Permission) { p.TransactionID++ })},
		{"merchant", "merchant_pub", 403, resigned(func(p *Permission) { p.Merchant = s.master.Public() })},
		{"contract", "H_a", 403, resigned(func(p *Permission) { p.HA[0] ^= 1 })},
		{"account", "H_wire", 403, resigned(func(p *Permission) { p.HWire[0] ^= 1 })},
		{"too little", "amount", 403, resigned(func(p *Permission) { p.Amount = eur(4_999_999) })},
		{"other currency", "amount", 403, resigned(func(p *Permission) { p.Amount.Currency = "USD" })},
		{"other mint", "mint_pub", 403, resigned(func(p *Permission) { p.Mint = s.merchant.Public() })},
		{"other denomination", "denom_pub", 403, resigned(func(p *Permission) { p.Denom = otherDenomPub(3) })},
		{"csig", "csig", 403, func() Permission { p := good; p.CSig[0] ^= 1; return p }()},
		{"ubsig", "ubsig", 403, resigned(func(p *Permission) { p.UBSig = bytes.Clone(p.UBSig); p.UBSig[9] ^= 1 })},
	} {
		ps := Permissions{bad.p}
		err := ps.MatchContract(c, s.merchant.Public())
		if err == nil {
			err = ps.MatchAmount(&c.terms)
		}
		if err == nil {
			err = s.keys.CheckPermissions(ps, &c.terms, Amount{}, s.now)
		}
		if !errors.Is(err, &Error{Status: bad.status, Parameter: bad.parameter}) {
			t.Errorf("%s: %v instead of %d %s", bad.name, err, bad.status, bad.parameter)
		}
	}
}

func TestACoinPaysWithinItsValueAndTime(t *testing.T) {
	s := newShop(t)
	coin := s.coin(t, 1)
	for _, c := range []struct {
		name, parameter string
		amount, maxFee  Amount
		after           time.Duration
	}{
		{"all of it", "", eur(5_000_000), eur(20_000), 0},
		{"more than it", "amount", eur(5_000_001), Amount{}, 0},
		{"other currency", "amount", Amount{"USD", 1, 0}, Amount{}, 0},
		{"too dear", "denom_pub", eur(1), eur(19_999), 0},
		{"limit in another currency", "denom_pub", eur(1), Amount{"USD", 1, 0}, 0},
		{"last second", "", eur(1), Amount{}, 48*time.Hour - time.Second},
		{"too late", "denom_pub", eur(1), Amount{}, 48 * time.Hour},
		{"too early", "denom_pub", eur(1), Amount{}, -time.Hour - time.Second},
	} {
		_, err := s.keys.CheckDenom(&coin.Public, c.amount, c.maxFee, s.now.Add(c.after))
		if c.parameter == "" && err != nil || c.parameter != "" && !errors.Is(err, &Error{Status: 403, Parameter: c.parameter}) {
			t.Errorf("%s: %v instead of %q", c.name, err, c.parameter)
		}
	}
}

func TestALotteryIsPlayedAgainstACommitment(t *testing.T) {
	s := newShop(t)
	for number := range byte(12) {
		rm := SecretFrom([32]byte{number, 1})
		terms := s.lotteryTerms(rm)
		c := s.contract(terms)
		p := s.pay(s.coin(t, 1), c, 5_000_000)
		if err := s.keys.CheckPermissions(Permissions{p}, &c.terms, Amount{}, s.now); err != nil {
			t.Fatal(err)
		}
		draw := Draw{rm.Reveal(), terms.Lottery.Odds}
		won := draw.Won(p.RC)
		if err := p.VerifyAtMint(); !errors.Is(err, &Error{Status: 403, Parameter: "r_m"}) {
			t.Errorf("a mint takes a lottery without its draw: %v", err)
		}
		p.Draw = &draw
		if err := p.VerifyAtMint(); (err == nil) != won {
			t.Errorf("won: %t, the mint says %v", won, err)
		}
		p.Draw = &Draw{Nonce{200}, draw.Odds}
		if err := p.VerifyAtMint(); !errors.Is(err, &Error{Parameter: "csig"}) {
			t.Errorf("another r_m: %v", err)
		}
		status := StatusLotteryLost
		if won {
			status = StatusDepositOK
		}
		reveal := rm.Reveal()
		paid := &Paid{Status: status, RM: &reveal}
		if err := paid.VerifyDraw(terms.Lottery, p.RC); err != nil {
			t.Error(err)
		}
		paid.Status = map[string]string{StatusDepositOK: StatusLotteryLost, StatusLotteryLost: StatusDepositOK}[status]
		if err := paid.VerifyDraw(terms.Lottery, p.RC); !errors.Is(err, &Error{Parameter: "status"}) {
			t.Errorf("a lie about the draw: %v", err)
		}
		other := Nonce{4}
		paid.RM = &other
		if err := paid.VerifyDraw(terms.Lottery, p.RC); !errors.Is(err, &Error{Parameter: "r_m"}) {
			t.Errorf("another r_m: %v", err)
		}
	}
}

func TestLocksAreWhatTheOfferSays(t *testing.T) {
	s := newShop(t)
	coin := s.coin(t, 1)
	o := s.offer(5_000_000)
	l := new(Lock)
	if err := Decode(must(Encode(coin.Lock(o, s.merchant.Public()))), l); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.MatchOffer(o, s.merchant.Public()), s.keys.CheckLock(l, Amount{}, s.now)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		parameter string
		status    int
		change    func(*Lock)
		resign    bool
	}{
		{"transaction_id", 404, func(l *Lock) { l.TransactionID++ }, true},
		{"merchant_pub", 403, func(l *Lock) { l.Merchant[0] ^= 1 }, true},
		{"max_amount", 403, func(l *Lock) { l.MaxAmount.Value++ }, true},
		{"lock_until", 403, func(l *Lock) { l.LockUntil += 1000 }, true},
		{"csig", 403, func(l *Lock) { l.CSig[0] ^= 1 }, false},
		{"ubsig", 403, func(l *Lock) { l.UBSig = bytes.Clone(l.UBSig); l.UBSig[9] ^= 1 }, false},
	} {
		bad := *l
		c.change(&bad)
		if bad.Identity() == l.Identity() {
			t.Errorf("%s does not count in the identity", c.parameter)
		}
		err := bad.MatchOffer(o, s.merchant.Public())
		if err == nil {
			err = s.keys.CheckLock(&bad, Amount{}, s.now)
		}
		if !errors.Is(err, &Error{Status: c.status, Parameter: c.parameter}) {
			t.Errorf("%v instead of %d %s", err, c.status, c.parameter)
		}
	}
	late := s.offer(6_000_000)
	if err := s.keys.CheckLock(coin.Lock(late, s.merchant.Public()), Amount{}, s.now); !errors.Is(err, &Error{Status: 403, Parameter: "max_amount"}) {
		t.Errorf("above the face value: %v", err)
	}
	late.MaxAmount = eur(1)
	for _, c := range []struct {
		name      string
		now, ends time.Duration
		good      bool
	}{
		{"a day ahead", 0, 24 * time.Hour, true},
		{"more than a day ahead", 0, 24*time.Hour + time.Second, false},
		{"ended", time.Hour, time.Hour, false},
		{"an hour before the coin's end", 46 * time.Hour, 47 * time.Hour, true},
		{"less than an hour before the coin's end", 46 * time.Hour, 47*time.Hour + time.Second, false},
	} {
		late.LockUntil = s.at(c.ends)
		err := s.keys.CheckLock(coin.Lock(late, s.merchant.Public()), Amount{}, s.now.Add(c.now))
		if c.good != (err == nil) || err != nil && !errors.Is(err, &Error{Status: 403, Parameter: "lock_until"}) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	end := l.LockUntil.Time().Add(LockGrace)
	if l.Lapsed(end.Add(-time.Nanosecond)) || !l.Lapsed(end) {
		t.Error("a lock lapses at another moment")
	}
	u := NewUnlock(l, s.merchant)
	if err := u.Verify(); err != nil {
		t.Error(err)
	}
	u.Coin[0] ^= 1
	if err := u.Verify(); !errors.Is(err, &Error{Status: 403, Parameter: "sig"}) {
		t.Error(err)
	}
}

func TestReceiptsAreForThisPayment(t *testing.T) {
	s := newShop(t)
	c := s.contract(s.terms(5_000_000))
	paid := Permissions{s.pay(s.coin(t, 1), c, 2_000_000), s.pay(s.coin(t, 2), c, 3_000_000)}
	r := NewReceipt(c, paid, s.at(0), s.merchant)
	again := new(Receipt)
	if err := Decode(must(Encode(r)), again); err != nil {
		t.Fatal(err)
	}
	slices.Reverse(paid)
	if err := again.Verify(s.merchant.Public(), c, paid); err != nil {
		t.Error(err)
	}
	for parameter, change := range map[string]func(*Receipt){
		"merchant_pub": func(r *Receipt) { r.Merchant[0] ^= 1 }, "transaction_id": func(r *Receipt) { r.TransactionID++ },
		"amount": func(r *Receipt) { r.Amount.Value++ }, "H_a": func(r *Receipt) { r.HA[0] ^= 1 },
		"H_csigs": func(r *Receipt) { r.HCSigs[0] ^= 1 }, "sig": func(r *Receipt) { r.Time += 1000 },
	} {
		bad := *r
		change(&bad)
		if err := bad.Verify(s.merchant.Public(), c, paid); !errors.Is(err, &Error{Parameter: parameter}) {
			t.Errorf("%v instead of %s", err, parameter)
		}
	}
}

func FuzzPermissions(f *testing.F) {
	s := newShop(f)
	c := s.contract(s.terms(5_000_000))
	a, b := s.pay(s.coin(f, 1), c, 2_000_000), s.pay(s.coin(f, 2), c, 3_000_000)
	f.Add(must(Permissions{a}.Encode()))
	f.Add(must(Permissions{a, b}.Encode()))
	f.Add(must(Permissions{s.pay(s.coin(f, 3), s.contract(s.lotteryTerms(SecretFrom([32]byte{3}))), 5_000_000)}.Encode()))
	f.Fuzz(func(t *testing.T, body []byte) {
		ps, err := ParsePermissions(body)
		if err != nil {
			return
		}
		text, err := ps.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParsePermissions(text)
		if err != nil || again.Identity() != ps.Identity() {
			t.Fatalf("%s becomes %s, %v", body, text, err)
		}
		if !json.Valid(text) {
			t.Fatalf("%s is no JSON", text)
		}
	})
}

// FuzzRequests reads the smaller requests and answers; what is read is written the
// same way again.
func FuzzRequests(f *testing.F) {
	s := newShop(f)
	id, most, rm := TransactionID(42), eur(1), Nonce{1}
	c := s.contract(s.terms(5_000_000))
	coin := s.coin(f, 1)
	p := s.pay(coin, c, 5_000_000)
	l := coin.Lock(s.offer(1), s.merchant.Public())
	receipt := *NewReceipt(c, Permissions{p}, s.at(0), s.merchant)
	kinds := []func() Message{
		func() Message { return new(ContractRequest) }, func() Message { return new(OfferRequest) },
		func() Message { return new(Offer) }, func() Message { return new(Lock) }, func() Message { return new(Unlock) },
		func() Message { return new(Paid) }, func() Message { return new(Queued) }, func() Message { return new(Error) },
		func() Message { return new(Withdrawal) }, func() Message { return new(WithdrawAnswer) },
		func() Message { return new(ReserveStatus) }, func() Message { return new(Incoming) },
		func() Message { return new(DepositRequest) }, func() Message { return new(DepositAnswer) },
		func() Message { return new(LockAnswer) }, func() Message { return new(UnlockAnswer) },
		func() Message { return new(KeyList) }, func() Message { return new(Proof) }, func() Message { return new(Wire) },
	}
	withdrawal := must(Planchet{coin.Key, SecretFrom([32]byte{})}.Withdrawal(s.denom, s.merchant))
	for i, m := range []Message{
		&ContractRequest{TransactionID: &id}, &OfferRequest{Sale: "a", MaxAmount: &most}, s.offer(1), l, NewUnlock(l, s.merchant),
		&Paid{Status: StatusDepositOK, TransactionID: id, Amount: most, Receipt: receipt, RM: &rm}, &Queued{1000}, malformed("a", "b"),
		withdrawal, &WithdrawAnswer{withdrawal.CoinEv},
		&ReserveStatus{most, []ReserveEvent{{true, most, s.at(0)}}}, &Incoming{s.merchant.Public(), most},
		&DepositRequest{Permissions{p}, s.wire}, &DepositAnswer{[]Confirmation{ConfirmDeposit(&p, s.signing)}},
		ConfirmLock(l, s.signing), &UnlockAnswer{}, &s.list,
		&Proof{Status: StatusLocked, Coin: &p.Coin, History: []Entry{SpendEntry(&p), LockEntry(l), meltEntry(coin, 1, 1)}}, &s.wire,
	} {
		f.Add(i, must(Encode(m)))
	}
	f.Fuzz(func(t *testing.T, kind int, body []byte) {
		make := kinds[uint(kind)%uint(len(kinds))]
		m, again := make(), make()
		if Decode(body, m) != nil {
			return
		}
		text, err := Encode(m)
		if err != nil {
			t.Fatalf("%T %s: %v", m, body, err)
		}
		if err := Decode(text, again); err != nil || !bytes.Equal(must(Encode(again)), text) {
			t.Fatalf("%T %s becomes %s, %v", m, body, text, err)
		}
	})
}

// The race detector sees a writer that changes what it writes.
func TestAMessageCanBeWrittenBySeveralAtOnce(t *testing.T) {
	s := newShop(t)
	id, rm := TransactionID(1), Nonce{1}
	p := s.pay(s.coin(t, 1), s.contract(s.lotteryTerms(SecretFrom([32]byte{3}))), 5_000_000)
	p.Draw = &Draw{RM: rm}
	receipt := *NewReceipt(s.contract(s.terms(1)), Permissions{p}, s.at(0), s.merchant)
	for _, m := range []Message{
		&p, &ContractRequest{TransactionID: &id}, &ContractRequest{Product: "tea", Quantity: 2}, &DepositRequest{Permissions{p}, s.wire},
		&Paid{StatusDepositOK, id, eur(1), receipt, &rm}, &Proof{Status: StatusLocked, Coin: &p.Coin, History: []Entry{SpendEntry(&p)}},
		&ReserveStatus{eur(1), []ReserveEvent{{true, eur(1), s.at(0)}}}, &s.list,
	} {
		var writers sync.WaitGroup
		var texts [2][]byte
		for i := range texts {
			writers.Go(func() { texts[i], _ = Encode(m) })
		}
		writers.Wait()
		if texts[0] == nil || !bytes.Equal(texts[0], texts[1]) {
			t.Errorf("%T is written as %s and %s", m, texts[0], texts[1])
		}
	}
}
