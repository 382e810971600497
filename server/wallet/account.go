package wallet

import (
	"errors"
	"fmt"
	"sync"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcutil/v2/hdkeychain"

	"till/protocol/bitcoin"
)

// errClosed: the wallet was closed while a payout wanted its key.
var errClosed = errors.New("the wallet is closed")

// account is the private key of a BIP44-like account: 32 bytes of key and 32 of
// chain code in a locked page.
type account struct {
	mu   sync.RWMutex
	page *page // nil once closed
	net  bitcoin.Network
}

// accountKeys derives the account of form from a BIP39 seed: its private key and
// its public descriptor.
func accountKeys(seed []byte, form bitcoin.Form, net bitcoin.Network) (bitcoin.ExtendedKey, bitcoin.Descriptor, error) {
	fail := func(err error) (bitcoin.ExtendedKey, bitcoin.Descriptor, error) {
		return bitcoin.ExtendedKey{}, bitcoin.Descriptor{}, fmt.Errorf("derive account: %w", err)
	}
	master, err := bitcoin.NewMaster(seed, net)
	if err != nil {
		return fail(err)
	}
	defer master.Wipe()
	path, err := bitcoin.AccountPath(form, net, 0)
	if err != nil {
		return fail(err)
	}
	private, err := master.Derive(path...)
	if err != nil {
		return fail(err)
	}
	d, err := bitcoin.AccountDescriptor(private, form, master.Fingerprint(), path)
	if err != nil {
		private.Wipe()
		return fail(err)
	}
	return private, d, nil
}

// newAccount moves a private key into a locked page and wipes it.
func newAccount(private bitcoin.ExtendedKey, net bitcoin.Network) (*account, error) {
	defer private.Wipe()
	key, err := private.Key()
	if err != nil {
		return nil, err
	}
	defer key.Wipe()
	priv := key.Private()
	defer priv.Zero()
	p, err := newPage()
	if err != nil {
		return nil, err
	}
	d := priv.Key.Bytes()
	defer clear(d[:])
	copy(p.mem[:32], d[:])
	chain := private.ChainCode()
	copy(p.mem[32:64], chain)
	clear(chain)
	return &account{page: p, net: net}, nil
}

// key derives the private key at branch and index. The caller calls its Zero.
func (a *account) key(branch, index uint32) (*btcec.PrivateKey, error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if a.page == nil {
		return nil, errClosed
	}
	// The account is not zeroed: its key is the page itself.
	mem := a.page.mem
	root := hdkeychain.NewExtendedKey(a.net.Params().HDPrivateKeyID[:], mem[:32], mem[32:64], make([]byte, 4), 3, hdkeychain.HardenedKeyStart, true)
	parent, err := root.Derive(branch)
	if err != nil {
		return nil, fmt.Errorf("derive key of branch %d: %w", branch, err)
	}
	defer parent.Zero()
	child, err := parent.Derive(index)
	if err != nil {
		return nil, fmt.Errorf("derive key %d/%d: %w", branch, index, err)
	}
	defer child.Zero()
	return child.ECPrivKey()
}

func (a *account) locked() bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.page == nil || a.page.locked
}

func (a *account) close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.page == nil {
		return nil
	}
	p := a.page
	a.page = nil
	return p.close()
}
