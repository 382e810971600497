package wallet

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"

	"till/protocol"
	"till/protocol/bitcoin"
)

// Causes of a sealed file that does not open.
var (
	// ErrPassphrase: the passphrase is wrong, or the file was changed; the two
	// cannot be told apart.
	ErrPassphrase = errors.New("the passphrase does not open this wallet")
	// ErrSealed: the text is not a sealed wallet of this version.
	ErrSealed = errors.New("not a sealed wallet")
)

const (
	maxSealed     = 2048 // bytes of a file
	maxPassphrase = 1024 // bytes
	seedSize      = 64   // BIP39
	saltSize      = 16
	boxSize       = seedSize + chacha20poly1305.Overhead
)

// Cost is what a guess at the passphrase costs (Argon2id, RFC 9106).
type Cost struct {
	Passes    uint32 // 1 … 16
	MemoryKiB uint32 // 8192 … 1048576
	Lanes     uint8  // 1 … 8
}

// DefaultCost is the second recommendation of RFC 9106, section 4: some tenths of
// a second and 64 MiB on a small machine.
var DefaultCost = Cost{Passes: 3, MemoryKiB: 64 << 10, Lanes: 4}

func (c Cost) valid() bool {
	return c.Passes >= 1 && c.Passes <= 16 && c.MemoryKiB >= 8<<10 && c.MemoryKiB <= 1<<20 && c.Lanes >= 1 && c.Lanes <= 8
}

// Sealed is a hot wallet on disk: five lines of text, each ended by a line feed.
//
//	till-wallet 1
//	network mainnet
//	descriptor wpkh([73c5da0a/84h/0h/0h]xpub…/<0;1>/*)#qf45pmyh
//	argon2id PASSES KIB LANES SALT
//	xchacha20poly1305 NONCE BOX
//
// Numbers are decimal; SALT (16 bytes), NONCE (24) and BOX (80) are lower-case
// hex. The key is Argon2id of the passphrase's bytes, 32 bytes; BOX is the 64-byte
// BIP39 seed with its tag, and the first four lines are its associated data: none
// of them can be changed without the passphrase. A file that differs from what
// [Sealed.Text] gives is refused.
type Sealed struct {
	net        bitcoin.Network
	descriptor bitcoin.Descriptor
	cost       Cost
	salt       [saltSize]byte
	nonce      [chacha20poly1305.NonceSizeX]byte
	box        [boxSize]byte
}

// New is what a hot wallet is made of.
type New struct {
	Words      protocol.Secret // BIP39, English
	Extra      protocol.Secret // the passphrase of BIP39, usually empty
	Passphrase protocol.Secret // opens the sealed file, at least 1 byte
	Form       bitcoin.Form    // P2WPKH (BIP84, the default when 0), P2TR (86), P2SH (49), P2PKH (44)
	Network    bitcoin.Network
	Cost       Cost
}

// Seal makes a hot wallet: account 0 of the words. It takes salt and nonce from
// random and as long as the cost says.
func Seal(n New, random io.Reader) (*Sealed, error) {
	if n.Form == 0 {
		n.Form = bitcoin.P2WPKH
	}
	if !n.Cost.valid() {
		return nil, fmt.Errorf("seal wallet: cost %+v is out of range", n.Cost)
	}
	seed, err := seedOf(n.Words, n.Extra)
	if err != nil {
		return nil, err
	}
	defer clear(seed)
	private, d, err := accountKeys(seed, n.Form, n.Network)
	if err != nil {
		return nil, fmt.Errorf("seal wallet: %w", err)
	}
	private.Wipe()
	s := &Sealed{net: n.Network, descriptor: d, cost: n.Cost}
	for _, part := range [][]byte{s.salt[:], s.nonce[:]} {
		if _, err := io.ReadFull(random, part); err != nil {
			return nil, fmt.Errorf("seal wallet: %w", err)
		}
	}
	key, err := s.stretch(n.Passphrase)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, fmt.Errorf("seal wallet: %w", err)
	}
	aead.Seal(s.box[:0], s.nonce[:], seed, []byte(s.head()))
	return s, nil
}

// ParseSealed reads a file. Errors wrap [ErrSealed].
func ParseSealed(text []byte) (*Sealed, error) {
	if len(text) > maxSealed {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrSealed, maxSealed)
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) != 6 || lines[5] != "" {
		return nil, fmt.Errorf("%w: it has five lines", ErrSealed)
	}
	if lines[0] != sealedVersion {
		return nil, fmt.Errorf("%w: its version is unknown to this program", ErrSealed)
	}
	s := &Sealed{}
	var err error
	if s.net, err = bitcoin.ParseNetwork(strings.TrimPrefix(lines[1], "network ")); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSealed, err)
	}
	if s.descriptor, err = bitcoin.ParseDescriptor(strings.TrimPrefix(lines[2], "descriptor "), s.net); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSealed, err)
	}
	if err := s.parseCrypto(lines[3], lines[4]); err != nil {
		return nil, err
	}
	if !bytes.Equal(s.Text(), text) {
		return nil, fmt.Errorf("%w: it is not in its one form", ErrSealed)
	}
	return s, nil
}

func (s *Sealed) parseCrypto(stretch, box string) error {
	fields := append(strings.Split(stretch, " "), strings.Split(box, " ")...)
	if len(fields) != 8 {
		return fmt.Errorf("%w: its last lines have 5 and 3 words", ErrSealed)
	}
	passes, err1 := strconv.ParseUint(fields[1], 10, 32)
	memory, err2 := strconv.ParseUint(fields[2], 10, 32)
	lanes, err3 := strconv.ParseUint(fields[3], 10, 8)
	if err := errors.Join(err1, err2, err3); err != nil {
		return fmt.Errorf("%w: %w", ErrSealed, err)
	}
	s.cost = Cost{uint32(passes), uint32(memory), uint8(lanes)}
	if !s.cost.valid() {
		return fmt.Errorf("%w: cost %+v is out of range", ErrSealed, s.cost)
	}
	for _, part := range []struct {
		to   []byte
		text string
	}{{s.salt[:], fields[4]}, {s.nonce[:], fields[6]}, {s.box[:], fields[7]}} {
		raw, err := hex.DecodeString(part.text)
		if err != nil || len(raw) != len(part.to) {
			return fmt.Errorf("%w: salt, nonce and box have %d, %d and %d bytes", ErrSealed, len(s.salt), len(s.nonce), len(s.box))
		}
		copy(part.to, raw)
	}
	return nil
}

const sealedVersion = "till-wallet 1"

// head is the associated data: the first four lines.
func (s *Sealed) head() string {
	return fmt.Sprintf("%s\nnetwork %s\ndescriptor %s\nargon2id %d %d %d %x\n",
		sealedVersion, s.net, s.descriptor, s.cost.Passes, s.cost.MemoryKiB, s.cost.Lanes, s.salt)
}

// Text is the file.
func (s *Sealed) Text() []byte {
	return fmt.Appendf(nil, "%sxchacha20poly1305 %x %x\n", s.head(), s.nonce, s.box)
}

// Network is the network of the wallet.
func (s *Sealed) Network() bitcoin.Network { return s.net }

// Watch gives the wallet without its seed: it receives and cannot pay out.
func (s *Sealed) Watch() *Wallet { return &Wallet{net: s.net, descriptor: s.descriptor} }

// Open unseals the wallet. The caller closes it. A wrong passphrase or a changed
// file is [ErrPassphrase].
func (s *Sealed) Open(passphrase protocol.Secret) (*Wallet, error) {
	key, err := s.stretch(passphrase)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, fmt.Errorf("open wallet: %w", err)
	}
	seed, err := aead.Open(make([]byte, 0, seedSize), s.nonce[:], s.box[:], []byte(s.head()))
	if err != nil {
		return nil, ErrPassphrase
	}
	defer clear(seed)
	private, d, err := accountKeys(seed, s.descriptor.Form(), s.net)
	if err != nil {
		return nil, fmt.Errorf("open wallet: %w", err)
	}
	if d.String() != s.descriptor.String() {
		private.Wipe()
		return nil, fmt.Errorf("%w: its seed is not that of its descriptor", ErrSealed)
	}
	a, err := newAccount(private, s.net)
	if err != nil {
		return nil, fmt.Errorf("open wallet: %w", err)
	}
	return &Wallet{net: s.net, descriptor: d, account: a}, nil
}

// stretch makes the 32-byte key of a passphrase.
func (s *Sealed) stretch(passphrase protocol.Secret) ([]byte, error) {
	pass := []byte(passphrase.Reveal())
	defer clear(pass)
	if len(pass) == 0 || len(pass) > maxPassphrase {
		return nil, fmt.Errorf("%w: it has 1 to %d bytes", ErrPassphrase, maxPassphrase)
	}
	return argon2.IDKey(pass, s.salt[:], s.cost.Passes, s.cost.MemoryKiB, s.cost.Lanes, chacha20poly1305.KeySize), nil
}
