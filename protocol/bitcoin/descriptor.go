package bitcoin

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
)

// ErrDescriptor is the cause of a refused output descriptor.
var ErrDescriptor = errors.New("descriptor not understood")

// maxDescriptor bounds the text: one key with its origin and path.
const maxDescriptor = 1024

// Descriptor describes the output scripts of one key or tree of keys (BIP380):
// pkh(KEY), wpkh(KEY), sh(wpkh(KEY)) or tr(KEY). Multisignature and script
// descriptors are refused. A descriptor with a private key prints [secret].
type Descriptor struct {
	form Form
	key  *keyExpression
	net  Network
}

// wrappers are the supported functions around a key. Longer prefixes first.
var wrappers = []struct {
	open, close string
	form        Form
}{
	{"sh(wpkh(", "))", P2SH},
	{"wpkh(", ")", P2WPKH},
	{"pkh(", ")", P2PKH},
	{"tr(", ")", P2TR},
}

// ParseDescriptor reads a descriptor for net. The checksum may be absent, but not
// wrong. Errors wrap [ErrDescriptor] or [ErrWrongNetwork].
func ParseDescriptor(text string, net Network) (Descriptor, error) {
	if len(text) > maxDescriptor {
		return Descriptor{}, fmt.Errorf("%w: longer than %d characters", ErrDescriptor, maxDescriptor)
	}
	body, sum, hasSum := strings.Cut(text, "#")
	want, ok := descriptorChecksum(body)
	if !ok {
		return Descriptor{}, fmt.Errorf("%w: a character that descriptors do not have", ErrDescriptor)
	}
	if hasSum && sum != want {
		return Descriptor{}, fmt.Errorf("%w: the checksum is wrong: copy it again", ErrDescriptor)
	}
	for _, w := range wrappers {
		if !strings.HasPrefix(body, w.open) {
			continue
		}
		inner, closed := strings.CutSuffix(body[len(w.open):], w.close)
		if !closed {
			break
		}
		key, err := parseKeyExpression(inner, w.form, net)
		if err != nil {
			return Descriptor{}, err
		}
		return Descriptor{w.form, key, net}, nil
	}
	return Descriptor{}, fmt.Errorf("%w: only pkh(KEY), wpkh(KEY), sh(wpkh(KEY)) and tr(KEY) are supported", ErrDescriptor)
}

// AccountDescriptor describes the account key x with a branch for receiving (0)
// and one for change (1): form(x/<0;1>/*). form P2SH is sh(wpkh()). Form 0 takes
// what the prefix says, P2PKH for an xpub (SLIP-132). origin may be nil, and
// must end at x if given.
func AccountDescriptor(x ExtendedKey, form Form, master Fingerprint, origin Path) (Descriptor, error) {
	if form == 0 {
		form = P2PKH
		if x.form != 0 {
			form = x.form
		}
	}
	if _, err := Purpose(form); err != nil {
		return Descriptor{}, err
	}
	if x.form != 0 && x.form != form {
		return Descriptor{}, fmt.Errorf("%w: the prefix of the key says %s, not %s", ErrDescriptor, x.form, form)
	}
	key := &keyExpression{
		extended: x.Neuter(), path: []step{{0, 1}}, wildcard: true,
		hasOrigin: origin != nil, fingerprint: master, origin: origin,
	}
	if err := key.prepare(); err != nil {
		return Descriptor{}, err
	}
	return Descriptor{form, key, x.net}, nil
}

// WithoutOrigin forgets where the key comes from; the addresses are the same.
func (d Descriptor) WithoutOrigin() Descriptor {
	key := *d.key
	key.hasOrigin, key.fingerprint, key.origin = false, Fingerprint{}, nil
	d.key = &key
	return d
}

// Form is the kind of script: P2PKH, P2SH (for P2SH-P2WPKH), P2WPKH or P2TR.
func (d Descriptor) Form() Form { return d.form }

// Network is the network the descriptor was read for.
func (d Descriptor) Network() Network { return d.net }

// Private reports whether the descriptor holds a private key.
func (d Descriptor) Private() bool { return d.key.private() }

// Ranged reports whether the descriptor has a *, so that each index is another
// address.
func (d Descriptor) Ranged() bool { return d.key.wildcard }

// Branches is the number of branches: 2 of a descriptor with <0;1>, else 1.
func (d Descriptor) Branches() int { return len(d.key.parents) }

// Fingerprint is that of the master key if the descriptor names its origin, else
// of the key itself.
func (d Descriptor) Fingerprint() Fingerprint {
	if d.key.hasOrigin {
		return d.key.fingerprint
	}
	if !d.key.extended.IsZero() {
		return d.key.extended.Fingerprint()
	}
	return Fingerprint(address.Hash160(d.key.public)[:4])
}

// Path is the path of an address from the master key, or from the key of the
// descriptor where that does not name its origin: "84'/0'/0'/0/57".
func (d Descriptor) Path(branch, index uint32) (Path, error) {
	parent, err := d.key.parent(branch, index)
	if err != nil {
		return nil, err
	}
	path := append(append(Path(nil), d.key.origin...), parent.steps...)
	if d.key.wildcard {
		path = append(path, d.key.child(index))
	}
	return path, nil
}

// Address is the address of an index of a branch. Indexes are below 2^31; a
// descriptor without * has index 0 only.
func (d Descriptor) Address(branch, index uint32) (Address, error) {
	pub, err := d.key.publicKey(branch, index)
	if err != nil {
		return Address{}, err
	}
	if d.form == P2TR {
		internal, err := schnorr.ParsePubKey(pub[len(pub)-32:])
		if err != nil {
			return Address{}, fmt.Errorf("%w: %w", ErrDescriptor, err)
		}
		return Address{d.net, P2TR, taprootScript(internal)}, nil
	}
	forms, err := AddressesOfPublicKey(pub, d.net)
	if err != nil {
		return Address{}, err
	}
	for _, a := range forms {
		if a.form == d.form {
			return a, nil
		}
	}
	return Address{}, fmt.Errorf("%w: an uncompressed key has no %s", ErrDescriptor, d.form)
}

// text is the canonical form without checksum: h for hardened, xpub without the
// hint of SLIP-132.
func (d Descriptor) text() string {
	for _, w := range wrappers {
		if w.form == d.form {
			return w.open + d.key.text() + w.close
		}
	}
	panic("bitcoin: descriptor of " + d.form.String())
}

// String gives the canonical form with its checksum, [secret] if it holds a
// private key.
func (d Descriptor) String() string {
	if d.key == nil || d.key.private() {
		return redacted
	}
	body := d.text()
	sum, _ := descriptorChecksum(body)
	return body + "#" + sum
}

// Format prints what String gives, whatever the verb.
func (d Descriptor) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, d.String()) }

// MarshalText gives what String gives.
func (d Descriptor) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// LogValue gives what String gives.
func (d Descriptor) LogValue() slog.Value { return slog.StringValue(d.String()) }

// The character sets of the checksum (BIP380).
const (
	descriptorInput = "0123456789()[],'/*abcdefgh@:$%{}" +
		"IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~" +
		"ijklmnopqrstuvwxyzABCDEFGH`#\"\\ "
	descriptorOutput = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
)

// descriptorChecksum gives the 8 characters of BIP380; ok is false when text has
// a character outside of the set.
func descriptorChecksum(text string) (sum string, ok bool) {
	polymod := func(c uint64, v int) uint64 {
		top := c >> 35
		c = (c&0x7ffffffff)<<5 ^ uint64(v)
		for i, g := range [...]uint64{0xf5dee51989, 0xa9fdca3312, 0x1bab10e32d, 0x3706b1677a, 0x644d626ffd} {
			if top>>i&1 == 1 {
				c ^= g
			}
		}
		return c
	}
	c, class, count := uint64(1), 0, 0
	for i := range len(text) {
		pos := strings.IndexByte(descriptorInput, text[i])
		if pos < 0 {
			return "", false
		}
		c = polymod(c, pos&31)
		class = class*3 + pos>>5
		if count++; count == 3 {
			c = polymod(c, class)
			class, count = 0, 0
		}
	}
	if count > 0 {
		c = polymod(c, class)
	}
	for range 8 {
		c = polymod(c, 0)
	}
	c ^= 1
	out := make([]byte, 8)
	for i := range out {
		out[i] = descriptorOutput[c>>(5*(7-i))&31]
	}
	return string(out), true
}
