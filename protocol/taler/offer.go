package taler

// Offer is the merchant's proposal of a tab or of a lottery's lock (§4):
// {"transaction_id","max_amount","lock_until","mints","H_wire","msig"}. Its
// signature, purpose 103, does not cover the mints; those of the contract count.
type Offer struct {
	TransactionID TransactionID
	MaxAmount     Amount
	LockUntil     Time // at most 24 h ahead
	Mints         []MintRef
	HWire         Hash
	MSig          Signature
}

func (o *Offer) members(m *members) {
	m.need("transaction_id", &o.TransactionID)
	m.need("max_amount", &o.MaxAmount)
	m.need("lock_until", &o.LockUntil)
	needMessages(m, "mints", &o.Mints, 1, maxMints)
	m.need("H_wire", &o.HWire)
	m.need("msig", &o.MSig)
	m.rule("max_amount", !o.MaxAmount.IsZero(), "nothing to lock")
}

func (o *Offer) block() Block {
	return newBlock(PurposeOffer, 100).
		raw([]byte(o.TransactionID.String())).
		time(o.LockUntil).
		raw([]byte{0, 0, 0}).
		amount(o.MaxAmount).
		hash(o.HWire).
		done()
}

// Sign sets MSig.
func (o *Offer) Sign(merchant PrivateKey) { o.MSig = merchant.Sign(o.block()) }

// Verify checks MSig. The error is an [*Error] of status 403.
func (o *Offer) Verify(merchant PublicKey) error {
	if !merchant.Verify(o.block(), o.MSig) {
		return refused("msig", "not the signature of merchant %s", merchant)
	}
	return nil
}
