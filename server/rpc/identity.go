package rpc

import (
	"crypto/sha256"
	"crypto/x509"
	"sync"

	"till/protocol"
)

// identity is what a certificate of this server's CA says.
type identity struct {
	serial      string
	key         protocol.Hash
	from, until protocol.Time
}

// maxIdentities bounds what is remembered; when it is full all is forgotten.
const maxIdentities = 1024

// identities remembers which certificates were verified, by their SHA-256: the
// signature of one need not be computed again for every request. It knows
// nothing of revocation, which is looked up each time.
type identities struct {
	o  Options
	mu sync.RWMutex
	by map[[sha256.Size]byte]identity
}

func newIdentities(o Options) *identities {
	return &identities{o: o, by: map[[sha256.Size]byte]identity{}}
}

// of verifies a certificate of which the handshake proved that the client holds
// the key. One outside its time is verified anew each time.
func (i *identities) of(cert *x509.Certificate) (identity, error) {
	sum := sha256.Sum256(cert.Raw)
	i.mu.RLock()
	known, ok := i.by[sum]
	i.mu.RUnlock()
	if now := i.o.Clock(); ok && known.from <= now && now <= known.until {
		return known, nil
	}
	serial, key, err := i.o.Server.VerifyClient(cert)
	if err != nil {
		return identity{}, err
	}
	known = identity{serial, key, protocol.TimeOf(cert.NotBefore), protocol.TimeOf(cert.NotAfter)}
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.by) >= maxIdentities {
		clear(i.by)
	}
	i.by[sum] = known
	return known, nil
}
