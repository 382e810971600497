package taler

import "crypto/sha512"

// Receipt is the merchant's word that a contract is paid (102):
// {"merchant_pub","transaction_id","time","amount","H_a","H_csigs","sig"}. What is
// owed to a customer is paid against it.
type Receipt struct {
	Merchant      PublicKey
	TransactionID TransactionID
	Time          Time
	Amount        Amount // the contract's; in a lottery the price
	HA            Hash
	HCSigs        Hash // SHA-512 of the csigs, sorted and concatenated
	Sig           Signature
}

func (r *Receipt) members(m *members) {
	m.need("merchant_pub", &r.Merchant)
	m.need("transaction_id", &r.TransactionID)
	m.need("time", &r.Time)
	m.need("amount", &r.Amount)
	m.need("H_a", &r.HA)
	m.need("H_csigs", &r.HCSigs)
	m.need("sig", &r.Sig)
}

func (r *Receipt) block() Block {
	return newBlock(PurposeReceipt, 156).
		id(r.TransactionID).
		time(r.Time).
		amount(r.Amount).
		hash(r.HA).
		hash(r.HCSigs).
		done()
}

// NewReceipt signs that the permissions paid the contract at a moment.
func NewReceipt(c *Contract, paid Permissions, at Time, merchant PrivateKey) *Receipt {
	r := &Receipt{
		Merchant:      merchant.Public(),
		TransactionID: c.terms.TransactionID,
		Time:          at,
		Amount:        c.terms.Amount,
		HA:            c.hash,
		HCSigs:        hashCSigs(paid.CSigs()),
	}
	r.Sig = merchant.Sign(r.block())
	return r
}

func hashCSigs(csigs []Signature) Hash { return sha512.Sum512(sortedSignatures(csigs)) }

// Verify checks a receipt as the customer does: that it is the merchant's, for this
// contract, and for these permissions. The error is an [*Error] of status 403.
func (r *Receipt) Verify(merchant PublicKey, c *Contract, paid Permissions) error {
	switch {
	case r.Merchant != merchant:
		return refused("merchant_pub", "another merchant's")
	case r.TransactionID != c.terms.TransactionID:
		return refused("transaction_id", "another contract's")
	case r.Amount != c.terms.Amount:
		return refused("amount", "%s instead of %s", r.Amount, c.terms.Amount)
	case r.HA != c.hash:
		return refused("H_a", "another contract's")
	case r.HCSigs != hashCSigs(paid.CSigs()):
		return refused("H_csigs", "another payment's")
	case !merchant.Verify(r.block(), r.Sig):
		return refused("sig", "not the signature of merchant %s", merchant)
	}
	return nil
}
