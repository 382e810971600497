package terminal

import (
	"crypto/hmac"
	"crypto/sha512"
	"encoding/binary"
	"io"
	"sync"
)

// generator gives the machine's own random bytes XORed with a stream from a pool
// that the server's entropy is mixed into. Whoever knows one of the two knows
// nothing of the sum: a weak machine is helped, a strong one cannot be hurt
// (terminal.md §4, entropy).
type generator struct {
	own io.Reader

	mu    sync.Mutex
	pool  [sha512.Size]byte
	count uint64
}

func newGenerator(own io.Reader) *generator { return &generator{own: own} }

// mix stirs entropy into the pool, so that what was drawn before cannot be
// computed from what the pool is afterwards.
func (g *generator) mix(entropy []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	h := hmac.New(sha512.New, g.pool[:])
	h.Write([]byte("mix"))
	h.Write(entropy)
	h.Sum(g.pool[:0])
}

// Read fills p. It fails when the machine's own source does.
func (g *generator) Read(p []byte) (int, error) {
	if _, err := io.ReadFull(g.own, p); err != nil {
		return 0, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	var block [sha512.Size]byte
	for i := range p {
		if i%len(block) == 0 {
			h := hmac.New(sha512.New, g.pool[:])
			h.Write(binary.BigEndian.AppendUint64([]byte("draw"), g.count))
			h.Sum(block[:0])
			g.count++
		}
		p[i] ^= block[i%len(block)]
	}
	return len(p), nil
}
