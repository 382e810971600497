package register

import (
	"slices"

	"till/protocol"
)

// Sent is a sweep that the server accepted. While its transaction waits for a
// block its fee can be raised: by the same call, with the keys once more, which
// nobody has kept.
type Sent struct {
	ID        protocol.PayoutID    `json:"id"`
	Tender    protocol.TenderAdded `json:"tender,omitzero"` // zero: without a sale
	Change    string               `json:"change,omitempty"`
	Addresses []string             `json:"addresses"` // of every form of its keys
	TxID      string               `json:"txid"`
	Fee       protocol.Sat         `json:"fee"`
}

// sentMost is how many sweeps are remembered.
const sentMost = 16

// sent remembers a sweep that came to a result, the latest last.
func (k Redemption) sent() []Sent {
	s := Sent{ID: k.ID, Tender: k.Tender, TxID: k.Result.TxID, Fee: k.Result.FeeSat}
	if k.Tender.DueSat > 0 {
		s.Change = k.Change
	}
	if k.Raising != nil {
		s.Change = k.Raising.Change
	}
	for _, h := range k.Keys {
		s.Addresses = append(s.Addresses, h.Addresses...)
	}
	others := slices.DeleteFunc(slices.Clone(k.Sent), func(o Sent) bool { return o.ID == s.ID })
	all := append(others, s)
	return all[max(0, len(all)-sentMost):]
}

// waiting finds the sweep that took what the keys at hand held and waits for a
// block; whole tells that all its keys are here, and no other.
func (k Redemption) waiting() (s Sent, whole, found bool) {
	if k.Funds == nil || k.Funds.ContestedSat == 0 || k.Funds.ConfirmedSat > 0 {
		return s, false, false
	}
	n := 0
	for _, h := range k.Keys {
		n += len(h.Addresses)
	}
	for _, o := range slices.Backward(k.Sent) {
		if slices.Contains(o.Addresses, k.Keys[0].Addresses[0]) {
			whole = n == len(o.Addresses)
			for _, h := range k.Keys {
				whole = whole && slices.Contains(o.Addresses, h.Addresses[0])
			}
			return o, whole, true
		}
	}
	return s, false, false
}

// Waits is the sweep of the keys at hand whose fee can be raised, nil none.
func (k Redemption) Waits() *Sent {
	if s, whole, _ := k.waiting(); whole {
		return &s
	}
	return nil
}

// raise repeats the call of a sweep with its keys.
func (k Redemption) raise(s Sent) (Redemption, []Effect) {
	k.Phase, k.State, k.Failure = KeyTaking, "", Failure{}
	k.Raising, k.ID, k.Tender, k.Change = &s, s.ID, s.Tender, s.Change
	return k, []Effect{Take{k.sweep()}}
}

// raised takes what came of it. Whatever hinders another fee, the sweep stands.
func (k Redemption) raised(e Swept) (Redemption, []Effect) {
	before := *k.Raising
	switch {
	case e.Failure != nil:
		k.Failure = *e.Failure
		return k.unraised(WhyNotRaised), []Effect{Ring{SoundFailed}}
	case e.Result.TxID == before.TxID:
		return k.unraised(WhyFeeEnough), nil
	}
	k.Result, k.State = e.Result, e.Result.State
	k.Sent = k.sent()
	k.Wipe()
	k.Phase, k.Raising = KeyDone, nil
	return k, nil
}

func (k Redemption) unraised(why Why) Redemption {
	k.Phase, k.Raising, k.ID, k.Tender, k.Change = KeyGathering, nil, "", protocol.TenderAdded{}, ""
	k.Note = Said{Why: why, Detail: k.Failure.Message}
	return k
}
