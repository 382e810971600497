package register

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"till/protocol"
	"till/protocol/bitcoin"
)

// Keys of vectors/wif.json and vectors/minikeys.json: regtest, both public forms.
const (
	oldWIF  = "91mn1wYKEB1zyof1VFm8tMtocZx1oBrKKRCu9GCpgZvPmBLEJjp"
	newWIF  = "cV83kKisF3RQSvXbUCm9ox3kaz5JjEUBWcx8tNydfGJcyeUxuH47"
	mainWIF = "L5nJeqKmpHp4P7F8ZYyjwc5a7P4d8EabuGAzfGJk7yC1BJyzNaEd"
	coin    = "S6c56bnXQiBjk9mqSYE7ykVQ7NzrRy"
	hexKey  = "18a86e5a6c6977ddba0daca7fba5190f67ba56ccdc1b3f31308972236c2e4776"

	deskSale, deskTender = "0193b1a0-0000-7000-8000-000000000001", "0193b1a0-0000-7000-8000-000000000002"
)

// desk drives a redemption and answers its effects.
type desk struct {
	t       *testing.T
	k       Redemption
	effects []Effect
	holds   protocol.Sat
	down    bool // the server does not answer
	sweeps  []protocol.Sweep
}

func atDesk(t *testing.T, holds protocol.Sat) *desk {
	return &desk{t: t, k: NewRedemption(bitcoin.Regtest), holds: holds}
}

func (d *desk) do(events ...Event) {
	d.t.Helper()
	for _, e := range events {
		var effects []Effect
		d.k, effects = d.k.Handle(e)
		d.effects = append(d.effects, effects...)
		for _, f := range effects {
			switch f := f.(type) {
			case Journal:
				d.do(Noted{Ticket: f.Ticket})
			case Ask:
				d.do(d.funded(f))
			case Take:
				d.sweeps = append(d.sweeps, f.Sweep)
			}
		}
	}
}

func (d *desk) funded(f Ask) Funded {
	if d.down {
		return Funded{Ticket: f.Ticket, Failure: &Failure{Message: "offline"}}
	}
	for _, a := range f.Addresses {
		if _, err := bitcoin.ParseAddress(a, bitcoin.Regtest); err != nil {
			d.t.Errorf("asked about %q, which is no address", a)
		}
	}
	return Funded{Ticket: f.Ticket, Funds: protocol.QueryAddressResult{ConfirmedSat: d.holds, SweepFeeSat: 400, UsableSat: max(0, d.holds-400)}}
}

func hand(text string) Event { return Hand{protocol.NewSecret(text)} }

func (d *desk) want(phase KeyPhase, why Why) {
	d.t.Helper()
	if d.k.Phase != phase || d.k.Note.Why != why {
		d.t.Fatalf("phase %d note %q, want %d %q", d.k.Phase, d.k.Note.Why, phase, why)
	}
}

func TestWhatIsHandedOverIsJournaledBeforeItIsJudged(t *testing.T) {
	for _, text := range []string{oldWIF, "S6c56bnXQiBjk9mqSYE7ykVQ7NzrRz", "nonsense", hexKey, address} {
		k, effects := NewRedemption(bitcoin.Regtest).Handle(hand(text))
		if len(effects) != 1 || k.Phase != KeyWorking || len(k.Keys) > 0 {
			t.Fatalf("%q: %d effects in phase %d", text, len(effects), k.Phase)
		}
		j := effects[0].(Journal)
		k, _ = k.Handle(Noted{Ticket: j.Ticket, Why: WhyDiskFull})
		if k.Phase != KeyGathering || k.Note.Why != WhyDiskFull || len(k.Keys) > 0 {
			t.Errorf("%q counts although it could not be journaled", text)
		}
	}
}

// TestTheJournalHoldsNoKey: the SHA-256 of a mini key is its private key.
func TestTheJournalHoldsNoKey(t *testing.T) {
	private := sha256.Sum256([]byte(coin))
	for _, text := range []string{coin, " " + coin + "\r\n", oldWIF, newWIF, hexKey, mainWIF, strings.ToUpper(hexKey)} {
		got := TokenOf(text, bitcoin.Regtest)
		if got.Kind != TokenKey || len(got.Token) != 64 || strings.EqualFold(got.Token, hexKey) {
			t.Errorf("%q is journaled as %+v", text, got)
		}
		if got.Token == hex.EncodeToString(private[:]) {
			t.Errorf("%q: the journal holds the private key", text)
		}
	}
	plain := sha256.Sum256([]byte(newWIF))
	if got := TokenOf(newWIF, bitcoin.Regtest).Token; got != hex.EncodeToString(plain[:]) {
		t.Errorf("a WIF is journaled as %s", got)
	}
	if got := TokenOf(address, bitcoin.Regtest); got != (protocol.TokenReceived{Token: address, Kind: TokenAddress}) {
		t.Errorf("an address is journaled as %+v", got)
	}
}

func TestWhatIsWrongWithAKeyIsSaidAndNothingIsAsked(t *testing.T) {
	for _, c := range []struct {
		text string
		want Why
	}{
		{"S6c56bnXQiBjk9mqSYE7ykVQ7NzrRz", WhyTypo}, {newWIF[:51] + "8", WhyTypo}, {mainWIF, WhyWrongNetwork}, {"hello", WhyNoToken},
		{"taler+http://shop/orders/1", WhyBill}, {address, WhyNoChange}, {"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt081", WhyBadAddress},
	} {
		d := atDesk(t, 1000)
		d.do(hand(c.text))
		d.want(KeyGathering, c.want)
		for _, f := range d.effects {
			if _, asked := f.(Ask); asked {
				t.Errorf("%q: the server is asked", c.text)
			}
		}
	}
}

func TestAHexKeyCountsOnlyWhenItIsConfirmed(t *testing.T) {
	d := atDesk(t, 50_000)
	d.do(hand(hexKey))
	d.want(KeyDoubtful, "")
	d.do(Back{})
	if d.want(KeyGathering, ""); len(d.k.Keys) != 0 {
		t.Error("a hash was taken as a key")
	}
	d.do(hand(hexKey), Confirm{})
	if d.want(KeyGathering, ""); len(d.k.Keys) != 1 || len(d.k.Keys[0].Addresses) != 5 {
		t.Errorf("%+v", d.k.Keys)
	}
}

func TestAnEncryptedKeyAsksForItsPassphraseUntilItFits(t *testing.T) {
	key, err := bitcoin.ParseWIF(newWIF, bitcoin.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	locked, err := bitcoin.EncryptBIP38(key, protocol.NewSecret("open"), bitcoin.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	d := atDesk(t, 50_000)
	d.do(hand(locked.String()))
	d.want(KeyLocked, "")
	d.do(Unlock{protocol.NewSecret("wrong")})
	open := d.effects[len(d.effects)-1].(Open)
	d.do(Unlocked{Ticket: open.Ticket, Why: WhyPassphrase})
	d.want(KeyLocked, WhyPassphrase)
	d.do(Unlock{protocol.NewSecret("open")})
	open = d.effects[len(d.effects)-1].(Open)
	opened, err := open.Key.Decrypt(open.Passphrase, open.Network)
	if err != nil {
		t.Fatal(err)
	}
	d.do(Unlocked{Ticket: open.Ticket, Key: opened})
	if d.want(KeyGathering, ""); len(d.k.Keys) != 1 || d.k.Usable() != 49_600 {
		t.Errorf("%d keys, %d usable", len(d.k.Keys), d.k.Usable())
	}
}

func TestTheSaleTakesWhatItIsDueAndTheRestIsChange(t *testing.T) {
	d := atDesk(t, 100_000)
	d.do(Offer{Rest: eur(1230), Quote: quote()}, hand(newWIF), hand(address))
	amount, due := d.k.Takes()
	if amount != eur(1230) || due != 21164 || d.k.Left() != 99_600-21164 || d.k.Change != address {
		t.Fatalf("takes %v %d, leaves %d for %q", amount, due, d.k.Left(), d.k.Change)
	}
	d.do(Next{})
	d.want(KeyConfirming, "")
	d.do(Confirm{})
	d.want(KeyTaking, "")
	if claim := d.effects[len(d.effects)-1].(Claim); claim.Amount != eur(1230) {
		t.Errorf("claims %v", claim.Amount)
	}
	d.do(Tendered{Tender: protocol.TenderAdded{Sale: deskSale, Tender: deskTender, DueSat: 21164}, ID: "p"})
	if len(d.sweeps) != 1 {
		t.Fatal("nothing is swept")
	}
	s := d.sweeps[0]
	if s.ID != "p" || s.Sale != deskSale || s.Tender != deskTender || *s.DueSat != 21164 || s.Change != address || len(s.Keys) != 1 || s.Keys[0].Reveal() != newWIF {
		t.Errorf("sweeps %+v", s)
	}
	d.do(Swept{ID: "p", Result: protocol.SweepResult{ID: "p", State: protocol.PayoutBroadcast, TxID: "ab"}})
	if d.want(KeyDone, ""); len(d.k.Keys) != 0 {
		t.Error("the keys are kept")
	}
}

func TestAKeyThatHoldsLessPaysAPart(t *testing.T) {
	d := atDesk(t, 10_400)
	d.do(Offer{Rest: eur(1230), Quote: quote()}, hand(newWIF))
	if amount, due := d.k.Takes(); amount != eur(581) || due > 10_000 || d.k.Left() != 10_000-due {
		t.Errorf("takes %v and %d of 10000", amount, due)
	}
	d = atDesk(t, 300)
	d.do(Offer{Rest: eur(1230), Quote: quote()}, hand(newWIF), Next{})
	d.want(KeyGathering, WhyNothingHeld)
}

func TestWithoutASaleTheShopTakesEverything(t *testing.T) {
	d := atDesk(t, 100_000)
	d.do(hand(newWIF), hand(oldWIF), hand(oldWIF))
	d.want(KeyGathering, WhyTwice)
	d.do(Next{}, Confirm{})
	s := d.sweeps[0]
	if s.DueSat != nil || s.Change != "" || s.Sale != "" || len(s.Keys) != 2 {
		t.Errorf("sweeps %+v", s)
	}
}

func TestAPriceThatMovesIsConfirmedAnew(t *testing.T) {
	d := atDesk(t, 10_400)
	dearer := *quote()
	dearer.Buy *= 2
	d.do(Offer{Rest: eur(1230), Quote: quote()}, hand(newWIF), Next{}, Offer{Rest: eur(1230), Quote: quote()})
	d.want(KeyConfirming, "")
	d.do(Offer{Rest: eur(1230), Quote: &dearer})
	d.want(KeyGathering, WhyChanged)
	d.do(Confirm{})
	d.want(KeyGathering, WhyNotHere)
}

// TestAnOutcomeThatIsNotKnownIsNotRepeated: no other try before it is certain.
func TestAnOutcomeThatIsNotKnownIsNotRepeated(t *testing.T) {
	d := atDesk(t, 100_000)
	d.do(hand(newWIF), Next{}, Confirm{}, Swept{ID: "p", Failure: &Failure{Unknown: true, Message: "no answer"}})
	d.want(KeyTaking, "")
	for _, e := range []Event{Next{}, Confirm{}, Back{}, Erase{}, hand(oldWIF), Swept{ID: "q", Result: protocol.SweepResult{State: protocol.PayoutRefused}}} {
		d.do(e)
		if d.k.Phase != KeyTaking || d.k.State != protocol.PayoutUnknown {
			t.Fatalf("%T leads to phase %d", e, d.k.Phase)
		}
	}
	d.do(Swept{ID: "p", Result: protocol.SweepResult{ID: "p", State: protocol.PayoutNever}})
	if d.want(KeyGathering, WhyNotTaken); len(d.k.Keys) != 1 || d.k.ID != "" {
		t.Error("the cashier cannot try again")
	}
	if len(d.sweeps) != 1 {
		t.Errorf("%d sweeps", len(d.sweeps))
	}
}

func TestAfterARestartTheTenderOfASweepThatNeverWasIsTakenBack(t *testing.T) {
	d := atDesk(t, 0)
	d.k = counter(t).r.Resumed("p", protocol.TenderAdded{Sale: deskSale, Tender: deskTender})
	d.do(Swept{ID: "p", Failure: &Failure{Why: WhyNotTaken}})
	d.want(KeyDone, "")
	if _, ok := d.effects[len(d.effects)-1].(Disclaim); !ok {
		t.Errorf("effects are %v", d.effects)
	}
}

func TestAnAnswerToAnEarlierQuestionSaysNothing(t *testing.T) {
	d := atDesk(t, 5_000)
	d.do(hand(newWIF), Erase{}, Funded{Ticket: 2, Funds: protocol.QueryAddressResult{UsableSat: 1}})
	if d.k.Funds != nil {
		t.Error("the funds of a key that was given back count")
	}
	d.down = true
	d.do(hand(newWIF))
	d.want(KeyGathering, WhyNotAnswered)
	d.do(Next{})
	d.want(KeyGathering, WhyNotAsked)
}

func TestARedemptionPrintsNoKey(t *testing.T) {
	d := atDesk(t, 5_000)
	d.do(hand(newWIF), hand(hexKey))
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		text := fmt.Sprintf(verb, d.k)
		if strings.Contains(text, newWIF) || strings.Contains(text, hexKey) {
			t.Errorf("%s prints a key", verb)
		}
	}
}

// TestAnotherPriceBetweenTheYAndTheJournalIsReadAnew: nothing is taken for an
// amount that nobody saw.
func TestAnotherPriceBetweenTheYAndTheJournalIsReadAnew(t *testing.T) {
	d := atDesk(t, 100_000)
	d.do(Offer{Rest: eur(1230), Quote: quote()}, hand(newWIF), Next{}, Confirm{})
	d.do(Tendered{Tender: protocol.TenderAdded{Sale: deskSale, Tender: deskTender, DueSat: 21165}, ID: "p"})
	if d.want(KeyGathering, WhyChanged); len(d.sweeps) != 0 || !has[Disclaim](d.effects) {
		t.Errorf("%d sweeps, effects %v", len(d.sweeps), d.effects)
	}
}
