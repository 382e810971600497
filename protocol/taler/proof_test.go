package taler

import (
	"errors"
	"testing"
	"time"
)

func meltEntry(c *Coin, session byte, micro uint64) Entry {
	x := &Melt{Session: Hash{session}, Amount: eur(micro), Fee: eur(0)}
	x.CSig = c.Key.Sign(x.block(c.Key.Public()))
	return Entry{Melt: x}
}

// sent gives a proof after it went over the wire.
func (p *Proof) sent(t *testing.T) *Proof {
	t.Helper()
	again := new(Proof)
	if err := DecodeAnswer(must(Encode(p)), again); err != nil {
		t.Fatal(err)
	}
	return again
}

func TestADepositIsRefusedOnlyWithProof(t *testing.T) {
	s := newShop(t)
	coin, other := s.coin(t, 1), s.coin(t, 2)
	refused := s.paidElsewhere(coin, 100, 3_000_000)
	spent := func(id TransactionID, micro uint64) Entry {
		p := s.paidElsewhere(coin, id, micro)
		return SpendEntry(&p)
	}
	locked := func(id TransactionID, micro uint64, ends time.Duration) Entry {
		o := s.offer(micro)
		o.TransactionID, o.LockUntil = id, s.at(ends)
		return LockEntry(coin.Lock(o, s.merchant.Public()))
	}
	badSig := s.paidElsewhere(coin, 200, 5_000_000)
	badSig.CSig[0] ^= 1
	badLock := coin.Lock(s.offer(5_000_000), s.merchant.Public())
	badLock.MaxAmount = eur(1)
	badMelt := meltEntry(coin, 1, 5_000_000)
	badMelt.Melt.Session[5] ^= 1
	foreign := s.paidElsewhere(other, 200, 5_000_000)
	nameless := SpendEntry(&foreign)
	nameless.coin = nil
	dollars := s.paidElsewhere(coin, 300, 5_000_000)
	dollars.Amount.Currency = "USD"
	dollars.CSig = coin.Key.Sign(dollars.block(Commitment{}))
	misnamed := spent(201, 2_000_001)
	misnamed.coin = &foreign.Coin
	bare := spent(201, 2_000_001)
	bare.coin = nil
	for _, c := range []struct {
		name    string
		proves  bool
		history []Entry
	}{
		{"nothing", false, nil},
		{"a deposit that leaves enough", false, []Entry{spent(201, 2_000_000)}},
		{"a deposit that leaves a millionth too little", true, []Entry{spent(201, 2_000_001)}},
		{"the same without coin_pub", true, []Entry{bare}},
		{"the same under another coin_pub", false, []Entry{misnamed}},
		{"two deposits together", true, []Entry{spent(201, 1_000_000), spent(202, 1_000_001)}},
		{"a deposit twice", false, []Entry{spent(201, 1_500_000), spent(201, 1_500_000)}},
		{"enough, and a deposit twice", false, []Entry{spent(202, 5_000_000), spent(201, 1), spent(201, 1)}},
		{"two deposits of one transaction", false, []Entry{spent(201, 2_000_000), spent(201, 1_000_000)}},
		{"the refused one itself", false, []Entry{SpendEntry(&refused), spent(201, 2_000_000)}},
		{"the refused one itself twice", false, []Entry{SpendEntry(&refused), SpendEntry(&refused)}},
		{"another of the refused one's transaction", true, []Entry{spent(100, 1)}},
		{"a live lock", true, []Entry{locked(201, 2_000_001, time.Hour)}},
		{"a live lock that leaves enough", false, []Entry{locked(201, 2_000_000, time.Hour)}},
		{"a lock within its grace", true, []Entry{locked(201, 5_000_000, -LockGrace+time.Second)}},
		{"a lapsed lock", false, []Entry{locked(201, 5_000_000, -LockGrace)}},
		{"its own lock", false, []Entry{locked(100, 5_000_000, time.Hour)}},
		{"a deposit and the lock it consumed", false, []Entry{locked(201, 5_000_000, time.Hour), spent(201, 2_000_000)}},
		{"the same in the other order", false, []Entry{spent(201, 2_000_000), locked(201, 5_000_000, time.Hour)}},
		{"two locks of one transaction", false, []Entry{locked(201, 1_500_000, time.Hour), locked(201, 1_500_000, 2*time.Hour)}},
		{"a melt", true, []Entry{meltEntry(coin, 1, 2_000_001)}},
		{"a melt twice", false, []Entry{meltEntry(coin, 1, 1_500_000), meltEntry(coin, 1, 1_500_000)}},
		{"two melts", true, []Entry{meltEntry(coin, 1, 1_500_000), meltEntry(coin, 2, 1_500_000)}},
		{"a bad signature", false, []Entry{SpendEntry(&badSig)}},
		{"a bad signature beside enough", false, []Entry{spent(201, 5_000_000), SpendEntry(&badSig)}},
		{"a lock of another amount than signed", false, []Entry{LockEntry(badLock)}},
		{"a melt of another session than signed", false, []Entry{badMelt}},
		{"another coin's", false, []Entry{SpendEntry(&foreign)}},
		{"another coin's without its name", false, []Entry{nameless}},
		{"another currency", false, []Entry{SpendEntry(&dollars)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			proof := (&Proof{Status: StatusDeposited, History: c.history}).sent(t)
			err := proof.VerifyDeposit(&refused, eur(5_000_000), s.now)
			if (err == nil) != c.proves || err != nil && !errors.Is(err, ErrMintFault) {
				t.Errorf("proves %t instead of %t: %v", err == nil, c.proves, err)
			}
		})
	}
	about := other.Key.Public()
	proof := Proof{Status: StatusDeposited, Coin: &about, History: []Entry{spent(201, 5_000_000)}}
	if err := proof.VerifyDeposit(&refused, eur(5_000_000), s.now); !errors.Is(err, ErrMintFault) {
		t.Errorf("a proof about another coin: %v", err)
	}
}

func TestALockIsRefusedOnlyWithProof(t *testing.T) {
	s := newShop(t)
	coin := s.coin(t, 1)
	refused := s.lock(coin, 1_000_000)
	resigned := s.lock(coin, 2_000_000)
	elsewhere := s.offer(1_000_000)
	elsewhere.TransactionID = 500
	other := coin.Lock(elsewhere, s.merchant.Public())
	elsewhere.LockUntil = s.at(-time.Hour)
	lapsed := coin.Lock(elsewhere, s.merchant.Public())
	enough, tooMuch := s.paidElsewhere(coin, 501, 4_000_000), s.paidElsewhere(coin, 501, 4_000_001)
	same := s.paidElsewhere(coin, refused.TransactionID, 1)
	for _, c := range []struct {
		name    string
		proves  bool
		history []Entry
	}{
		{"another live lock, whatever the amount", true, []Entry{LockEntry(other)}},
		{"a lapsed lock", false, []Entry{LockEntry(lapsed)}},
		{"the refused one itself", false, []Entry{LockEntry(refused)}},
		{"another lock of its transaction", true, []Entry{LockEntry(resigned)}},
		{"a deposit that leaves enough", false, []Entry{SpendEntry(&enough)}},
		{"a deposit that leaves too little", true, []Entry{SpendEntry(&tooMuch)}},
		{"a deposit of its transaction", true, []Entry{SpendEntry(&same)}},
	} {
		proof := (&Proof{Status: StatusLocked, History: c.history}).sent(t)
		if err := proof.VerifyLock(refused, eur(5_000_000), s.now); (err == nil) != c.proves {
			t.Errorf("%s: proves %t instead of %t: %v", c.name, err == nil, c.proves, err)
		}
	}
}

func TestALostDrawIsNoSpending(t *testing.T) {
	s := newShop(t)
	coin := s.coin(t, 1)
	refused := s.paidElsewhere(coin, 100, 1_000_000)
	seen := map[bool]bool{}
	for number := range byte(12) {
		rm := SecretFrom([32]byte{number, 1})
		terms := s.lotteryTerms(rm)
		p := s.pay(coin, s.contract(terms), 5_000_000)
		p.Draw = &Draw{rm.Reveal(), terms.Lottery.Odds}
		won := p.Draw.Won(p.RC)
		seen[won] = true
		proof := (&Proof{Status: StatusDeposited, History: []Entry{SpendEntry(&p)}}).sent(t)
		if err := proof.VerifyDeposit(&refused, eur(5_000_000), s.now); (err == nil) != won {
			t.Errorf("won %t, proves %t: %v", won, err == nil, err)
		}
	}
	if !seen[true] || !seen[false] {
		t.Error("all draws went one way: the test shows half")
	}
}

func FuzzProof(f *testing.F) {
	s := newShop(f)
	coin := s.coin(f, 1)
	refused, spent := s.paidElsewhere(coin, 100, 3_000_000), s.paidElsewhere(coin, 101, 1_000_000)
	f.Add(must(Encode(&Proof{Status: StatusDeposited, History: []Entry{SpendEntry(&spent), LockEntry(s.lock(coin, 1)), meltEntry(coin, 1, 1)}})))
	f.Fuzz(func(t *testing.T, body []byte) {
		var proof Proof
		if DecodeAnswer(body, &proof) != nil {
			return
		}
		// Nobody can spend for this coin more than it signed: 1 euro, 1 and 1 millionth.
		if proof.VerifyDeposit(&refused, eur(5_000_000), s.now) == nil {
			t.Fatalf("%s proves a double spend", body)
		}
	})
}
