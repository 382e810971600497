package register

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"

	"till/protocol"
	"till/protocol/bitcoin"
)

// Kinds of token_received.
const (
	TokenKey     = "key"     // a secret, or what might be one: its hash is journaled
	TokenAddress = "address" // an address or a payment link
	TokenBill    = "bill"    // an e-cash contract
)

// TokenOf is the journal's entry for something a customer handed over, made
// before it is judged (terminal.md §4.1). What is no address, link or bill may
// be a secret and is journaled as a hash. That of a mini key is hashed twice:
// its plain SHA-256 is the private key itself.
func TokenOf(text string, net bitcoin.Network) protocol.TokenReceived {
	text = strings.TrimSpace(text)
	found, err := bitcoin.Recognise(text, net)
	defer found.Key.Wipe()
	if err == nil {
		switch found.Kind {
		case bitcoin.KindAddress, bitcoin.KindURI:
			if !strings.HasPrefix(text, "%") { // not a card's track
				return protocol.TokenReceived{Token: text, Kind: TokenAddress}
			}
		case bitcoin.KindBill:
			return protocol.TokenReceived{Token: text, Kind: TokenBill}
		}
	}
	once := sha256.Sum256([]byte(text))
	defer clear(once[:])
	if text != "" && text[0] == 'S' {
		twice := sha256.Sum256(once[:])
		return protocol.TokenReceived{Token: hex.EncodeToString(twice[:]), Kind: TokenKey}
	}
	return protocol.TokenReceived{Token: hex.EncodeToString(once[:]), Kind: TokenKey}
}

// whyNoToken is the word for why text is nothing that can be used.
func whyNoToken(err error) Why {
	switch {
	case errors.Is(err, bitcoin.ErrTypo):
		return WhyTypo
	case errors.Is(err, bitcoin.ErrWrongNetwork):
		return WhyWrongNetwork
	case errors.Is(err, bitcoin.ErrCard):
		return WhyBadCard
	case errors.Is(err, bitcoin.ErrAddress), errors.Is(err, bitcoin.ErrURI):
		return WhyBadAddress
	}
	return WhyNoToken
}

// Failure is why an effect that calls the server came to nothing: the server's
// word with its sentence, or one of the terminal's own.
type Failure struct {
	Code    protocol.Code // "" it was not the server that refused
	Why     Why           // "" it was
	Message string        // a sentence in English, "" none
	Unknown bool          // the outcome is not certain
}
