package register

import (
	"errors"
	"slices"

	"till/protocol"
	"till/protocol/bitcoin"
)

// KeyPhase is how far a redemption is.
type KeyPhase uint8

// The phases.
const (
	KeyGathering  KeyPhase = iota // keys, and the address for the change
	KeyDoubtful                   // 64 hex digits: are they a key?
	KeyLocked                     // an encrypted key waits for its passphrase
	KeyWorking                    // something is written, asked or opened
	KeyConfirming                 // the amount is on the screen and waits for y
	KeyTaking                     // the sweep is under way, or its outcome is not known
	KeyDone                       // the result, until it is acknowledged
)

// KeyKind is what a key came as.
type KeyKind = bitcoin.Kind

// The kinds of keys.
const (
	KindMiniKey = bitcoin.KindMiniKey
	KindWIF     = bitcoin.KindWIF
	KindBIP38   = bitcoin.KindBIP38
	KindHexKey  = bitcoin.KindHexKey
)

// Held is a key that was handed over.
type Held struct {
	Key       bitcoin.Key
	What      KeyKind
	Addresses []string
}

// Redemption takes what keys hold: for a sale, or for the shop where none is
// open. It is pure, as [Register] is. Its keys live in memory only, until the
// sweep is certain or [Redemption.Wipe].
type Redemption struct {
	Network bitcoin.Network
	Quote   *protocol.Quote // what a bitcoin is worth now; of the tender once it is taken
	Rest    protocol.Money  // what the sale still takes, 0 without a sale

	Phase   KeyPhase
	Keys    []Held
	Funds   *protocol.QueryAddressResult // nil not asked yet
	Change  string                       // address for what the sale does not take
	Note    Said
	ID      protocol.PayoutID
	Tender  protocol.TenderAdded // what the sale takes, once it is confirmed
	State   protocol.PayoutState
	Result  protocol.SweepResult
	Failure Failure
	Sent    []Sent // sweeps of before whose keys may come once more
	Raising *Sent  // the one whose fee is being raised

	doubtful bitcoin.Key
	locked   bitcoin.BIP38
	text     protocol.Secret // what waits to be journaled, then judged
	ticket   Ticket
}

// What happens in a redemption, beside Scanned, Next, Back and Erase.
type (
	// Hand hands text over: scanned, swiped or typed.
	Hand struct{ Text protocol.Secret }
	// Unlock tries a passphrase.
	Unlock struct{ Passphrase protocol.Secret }
	// Confirm is the cashier's y.
	Confirm struct{}
	// Offer is what the sale takes now and what a bitcoin is worth.
	Offer struct {
		Rest  protocol.Money
		Quote *protocol.Quote
	}
	// Noted answers [Journal].
	Noted struct {
		Ticket Ticket
		Why    Why // "" it is on the disk
	}
	// Funded answers [Ask]: what the addresses hold.
	Funded struct {
		Ticket  Ticket
		Funds   protocol.QueryAddressResult
		Failure *Failure
	}
	// Unlocked answers [Open].
	Unlocked struct {
		Ticket Ticket
		Key    bitcoin.Key
		Why    Why
	}
	// Tendered tells that the sale's tender is journaled, or why it is not.
	Tendered struct {
		Tender protocol.TenderAdded
		ID     protocol.PayoutID
		Why    Why
	}
	// Swept tells how far the sweep is. Failure is nil when it was accepted.
	Swept struct {
		ID      protocol.PayoutID
		Result  protocol.SweepResult
		Failure *Failure
	}
)

func (Hand) event()     {}
func (Unlock) event()   {}
func (Confirm) event()  {}
func (Offer) event()    {}
func (Noted) event()    {}
func (Funded) event()   {}
func (Unlocked) event() {}
func (Tendered) event() {}
func (Swept) event()    {}

type (
	// Journal writes what was handed over; answered by [Noted].
	Journal struct {
		Ticket Ticket
		Token  protocol.TokenReceived
	}
	// Ask asks what addresses hold; answered by [Funded].
	Ask struct {
		Ticket    Ticket
		Addresses []string
	}
	// Open opens an encrypted key; answered by [Unlocked].
	Open struct {
		Ticket     Ticket
		Key        bitcoin.BIP38
		Passphrase protocol.Secret
		Network    bitcoin.Network
	}
	// Claim adds the key's tender to the sale; answered by [Tendered].
	Claim struct{ Amount protocol.Money }
	// Take sweeps; answered by [Swept]. Its performer makes the id where there is
	// none, and wipes the keys.
	Take struct{ Sweep protocol.Sweep }
	// Disclaim takes the key's tender out of its sale: nothing was taken.
	Disclaim struct{ Removed protocol.TenderRemoved }
)

func (Journal) effect()  {}
func (Ask) effect()      {}
func (Open) effect()     {}
func (Claim) effect()    {}
func (Take) effect()     {}
func (Disclaim) effect() {}

// Do opens the key; it takes some tenths of a second.
func (o Open) Do() Unlocked {
	defer o.Passphrase.Wipe()
	key, err := o.Key.Decrypt(o.Passphrase, o.Network)
	switch {
	case errors.Is(err, bitcoin.ErrWrongNetwork):
		return Unlocked{Ticket: o.Ticket, Why: WhyWrongNetwork}
	case err != nil:
		return Unlocked{Ticket: o.Ticket, Why: WhyPassphrase}
	}
	return Unlocked{Ticket: o.Ticket, Key: key}
}

// Redemption waits for keys.
func (r Register) Redemption() Redemption { return NewRedemption(r.network()) }

// Claimable is what a key can pay of the sale now, and why it cannot; 0 without
// a sale that is being paid.
func (r Register) Claimable() (protocol.Money, Why) {
	none := protocol.Money{Currency: r.Currency()}
	switch r.Phase {
	case Choosing, Counting, Waiting:
		if why := r.whyNotTender(protocol.TenderKey); why != "" {
			return none, why
		}
		return r.CashDue(), ""
	}
	return none, ""
}

// network is the shop's.
func (r Register) network() bitcoin.Network {
	n, err := bitcoin.ParseNetwork(r.Config.Network)
	if err != nil {
		return bitcoin.Mainnet // nothing of a test network is taken by mistake
	}
	return n
}

// NewRedemption waits for keys.
func NewRedemption(net bitcoin.Network) Redemption { return Redemption{Network: net} }

// Wipe overwrites every key.
func (k *Redemption) Wipe() {
	for _, h := range k.Keys {
		h.Key.Wipe()
	}
	k.doubtful.Wipe()
	k.text.Wipe()
	k.Keys, k.doubtful, k.text = nil, bitcoin.Key{}, protocol.Secret{}
}

// Anew waits for other keys; those at hand are wiped.
func (k Redemption) Anew() Redemption {
	k.Wipe()
	return Redemption{Network: k.Network, Rest: k.Rest, Quote: k.Quote, Sent: k.Sent}
}

// Busy reports whether money may be under way: the screen is not to be left for
// another redemption.
func (k Redemption) Busy() bool { return k.Phase == KeyTaking }

// Shown is the address by which a key is told from others: one that holds
// something, else the first.
func (k Redemption) Shown(h Held) string {
	if k.Funds != nil {
		for _, f := range k.Funds.Funds {
			if f.ConfirmedSat+f.ContestedSat > 0 && slices.Contains(h.Addresses, f.Address) {
				return f.Address
			}
		}
	}
	return h.Addresses[0]
}

// Usable is what can be taken, the network's fee taken off.
func (k Redemption) Usable() protocol.Sat {
	if k.Funds == nil {
		return 0
	}
	return k.Funds.UsableSat
}

// Takes is what the sale takes of the keys, in both units: all that is due, or
// as much as they hold. Without a sale amount is what they are worth and due 0.
func (k Redemption) Takes() (amount protocol.Money, due protocol.Sat) {
	amount = protocol.Money{Currency: k.Rest.Currency}
	if k.Quote == nil {
		return amount, 0
	}
	amount.Currency = k.Quote.Currency
	worth, err := k.Quote.Buy.Value(k.Usable())
	if err != nil {
		return amount, 0
	}
	if k.Rest.Minor <= 0 {
		amount.Minor = worth
		return amount, 0
	}
	amount.Minor = min(k.Rest.Minor, worth)
	if due, err = k.Quote.Buy.Charge(amount.Minor); err != nil {
		return protocol.Money{Currency: amount.Currency}, 0
	}
	return amount, due
}

// Left is what the sale does not take.
func (k Redemption) Left() protocol.Sat {
	_, due := k.Takes()
	if k.Rest.Minor <= 0 {
		return 0
	}
	return max(0, k.Usable()-due)
}

// WhyNot tells why an event can do nothing now; "" it can.
func (k Redemption) WhyNot(e Event) Why {
	switch e := e.(type) {
	case Noted, Funded, Unlocked, Tendered, Swept, Offer:
		return ""
	case Hand:
		if k.Phase != KeyGathering {
			return WhyNotHere
		}
		return unless(!e.Text.Empty(), WhyNothingTyped)
	case Unlock:
		return unless(k.Phase == KeyLocked && !e.Passphrase.Empty(), WhyNothingTyped)
	case Erase:
		return unless(k.Phase == KeyGathering && (len(k.Keys) > 0 || k.Change != ""), WhyNothingErased)
	case Next:
		if k.Phase == KeyDone {
			return ""
		}
		return k.whyNotTake()
	case Confirm:
		switch k.Phase {
		case KeyDoubtful, KeyConfirming:
			return ""
		}
		return WhyNotHere
	case Back:
		return unless(k.Phase < KeyTaking && k.Phase != KeyWorking, WhyWorking)
	}
	return WhyNotHere
}

// whyNotTake tells why there is nothing to confirm yet.
func (k Redemption) whyNotTake() Why {
	switch {
	case k.Phase != KeyGathering:
		return WhyNotHere
	case len(k.Keys) == 0:
		return WhyNoKey
	case k.Funds == nil:
		return WhyNotAsked
	case k.Usable() == 0 && k.Funds.ContestedSat > 0:
		_, whole, found := k.waiting()
		switch {
		case whole:
			return ""
		case found:
			return WhyOtherKeys
		}
		return WhyContested
	case k.Usable() == 0 && k.Funds.PendingSat != nil && *k.Funds.PendingSat > 0:
		return WhyPending
	case k.Usable() == 0:
		return WhyNothingHeld
	case k.Rest.Minor > 0 && k.Quote == nil:
		return WhyNoQuote
	}
	if amount, due := k.Takes(); k.Rest.Minor > 0 && (amount.Minor == 0 || due == 0) {
		return WhyNothingHeld
	}
	return ""
}
