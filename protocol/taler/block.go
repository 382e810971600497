package taler

import (
	"encoding/binary"
	"fmt"
)

// Purpose says what a signature means. One signature serves one purpose (§1).
type Purpose uint32

// The purposes of the table in §1, with who signs.
const (
	PurposeSigningKey          Purpose = 1   // mint master: a signing key of the mint
	PurposeDenomination        Purpose = 2   // mint master: a denomination
	PurposeWithdraw            Purpose = 4   // reserve: a coin may be taken from me
	PurposeDepositConfirmation Purpose = 10  // mint signing key: the deposit stands
	PurposeLockConfirmation    Purpose = 11  // mint signing key: the coin is locked
	PurposeKeyList             Purpose = 12  // mint signing key: these are all keys
	PurposeContract            Purpose = 101 // merchant: msig
	PurposeReceipt             Purpose = 102 // merchant: paid
	PurposeOffer               Purpose = 103 // merchant: a tab may be opened
	PurposeExtras              Purpose = 104 // merchant: xsig
	PurposeUnlock              Purpose = 106 // merchant: the lock may go
	PurposeDirect              Purpose = 201 // coin: paid for this contract
	PurposeIncremental         Purpose = 202 // coin: paid so far on this tab
	PurposeLock                Purpose = 203 // coin: held for this tab
	PurposeLottery             Purpose = 204 // coin: paid if the draw says so
	PurposeMelt                Purpose = 205 // coin: exchanged for new coins
)

// blockHeader is u32 size and u32 purpose.
const blockHeader = 8

// Block is what a signature covers: u32 size, u32 purpose, payload, all big-endian,
// size counting the header. Only this package builds blocks, so keys sign nothing
// else.
type Block struct{ text []byte }

// Bytes gives a copy of the block.
func (b Block) Bytes() []byte { return append([]byte(nil), b.text...) }

// builder appends a payload. Each method takes one thing of the table.
type builder struct{ text []byte }

func newBlock(p Purpose, payload int) *builder {
	b := &builder{make([]byte, 0, blockHeader+payload)}
	b.u32(uint32(blockHeader + payload))
	b.u32(uint32(p))
	return b
}

func (b *builder) u32(n uint32) *builder {
	b.text = binary.BigEndian.AppendUint32(b.text, n)
	return b
}

func (b *builder) u64(n uint64) *builder {
	b.text = binary.BigEndian.AppendUint64(b.text, n)
	return b
}

func (b *builder) raw(p []byte) *builder {
	b.text = append(b.text, p...)
	return b
}

// time takes 8 bytes: microseconds since 1970.
func (b *builder) time(t Time) *builder { return b.u64(uint64(t) * 1000) }

// amount takes 12 bytes: value, fraction, and the currency padded to 4.
func (b *builder) amount(a Amount) *builder {
	var currency [4]byte
	copy(currency[:], a.Currency)
	return b.u32(a.Value).u32(a.Fraction).raw(currency[:])
}

func (b *builder) id(t TransactionID) *builder { return b.u64(uint64(t)) }
func (b *builder) key(k PublicKey) *builder    { return b.raw(k[:]) }
func (b *builder) hash(h Hash) *builder        { return b.raw(h[:]) }

// done checks the total that the purpose was announced with. A difference is a
// mistake in this package.
func (b *builder) done() Block {
	if size := binary.BigEndian.Uint32(b.text); int(size) != len(b.text) {
		panic(fmt.Sprintf("taler: block %d has %d bytes instead of %d", binary.BigEndian.Uint32(b.text[4:]), len(b.text), size))
	}
	return Block{b.text}
}
