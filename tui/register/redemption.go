package register

import (
	"slices"

	"till/protocol"
	"till/protocol/bitcoin"
)

// Handle takes an event.
func (k Redemption) Handle(e Event) (Redemption, []Effect) {
	if why := k.WhyNot(e); why != "" {
		k.Note = Said{Why: why}
		return k, nil
	}
	switch e.(type) {
	case Offer, Funded:
	default:
		k.Note = Said{}
	}
	switch e := e.(type) {
	case Offer:
		return k.offered(e), nil
	case Hand:
		return k.hand(e.Text)
	case Noted:
		return k.noted(e)
	case Unlock:
		k.Phase = KeyWorking
		k.ticket++
		return k, []Effect{Open{k.ticket, k.locked, e.Passphrase, k.Network}}
	case Unlocked:
		return k.unlocked(e)
	case Funded:
		return k.funded(e), nil
	case Erase:
		return k.erase()
	case Next:
		return k.next()
	case Back:
		return k.back(), nil
	case Confirm:
		return k.confirm()
	case Tendered:
		return k.tendered(e)
	case Swept:
		return k.swept(e)
	}
	return k, nil
}

// offered takes what the sale takes now. What is on the screen to be confirmed
// goes back when it changed: y is for the amount that was read.
func (k Redemption) offered(o Offer) Redemption {
	if k.Phase >= KeyTaking {
		return k
	}
	before, _ := k.Takes()
	k.Rest, k.Quote = o.Rest, o.Quote
	if k.Waits() != nil {
		return k // nothing of a sale is at stake
	}
	if after, _ := k.Takes(); k.Phase == KeyConfirming && (after != before || k.Quote == nil) {
		k.Phase = KeyGathering
		k.Note = Said{Why: WhyChanged}
	}
	return k
}

// hand journals what was handed over before it is judged.
func (k Redemption) hand(text protocol.Secret) (Redemption, []Effect) {
	k.Phase, k.text = KeyWorking, text
	k.ticket++
	return k, []Effect{Journal{k.ticket, TokenOf(text.Reveal(), k.Network)}}
}

func (k Redemption) noted(e Noted) (Redemption, []Effect) {
	if e.Ticket != k.ticket || k.Phase != KeyWorking {
		return k, nil
	}
	text := k.text
	defer text.Wipe()
	k.Phase, k.text = KeyGathering, protocol.Secret{}
	if e.Why != "" {
		k.Note = Said{Why: e.Why}
		return k, nil
	}
	found, err := bitcoin.Recognise(text.Reveal(), k.Network)
	if err != nil {
		k.Note = Said{Why: whyNoToken(err)}
		return k, nil
	}
	switch found.Kind {
	case bitcoin.KindBill:
		k.Note = Said{Why: WhyBill}
	case bitcoin.KindHexKey:
		k.Phase, k.doubtful = KeyDoubtful, found.Key
	case bitcoin.KindBIP38:
		k.Phase, k.locked = KeyLocked, found.BIP38
	case bitcoin.KindAddress, bitcoin.KindURI:
		if len(found.URI.Addresses) == 0 {
			k.Note = Said{Why: WhyBadAddress}
			return k, nil
		}
		k.Change = found.URI.Addresses[0].String()
		if k.Rest.Minor <= 0 {
			k.Change, k.Note = "", Said{Why: WhyNoChange}
		}
	default:
		return k.add(Held{Key: found.Key, What: found.Kind})
	}
	return k, nil
}

// add takes one more key and asks what all of them hold.
func (k Redemption) add(h Held) (Redemption, []Effect) {
	k.Phase = KeyGathering
	switch {
	case slices.ContainsFunc(k.Keys, func(o Held) bool { return o.Key.Equal(h.Key) }):
		h.Key.Wipe()
		k.Note = Said{Why: WhyTwice}
		return k, nil
	case k.wifs()+len(h.Key.PublicKeys()) > protocol.MaxKeys:
		h.Key.Wipe()
		k.Note = Said{Why: WhyTooManyKeys}
		return k, nil
	}
	for _, a := range h.Key.Addresses(k.Network) {
		h.Addresses = append(h.Addresses, a.String())
	}
	k.Keys = append(slices.Clone(k.Keys), h)
	return k.ask()
}

// wifs is how many of the keys of one sweep the keys take up.
func (k Redemption) wifs() (n int) {
	for _, h := range k.Keys {
		n += len(h.Key.PublicKeys())
	}
	return n
}

// ask asks by address only.
func (k Redemption) ask() (Redemption, []Effect) {
	k.Funds = nil
	k.ticket++
	if len(k.Keys) == 0 {
		return k, nil
	}
	var all []string
	for _, h := range k.Keys {
		all = append(all, h.Addresses...)
	}
	return k, []Effect{Ask{k.ticket, all}}
}

func (k Redemption) funded(e Funded) Redemption {
	if e.Ticket != k.ticket {
		return k
	}
	if e.Failure != nil {
		k.Failure = *e.Failure
		k.Note = Said{Why: WhyNotAnswered, Detail: e.Failure.Message}
		return k
	}
	k.Funds = &e.Funds
	return k
}

func (k Redemption) unlocked(e Unlocked) (Redemption, []Effect) {
	if e.Ticket != k.ticket || k.Phase != KeyWorking {
		e.Key.Wipe()
		return k, nil
	}
	if e.Why != "" {
		k.Phase, k.Note = KeyLocked, Said{Why: e.Why}
		return k, nil
	}
	k.locked = bitcoin.BIP38{}
	return k.add(Held{Key: e.Key, What: bitcoin.KindBIP38})
}

// erase gives the last thing back: the address for the change, else a key.
func (k Redemption) erase() (Redemption, []Effect) {
	if k.Change != "" {
		k.Change = ""
		return k, nil
	}
	last := len(k.Keys) - 1
	k.Keys[last].Key.Wipe()
	k.Keys = slices.Clone(k.Keys[:last])
	return k.ask()
}

func (k Redemption) next() (Redemption, []Effect) {
	if k.Phase == KeyDone {
		return k.Anew(), nil
	}
	k.Phase = KeyConfirming
	return k, nil
}

func (k Redemption) back() Redemption {
	switch k.Phase {
	case KeyDoubtful:
		k.doubtful.Wipe()
		k.doubtful = bitcoin.Key{}
	case KeyLocked:
		k.locked = bitcoin.BIP38{}
	}
	k.Phase = KeyGathering
	return k
}

// confirm is y: the hex digits are a key, or the amount may be taken.
func (k Redemption) confirm() (Redemption, []Effect) {
	if k.Phase == KeyDoubtful {
		key := k.doubtful
		k.doubtful = bitcoin.Key{}
		return k.add(Held{Key: key, What: bitcoin.KindHexKey})
	}
	if s := k.Waits(); s != nil {
		return k.raise(*s)
	}
	k.Phase, k.State, k.Failure = KeyTaking, "", Failure{}
	amount, _ := k.Takes()
	if k.Rest.Minor > 0 {
		return k, []Effect{Claim{amount}}
	}
	return k, []Effect{Take{k.sweep()}}
}

// sweep is the call, with a copy of the keys for it alone.
func (k Redemption) sweep() protocol.Sweep {
	s := protocol.Sweep{ID: k.ID, Sale: k.Tender.Sale, Tender: k.Tender.Tender}
	for _, h := range k.Keys {
		s.Keys = append(s.Keys, h.Key.WIFs(k.Network)...)
	}
	if due := k.Tender.DueSat; due > 0 {
		s.DueSat, s.Change = &due, k.Change
	}
	return s
}

func (k Redemption) tendered(e Tendered) (Redemption, []Effect) {
	if k.Phase != KeyTaking || k.Tender.Tender != "" {
		return k, nil
	}
	if e.Why != "" {
		k.Phase, k.Note = KeyGathering, Said{Why: e.Why}
		return k, nil
	}
	_, read := k.Takes()
	k.Tender, k.ID = e.Tender, e.ID
	if e.Tender.DueSat != read { // another price came between y and the journal
		k, effects := k.untaken()
		k.Note = Said{Why: WhyChanged}
		return k, effects
	}
	return k, []Effect{Take{k.sweep()}}
}

// swept takes how far the sweep is. Only what is certain ends it.
func (k Redemption) swept(e Swept) (Redemption, []Effect) {
	if k.Phase != KeyTaking || k.ID != "" && e.ID != k.ID {
		return k, nil
	}
	if k.Raising != nil {
		return k.raised(e)
	}
	k.ID = e.ID
	if f := e.Failure; f != nil {
		k.Failure = *f
		if f.Unknown {
			k.State = protocol.PayoutUnknown
			return k, nil
		}
		k.State = protocol.PayoutRefused
	} else {
		k.Result, k.State = e.Result, e.Result.State
	}
	switch k.State {
	case protocol.PayoutUnknown, protocol.PayoutReserved, protocol.PayoutSigned:
		return k, nil
	case protocol.PayoutRefused, protocol.PayoutNever:
		return k.untaken()
	}
	if len(k.Keys) > 0 { // none after a restart
		k.Sent = k.sent()
	}
	k.Wipe()
	k.Phase = KeyDone
	if k.Tender.Tender != "" {
		return k, nil // the sale's verdict makes the sound
	}
	return k, []Effect{Ring{SoundMoney}}
}

// untaken: certainly nothing was taken. With the keys still at hand the cashier
// may try again, under a new id.
func (k Redemption) untaken() (Redemption, []Effect) {
	effects := []Effect{Ring{SoundFailed}}
	if k.Tender.Tender != "" {
		effects = append(effects, Disclaim{protocol.TenderRemoved{Sale: k.Tender.Sale, Tender: k.Tender.Tender, Reason: ReasonNotTaken}})
	}
	if len(k.Keys) == 0 { // after a restart
		k.Phase = KeyDone
		return k, effects
	}
	k.Phase, k.ID, k.Tender = KeyGathering, "", protocol.TenderAdded{}
	k.Note = Said{Why: WhyNotTaken, Detail: k.Failure.Message}
	next, more := k.ask()
	return next, append(effects, more...)
}

// Resumed is a redemption whose sweep was under way when the program stopped:
// its keys are gone, its outcome is to be asked for.
func (r Register) Resumed(id protocol.PayoutID, tender protocol.TenderAdded) Redemption {
	return Redemption{Network: r.network(), Phase: KeyTaking, ID: id, Tender: tender, State: protocol.PayoutUnknown}
}
