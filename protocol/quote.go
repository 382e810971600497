package protocol

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
)

// Source is one place a rate came from.
type Source struct {
	Name string `json:"name"`
	Rate Rate   `json:"rate"`
	At   Time   `json:"at"`
}

// Quote is a signed promise of a price, held from At until Until. A sale keeps
// its quote for its whole payment window.
type Quote struct {
	ID       QuoteID      `json:"id"`
	Key      string       `json:"key"` // which of CONFIG's quote_keys signed
	Currency Currency     `json:"currency"`
	Buy      Rate         `json:"buy"`  // what the shop pays for a bitcoin: sales
	Sell     Rate         `json:"sell"` // what it asks: dispense
	Sources  List[Source] `json:"sources"`
	At       Time         `json:"at"`
	Until    Time         `json:"until"`
	Sig      string       `json:"sig,omitempty"` // Ed25519 over the canonical JSON without sig, 128 hex digits
}

// QuoteKey is a public key that signs quotes: {"id":"k1","ed25519":"64 HEX"}.
type QuoteKey struct {
	ID      string `json:"id"`
	Ed25519 string `json:"ed25519"`
}

// ErrQuoteSignature is the cause when a quote's signature does not verify.
var ErrQuoteSignature = errors.New("the price is not signed by this shop's server")

// NoQuote says why no quote can be given.
type NoQuote struct {
	Reason  string `json:"reason"` // rate_stale, rate_jump, rate_missing
	Message string `json:"message"`
	Since   Time   `json:"since"`
}

func (q Quote) signed() ([]byte, error) {
	q.Sig = ""
	text, err := Encode(q)
	if err != nil {
		return nil, err
	}
	return Canonical(text)
}

// Sign sets Sig with the key.
func (q *Quote) Sign(key ed25519.PrivateKey) error {
	text, err := q.signed()
	if err != nil {
		return fmt.Errorf("sign quote: %w", err)
	}
	q.Sig = hex.EncodeToString(ed25519.Sign(key, text))
	return nil
}

// Verify checks the signature against those of keys whose id is the quote's;
// the error wraps [ErrQuoteSignature].
func (q Quote) Verify(keys []QuoteKey) error {
	text, err := q.signed()
	if err != nil {
		return fmt.Errorf("verify quote: %w", err)
	}
	sig, err := hex.DecodeString(q.Sig)
	if err != nil || len(sig) != ed25519.SignatureSize {
		return fmt.Errorf("verify quote: %w", ErrQuoteSignature)
	}
	for _, k := range keys {
		pub, err := hex.DecodeString(k.Ed25519)
		if err == nil && k.ID == q.Key && len(pub) == ed25519.PublicKeySize && ed25519.Verify(pub, text, sig) {
			return nil
		}
	}
	return fmt.Errorf("verify quote: %w", ErrQuoteSignature)
}

// Covers reports whether the quote is held at the moment.
func (q Quote) Covers(at Time) bool { return q.At <= at && at <= q.Until }
