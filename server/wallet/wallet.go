package wallet

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"till/protocol"
	"till/protocol/bitcoin"
	"till/server"
)

// Wallet implements [server.Wallet]. It is safe for use side by side.
type Wallet struct {
	net        bitcoin.Network
	descriptor bitcoin.Descriptor
	account    *account // nil: watch-only
}

var _ server.Wallet = (*Wallet)(nil)

// ErrDescriptor is the cause when a descriptor cannot serve as a wallet. The
// message says what to give instead.
var ErrDescriptor = errors.New("this cannot be a wallet")

// Watch makes a watch-only wallet of a descriptor (BIP380: pkh, wpkh, sh(wpkh),
// tr) or an extended public key. The prefix of a key tells its addresses (SLIP-132:
// ypub sh(wpkh), zpub wpkh, xpub pkh); where that is not what the owner's wallet
// does, only a descriptor will do.
func Watch(text string, net bitcoin.Network) (*Wallet, error) {
	d, err := readDescriptor(strings.TrimSpace(text), net)
	if err != nil {
		return nil, err
	}
	switch {
	case d.Private():
		return nil, fmt.Errorf("%w: it holds a private key; give the public descriptor, or import the words", ErrDescriptor)
	case !d.Ranged():
		return nil, fmt.Errorf("%w: it is one address for all customers; give one that ends in /*", ErrDescriptor)
	case d.Branches() > 2:
		return nil, fmt.Errorf("%w: it has %d branches; give one with <0;1>", ErrDescriptor, d.Branches())
	}
	return &Wallet{net: net, descriptor: d}, nil
}

func readDescriptor(text string, net bitcoin.Network) (bitcoin.Descriptor, error) {
	if strings.Contains(text, "(") {
		return bitcoin.ParseDescriptor(text, net)
	}
	x, err := bitcoin.ParseExtendedKey(text, net)
	if err != nil {
		return bitcoin.Descriptor{}, err
	}
	defer x.Wipe()
	if x.Private() {
		return bitcoin.Descriptor{}, fmt.Errorf("%w: it is a private key; give the public one, or import the words", ErrDescriptor)
	}
	return bitcoin.AccountDescriptor(x, 0, bitcoin.Fingerprint{}, nil)
}

// Identity names the wallet by its network and the hash of its descriptor without
// origin: 4 bytes of SHA-256, so that the same account is the same wallet whether
// it was given as zpub, descriptor or words, and another kind of address on the
// same words is another.
func (w *Wallet) Identity() server.WalletIdentity {
	sum := sha256.Sum256([]byte(w.descriptor.WithoutOrigin().String()))
	return server.WalletIdentity{
		Network:     w.net.String(),
		Fingerprint: hex.EncodeToString(sum[:4]),
		Hot:         w.account != nil,
	}
}

// Descriptor is the public descriptor, for the backup sheet and for wallets that
// watch beside this one.
func (w *Wallet) Descriptor() string { return w.descriptor.String() }

// MemoryLocked reports whether the private key is kept out of swap; true for a
// watch-only wallet, which has none.
func (w *Wallet) MemoryLocked() bool { return w.account == nil || w.account.locked() }

// Close wipes the private key. Payouts fail afterwards.
func (w *Wallet) Close() error {
	if w.account == nil {
		return nil
	}
	return w.account.close()
}

// Derive gives the address at branch and index.
func (w *Wallet) Derive(branch, index uint32) (server.Address, error) {
	a, err := w.descriptor.Address(branch, index)
	if err != nil {
		return server.Address{}, fmt.Errorf("derive address %d/%d: %w", branch, index, err)
	}
	path, err := w.descriptor.Path(branch, index)
	if err != nil {
		return server.Address{}, fmt.Errorf("derive path %d/%d: %w", branch, index, err)
	}
	return server.Address{Text: a.String(), Script: server.Script(a.Script()), Path: path.String()}, nil
}

// Script reads an address of the wallet's network: address_invalid,
// wrong_network.
func (w *Wallet) Script(address string) (server.Script, error) {
	a, err := bitcoin.ParseAddress(address, w.net)
	if err != nil {
		return "", coded(err, protocol.CodeAddressInvalid)
	}
	return server.Script(a.Script()), nil
}

// KeyForms gives every address form of a private key: key_invalid, wrong_network.
func (w *Wallet) KeyForms(wif protocol.Secret) ([]server.Address, error) {
	key, err := bitcoin.ParseWIF(wif.Reveal(), w.net)
	if err != nil {
		return nil, coded(err, protocol.CodeKeyInvalid)
	}
	defer key.Wipe()
	var forms []server.Address
	for _, a := range key.Addresses(w.net) {
		forms = append(forms, server.Address{Text: a.String(), Script: server.Script(a.Script())})
	}
	return forms, nil
}

// coded gives an error of reading text the code for the terminal; the sentences
// of package bitcoin repeat no key.
func coded(err error, code protocol.Code) error {
	if errors.Is(err, bitcoin.ErrWrongNetwork) {
		code = protocol.CodeWrongNetwork
	}
	return protocol.Errorf(code, "%v", err)
}
