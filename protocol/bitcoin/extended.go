package bitcoin

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcutil/v2/hdkeychain"
)

// ErrExtendedKey is the cause of a refused extended key or path.
var ErrExtendedKey = errors.New("not an extended key")

// hardened is the first hardened index (BIP32).
const hardened = hdkeychain.HardenedKeyStart

// Path is a list of BIP32 child numbers, hardened ones at 2^31 and above.
type Path []uint32

// maxPath is the deepest path that is read; BIP32 allows 255.
const maxPath = 16

// ParsePath reads steps separated by slashes, hardened ones marked ' or h:
// "84'/0'/0'/0/57". Empty text is the empty path.
func ParsePath(text string) (Path, error) {
	if text == "" {
		return nil, nil
	}
	steps := strings.Split(text, "/")
	if len(steps) > maxPath {
		return nil, fmt.Errorf("%w: path of %d steps", ErrExtendedKey, len(steps))
	}
	path := make(Path, len(steps))
	for i, step := range steps {
		n, err := parseStep(step)
		if err != nil {
			return nil, err
		}
		path[i] = n
	}
	return path, nil
}

// parseStep reads one child number: digits without leading zeros, then perhaps '
// or h.
func parseStep(step string) (uint32, error) {
	digits, base := step, uint32(0)
	if strings.HasSuffix(step, "'") || strings.HasSuffix(step, "h") {
		digits, base = step[:len(step)-1], hardened
	}
	n, err := strconv.ParseUint(digits, 10, 31)
	if err != nil || strconv.FormatUint(n, 10) != digits {
		return 0, fmt.Errorf("%w: a step of the path is not a number below 2147483648", ErrExtendedKey)
	}
	return base + uint32(n), nil
}

// String gives the path with ' for hardened steps: "84'/0'/0'/0/57".
func (p Path) String() string { return p.text("'") }

func (p Path) text(mark string) string {
	steps := make([]string, len(p))
	for i, n := range p {
		steps[i] = strconv.FormatUint(uint64(n&^hardened), 10)
		if n >= hardened {
			steps[i] += mark
		}
	}
	return strings.Join(steps, "/")
}

// Purpose is the first step of the path of an account whose addresses have the
// given form: 44, 49, 84 or 86 (not hardened). P2SH stands for P2SH-P2WPKH.
func Purpose(form Form) (uint32, error) {
	switch form {
	case P2PKH:
		return 44, nil
	case P2SH:
		return 49, nil
	case P2WPKH:
		return 84, nil
	case P2TR:
		return 86, nil
	}
	return 0, fmt.Errorf("%w: no accounts of %s", ErrExtendedKey, form)
}

// AccountPath is the path of an account: purpose'/coin type'/account'.
func AccountPath(form Form, net Network, account uint32) (Path, error) {
	purpose, err := Purpose(form)
	if err != nil {
		return nil, err
	}
	if account >= hardened {
		return nil, fmt.Errorf("%w: account %d", ErrExtendedKey, account)
	}
	return Path{hardened + purpose, hardened + net.CoinType(), hardened + account}, nil
}

// version is a prefix of extended keys (SLIP-132). form 0 leaves the form to the
// descriptor.
type version struct {
	public, private [4]byte
	form            Form
	test            bool
}

var versions = []version{
	{[4]byte{0x04, 0x88, 0xb2, 0x1e}, [4]byte{0x04, 0x88, 0xad, 0xe4}, 0, false},      // xpub xprv
	{[4]byte{0x04, 0x9d, 0x7c, 0xb2}, [4]byte{0x04, 0x9d, 0x78, 0x78}, P2SH, false},   // ypub yprv
	{[4]byte{0x04, 0xb2, 0x47, 0x46}, [4]byte{0x04, 0xb2, 0x43, 0x0c}, P2WPKH, false}, // zpub zprv
	{[4]byte{0x04, 0x35, 0x87, 0xcf}, [4]byte{0x04, 0x35, 0x83, 0x94}, 0, true},       // tpub tprv
	{[4]byte{0x04, 0x4a, 0x52, 0x62}, [4]byte{0x04, 0x4a, 0x4e, 0x28}, P2SH, true},    // upub uprv
	{[4]byte{0x04, 0x5f, 0x1c, 0xf6}, [4]byte{0x04, 0x5f, 0x18, 0xbc}, P2WPKH, true},  // vpub vprv
}

// multisigVersions are Ypub, Zpub, Upub and Vpub with their private halves.
var multisigVersions = [][4]byte{
	{0x02, 0x95, 0xb4, 0x3f}, {0x02, 0x95, 0xb0, 0x05}, {0x02, 0xaa, 0x7e, 0xd3}, {0x02, 0xaa, 0x7a, 0x99},
	{0x02, 0x42, 0x89, 0xef}, {0x02, 0x42, 0x85, 0xb5}, {0x02, 0x57, 0x54, 0x83}, {0x02, 0x57, 0x50, 0x48},
}

// ExtendedKey is a key of a tree of keys (BIP32), public or private. A private
// one prints [secret].
type ExtendedKey struct {
	hd   hidden[hdkeychain.ExtendedKey]
	net  Network
	form Form
}

// ParseExtendedKey reads xpub, ypub, zpub and the private and test network forms
// (tpub, upub, vpub) for net. Errors wrap [ErrExtendedKey] or [ErrWrongNetwork].
func ParseExtendedKey(text string, net Network) (ExtendedKey, error) {
	if len(text) > maxBase58 || !isBase58(text) {
		return ExtendedKey{}, fmt.Errorf("%w: it has 111 letters and digits", ErrExtendedKey)
	}
	hd, err := hdkeychain.NewKeyFromString(text)
	if err != nil {
		return ExtendedKey{}, fmt.Errorf("%w: %w", ErrExtendedKey, err)
	}
	prefix := [4]byte(hd.Version())
	for _, v := range versions {
		if prefix != v.public && prefix != v.private {
			continue
		}
		if (prefix == v.private) != hd.IsPrivate() {
			return ExtendedKey{}, fmt.Errorf("%w: prefix and key do not match", ErrExtendedKey)
		}
		if hd.Depth() == 0 && (hd.ParentFingerprint() != 0 || hd.ChildIndex() != 0) {
			return ExtendedKey{}, fmt.Errorf("%w: a master key with a parent", ErrExtendedKey)
		}
		if v.test != (net != Mainnet) {
			found := "mainnet"
			if v.test {
				found = "a test network"
			}
			hd.Zero()
			return ExtendedKey{}, net.wrongNetwork("an extended key", found)
		}
		hd.SetNet(net.Params())
		return extend(hd, net, v.form)
	}
	for _, v := range multisigVersions {
		if prefix == v {
			return ExtendedKey{}, fmt.Errorf("%w: this is a key of a multisignature wallet, which is not supported", ErrExtendedKey)
		}
	}
	return ExtendedKey{}, fmt.Errorf("%w: unknown prefix", ErrExtendedKey)
}

// NewMaster makes the root of a tree from a seed of 16 to 64 bytes.
func NewMaster(seed []byte, net Network) (ExtendedKey, error) {
	hd, err := hdkeychain.NewMaster(seed, net.Params())
	if err != nil {
		return ExtendedKey{}, fmt.Errorf("make master key: %w", err)
	}
	return extend(hd, net, 0)
}

// extend wraps hd. It computes the public key of a private one at once, because
// hdkeychain would do so on first use, unguarded.
func extend(hd *hdkeychain.ExtendedKey, net Network, form Form) (ExtendedKey, error) {
	if _, err := hd.ECPubKey(); err != nil {
		return ExtendedKey{}, fmt.Errorf("%w: %w", ErrExtendedKey, err)
	}
	return ExtendedKey{hide(hd), net, form}, nil
}

// IsZero reports whether x is no key.
func (x ExtendedKey) IsZero() bool { return x.hd == nil }

// Private reports whether x is a private key.
func (x ExtendedKey) Private() bool { return x.hd().IsPrivate() }

// Network is the network x was read for.
func (x ExtendedKey) Network() Network { return x.net }

// Form is what the prefix says of the addresses: P2SH (for P2SH-P2WPKH) of a
// ypub, P2WPKH of a zpub, 0 of an xpub, which leaves it open.
func (x ExtendedKey) Form() Form { return x.form }

// Depth is the number of steps from the master key.
func (x ExtendedKey) Depth() int { return int(x.hd().Depth()) }

// Fingerprint is the first 4 bytes of the hash of the public key, as descriptors
// write it.
func (x ExtendedKey) Fingerprint() Fingerprint {
	return Fingerprint(address.Hash160(x.PublicKey())[:4])
}

// Fingerprint names a key of a tree (BIP32): 4 bytes, written as 8 hex digits.
type Fingerprint [4]byte

// String gives 8 hex digits.
func (f Fingerprint) String() string { return fmt.Sprintf("%x", f[:]) }

// PublicKey is the compressed public key.
func (x ExtendedKey) PublicKey() []byte {
	point, err := x.hd().ECPubKey()
	if err != nil {
		panic("bitcoin: public key of extended key: " + err.Error()) // checked when it was read
	}
	return point.SerializeCompressed()
}

// Derive follows a path down. Hardened steps need a private key. A path that
// yields no key (1 in 2^127) fails: use the next index.
func (x ExtendedKey) Derive(path ...uint32) (ExtendedKey, error) {
	hd := x.hd()
	for i, n := range path {
		child, err := hd.Derive(n)
		if i > 0 && x.hd().IsPrivate() {
			hd.Zero()
		}
		if err != nil {
			return ExtendedKey{}, fmt.Errorf("derive %s: %w", Path(path), err)
		}
		hd = child
	}
	return extend(hd, x.net, x.form)
}

// Neuter gives the public half, which outlives a wipe of x.
func (x ExtendedKey) Neuter() ExtendedKey {
	shared, err := x.hd().Neuter()
	if err != nil {
		panic("bitcoin: neuter extended key: " + err.Error()) // the prefix is one of the network's own
	}
	hd, err := hdkeychain.NewKeyFromString(shared.String()) // hdkeychain shares the chain code
	if err != nil {
		panic("bitcoin: copy extended key: " + err.Error())
	}
	return ExtendedKey{hide(hd), x.net, x.form}
}

// Key is the private key of x itself, of the compressed public key.
func (x ExtendedKey) Key() (Key, error) {
	priv, err := x.hd().ECPrivKey()
	if err != nil {
		return Key{}, fmt.Errorf("take private key: %w", err)
	}
	defer priv.Zero()
	d := priv.Key.Bytes()
	defer clear(d[:])
	return newKey(d[:], Compressed)
}

// ChainCode is a copy of the 32 bytes that, with the key, derive its children.
func (x ExtendedKey) ChainCode() []byte { return x.hd().ChainCode() }

// Wipe overwrites x if it is private. Keys derived from it before are not
// touched.
func (x ExtendedKey) Wipe() {
	if x.hd != nil && x.hd().IsPrivate() {
		x.hd().Zero()
	}
}

// String gives the public key as xpub or tpub, without the hint of SLIP-132; a
// private one gives [secret].
func (x ExtendedKey) String() string {
	if x.hd == nil || x.hd().IsPrivate() {
		return redacted
	}
	return x.hd().String()
}

// Format prints what String gives, whatever the verb.
func (x ExtendedKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, x.String()) }

// MarshalText gives what String gives.
func (x ExtendedKey) MarshalText() ([]byte, error) { return []byte(x.String()), nil }

// LogValue gives what String gives.
func (x ExtendedKey) LogValue() slog.Value { return slog.StringValue(x.String()) }
