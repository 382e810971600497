package register

import (
	"strings"
	"testing"

	"till/protocol"
)

// taken is a desk at which a key was swept for a sale, with an address for change.
func taken(t *testing.T) *desk {
	d := atDesk(t, 50_000)
	d.do(Offer{Rest: eur(1230), Quote: quote()}, hand(newWIF), hand(address), Next{}, Confirm{})
	_, due := d.k.Takes()
	d.do(Tendered{Tender: protocol.TenderAdded{Sale: deskSale, Tender: deskTender, Kind: protocol.TenderKey, Amount: eur(1230), DueSat: due}, ID: "one"},
		Swept{ID: "one", Result: protocol.SweepResult{ID: "one", State: protocol.PayoutBroadcast, TxID: "first", FeeSat: 141}}, Next{})
	if d.k.Phase != KeyGathering || len(d.k.Keys) > 0 {
		t.Fatalf("phase %d, %d keys", d.k.Phase, len(d.k.Keys))
	}
	return d
}

// contested answers that the keys' coins are being spent.
func (d *desk) contested() {
	d.t.Helper()
	for i := len(d.effects) - 1; i >= 0; i-- {
		if ask, ok := d.effects[i].(Ask); ok {
			d.do(Funded{Ticket: ask.Ticket, Funds: protocol.QueryAddressResult{ContestedSat: 50_000}})
			return
		}
	}
	d.t.Fatal("nothing was asked")
}

func TestAKeyHandedOverAgainRaisesItsFee(t *testing.T) {
	d := taken(t)
	d.do(Offer{}, hand(newWIF))
	d.contested()
	if w := d.k.Waits(); w == nil || w.Fee != 141 {
		t.Fatalf("waits: %+v", w)
	}
	d.do(Next{})
	d.do(Offer{Rest: eur(5), Quote: quote()}) // nothing of a sale is at stake
	d.want(KeyConfirming, "")
	d.do(Confirm{})
	first, again := d.sweeps[0], d.sweeps[1]
	if again.ID != "one" || again.Sale != first.Sale || again.Tender != first.Tender || *again.DueSat != *first.DueSat || again.Change != address ||
		len(again.Keys) != 1 || again.Keys[0].Reveal() != newWIF {
		t.Fatalf("asked %+v, then %+v", first, again)
	}
	d.do(Swept{ID: "one", Result: protocol.SweepResult{ID: "one", State: protocol.PayoutBroadcast, TxID: "second", FeeSat: 900, ChangeSat: 7, Replaces: []string{"first"}}})
	d.want(KeyDone, "")
	if s := d.k.Sent; len(s) != 1 || s[0].TxID != "second" || s[0].Fee != 900 || s[0].Change != address || len(d.k.Keys) > 0 {
		t.Fatalf("remembered %+v", s)
	}
}

// TestWhateverHindersAHigherFeeTheSweepStands: its tender is not taken back.
func TestWhateverHindersAHigherFeeTheSweepStands(t *testing.T) {
	for _, c := range []struct {
		answer Swept
		want   Why
	}{
		{Swept{ID: "one", Result: protocol.SweepResult{ID: "one", State: protocol.PayoutBroadcast, TxID: "first"}}, WhyFeeEnough},
		{Swept{ID: "one", Failure: &Failure{Code: protocol.CodeIDConflict, Unknown: true}}, WhyNotRaised},
		{Swept{ID: "one", Failure: &Failure{Why: WhyNoServer}}, WhyNotRaised},
	} {
		d := taken(t)
		d.do(Offer{}, hand(newWIF))
		d.contested()
		d.do(Next{}, Confirm{})
		n := len(d.effects)
		d.do(c.answer)
		d.want(KeyGathering, c.want)
		for _, e := range d.effects[n:] {
			if _, disclaims := e.(Disclaim); disclaims {
				t.Errorf("%s: the sale's tender is taken back", c.want)
			}
		}
		if d.k.Sent[0].TxID != "first" || len(d.k.Keys) != 1 {
			t.Errorf("%s: remembered %+v, %d keys", c.want, d.k.Sent, len(d.k.Keys))
		}
	}
}

func TestAFeeIsRaisedWithAllKeysOfItsSweepOnly(t *testing.T) {
	d := atDesk(t, 50_000)
	d.do(hand(newWIF), hand(oldWIF), Next{}, Confirm{},
		Swept{ID: "one", Result: protocol.SweepResult{ID: "one", State: protocol.PayoutBroadcast, TxID: "first"}}, Next{}, hand(newWIF))
	d.contested()
	d.do(Next{})
	d.want(KeyGathering, WhyOtherKeys)
	d.do(hand(oldWIF))
	d.contested()
	if d.k.Waits() == nil {
		t.Error("both keys are here")
	}
	d.do(hand(coin))
	d.contested()
	d.do(Next{})
	d.want(KeyGathering, WhyOtherKeys)
	stranger := atDesk(t, 0)
	stranger.do(hand(newWIF))
	stranger.contested()
	stranger.do(Next{})
	stranger.want(KeyGathering, WhyContested)
}

// TestWhatIsRememberedOfASweepHoldsNoKey: it is kept on the disk.
func TestWhatIsRememberedOfASweepHoldsNoKey(t *testing.T) {
	text, err := protocol.Encode(taken(t).k.Sent)
	if err != nil || strings.Contains(string(text), newWIF) || !strings.Contains(string(text), `"change":"`+address) {
		t.Errorf("%s, %v", text, err)
	}
}
