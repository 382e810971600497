package bitcoin

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/btcsuite/btcd/btcec/v2/schnorr"
)

// keyExpression is the KEY of a descriptor (BIP380, BIP389):
//
//	[fingerprint/origin] then a public key in hex, a WIF, or an extended key with
//	a path, perhaps <a;b>, perhaps a final * or *h
type keyExpression struct {
	hasOrigin   bool
	fingerprint Fingerprint
	origin      Path

	public   []byte      // a single public key; 32 bytes in tr()
	single   Key         // a single private key
	extended ExtendedKey // or a tree

	path         []step // after the extended key, without *
	wildcard     bool
	wildHardened bool

	parents []branch // what path leads to, one for each branch
}

// step is one step of a path: one number, or those of <a;b>.
type step []uint32

// branch is the key that * is applied to, or the key itself.
type branch struct {
	key   ExtendedKey
	steps Path
}

// maxBranches bounds <a;b;…>.
const maxBranches = 8

func parseKeyExpression(text string, form Form, net Network) (*keyExpression, error) {
	k := &keyExpression{}
	if strings.HasPrefix(text, "[") {
		inner, rest, ok := strings.Cut(text[1:], "]")
		if !ok {
			return nil, fmt.Errorf("%w: the origin does not end", ErrDescriptor)
		}
		if err := k.parseOrigin(inner); err != nil {
			return nil, err
		}
		text = rest
	}
	key, path, hasPath := strings.Cut(text, "/")
	if len(key) < 100 || len(key) == 130 { // an extended key has 111 characters
		if hasPath {
			return nil, fmt.Errorf("%w: a path after a single key", ErrDescriptor)
		}
		return k, k.parseSingle(key, form, net)
	}
	x, err := ParseExtendedKey(key, net)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDescriptor, err)
	}
	if x.form != 0 && x.form != form {
		return nil, fmt.Errorf("%w: the prefix of the key says %s, the descriptor %s", ErrDescriptor, x.form, form)
	}
	x.form = 0
	k.extended = x
	if hasPath {
		if err := k.parsePath(path); err != nil {
			return nil, err
		}
	}
	return k, k.prepare()
}

func (k *keyExpression) parseOrigin(text string) error {
	print, path, hasPath := strings.Cut(text, "/")
	raw, err := hex.DecodeString(print)
	if err != nil || len(raw) != 4 {
		return fmt.Errorf("%w: a fingerprint has 8 hex digits", ErrDescriptor)
	}
	k.hasOrigin, k.fingerprint = true, Fingerprint(raw)
	if !hasPath {
		return nil
	}
	if path == "" {
		return fmt.Errorf("%w: the origin ends in /", ErrDescriptor)
	}
	if k.origin, err = ParsePath(path); err != nil {
		return fmt.Errorf("%w: %w", ErrDescriptor, err)
	}
	return nil
}

// parseSingle reads a public key in hex or a WIF.
func (k *keyExpression) parseSingle(text string, form Form, net Network) error {
	if len(text) >= 64 {
		return k.parsePublic(text, form)
	}
	key, err := ParseWIF(text, net)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDescriptor, err)
	}
	if form != P2PKH && key.forms != Compressed {
		return fmt.Errorf("%w: an uncompressed key in %s", ErrDescriptor, form)
	}
	k.single, k.public = key, key.PublicKeys()[0]
	k.parents = []branch{{}}
	return nil
}

// parsePublic reads a public key: 33 bytes, 65 in pkh(), 32 in tr().
func (k *keyExpression) parsePublic(text string, form Form) error {
	pub, err := hex.DecodeString(text)
	if err != nil {
		return fmt.Errorf("%w: a public key has 66 hex digits", ErrDescriptor)
	}
	switch {
	case len(pub) == 32 && form == P2TR:
		_, err = schnorr.ParsePubKey(pub)
	case len(pub) == 33 || len(pub) == 65 && form == P2PKH:
		_, err = parsePublicKey(pub)
	default:
		err = fmt.Errorf("a key of %d bytes in %s", len(pub), form)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDescriptor, err)
	}
	k.public = pub
	k.parents = []branch{{}}
	return nil
}

// parsePath reads what follows an extended key: steps, at most one <a;b>, and
// perhaps a final *, *' or *h.
func (k *keyExpression) parsePath(text string) error {
	steps := strings.Split(text, "/")
	if len(steps) > maxPath {
		return fmt.Errorf("%w: path of %d steps", ErrDescriptor, len(steps))
	}
	multi := false
	for i, s := range steps {
		if s == "*" || s == "*'" || s == "*h" {
			if i != len(steps)-1 {
				return fmt.Errorf("%w: steps after *", ErrDescriptor)
			}
			k.wildcard, k.wildHardened = true, s != "*"
			return nil
		}
		choices := []string{s}
		if strings.HasPrefix(s, "<") && strings.HasSuffix(s, ">") {
			choices = strings.Split(s[1:len(s)-1], ";")
			if multi || len(choices) < 2 || len(choices) > maxBranches {
				return fmt.Errorf("%w: <…> stands once and has 2 to %d numbers", ErrDescriptor, maxBranches)
			}
			multi = true
		}
		var numbers step
		for _, c := range choices {
			n, err := parseStep(c)
			if err != nil {
				return fmt.Errorf("%w: %w", ErrDescriptor, err)
			}
			for _, other := range numbers {
				if n == other {
					return fmt.Errorf("%w: a number stands twice in <…>", ErrDescriptor)
				}
			}
			numbers = append(numbers, n)
		}
		k.path = append(k.path, numbers)
	}
	return nil
}

// prepare derives the parent of every branch, so that an address costs one
// derivation.
func (k *keyExpression) prepare() error {
	if k.wildHardened && !k.extended.Private() {
		return fmt.Errorf("%w: *h needs a private key", ErrDescriptor)
	}
	count := 1
	for _, s := range k.path {
		count = max(count, len(s))
	}
	for i := range count {
		var path Path
		for _, s := range k.path {
			path = append(path, s[min(i, len(s)-1)])
		}
		key, err := k.extended.Derive(path...)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrDescriptor, err)
		}
		k.parents = append(k.parents, branch{key, path})
	}
	return nil
}

func (k *keyExpression) private() bool {
	return !k.single.IsZero() || !k.extended.IsZero() && k.extended.Private()
}

// parent is the branch of an index, if both exist.
func (k *keyExpression) parent(b, index uint32) (branch, error) {
	if uint64(b) >= uint64(len(k.parents)) {
		return branch{}, fmt.Errorf("%w: it has no branch %d", ErrDescriptor, b)
	}
	if index >= hardened || !k.wildcard && index != 0 {
		return branch{}, fmt.Errorf("%w: it has no index %d", ErrDescriptor, index)
	}
	return k.parents[b], nil
}

// child is the last step of an index.
func (k *keyExpression) child(index uint32) uint32 {
	if k.wildHardened {
		return index + hardened
	}
	return index
}

func (k *keyExpression) publicKey(b, index uint32) ([]byte, error) {
	parent, err := k.parent(b, index)
	if err != nil {
		return nil, err
	}
	if k.public != nil {
		return k.public, nil
	}
	if !k.wildcard {
		return parent.key.PublicKey(), nil
	}
	x, err := parent.key.Derive(k.child(index))
	if err != nil {
		return nil, err
	}
	defer x.Wipe()
	return x.PublicKey(), nil
}

// text is the canonical form of a public expression.
func (k *keyExpression) text() string {
	var b strings.Builder
	if k.hasOrigin {
		b.WriteString("[" + k.fingerprint.String())
		if len(k.origin) > 0 {
			b.WriteString("/" + k.origin.text("h"))
		}
		b.WriteString("]")
	}
	if k.public != nil {
		b.WriteString(hex.EncodeToString(k.public))
	} else {
		b.WriteString(k.extended.String())
	}
	for _, s := range k.path {
		numbers := make([]string, len(s))
		for i, n := range s {
			numbers[i] = Path{n}.text("h")
		}
		text := strings.Join(numbers, ";")
		if len(s) > 1 {
			text = "<" + text + ">"
		}
		b.WriteString("/" + text)
	}
	if k.wildcard {
		b.WriteString("/*")
	}
	return b.String()
}
