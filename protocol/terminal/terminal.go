package terminal

import (
	"context"
	"crypto"
	"errors"
	"io"
	"log/slog"
	"net"
	"time"

	"till/protocol"
)

// Options is what a terminal is made of. Path, Clock, Random, Log, Software and
// Vault are needed.
type Options struct {
	Path     string           // terminal.db; made when absent
	Clock    func() time.Time // wall clock
	Random   io.Reader        // the machine's own randomness
	Log      *slog.Logger
	Software string // "till/1.0.0 linux/arm64"
	Vault    Vault
	// Server is the HOST:PORT to call instead of the one in the pairing link.
	Server string
	// Dial makes connections, such as those of an in-memory listener; TCP when nil.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Sleep waits, ctx's error when it ended first; real time when nil.
	Sleep func(ctx context.Context, d time.Duration) error
}

// Vault holds the terminal's TLS key, ECDSA P-256, which never leaves it.
type Vault interface {
	// Signer gives the present key; the error wraps [ErrNoKey] when there is none.
	Signer() (crypto.Signer, error)
	// Generate makes a new key in place of the present one.
	Generate() (crypto.Signer, error)
	// Erase destroys the present key; erasing nothing is no error.
	Erase() error
}

// Errors a caller may branch on.
var (
	// ErrNoKey: the vault holds no key. Pair anew.
	ErrNoKey = errors.New("this machine holds no key; pair it with the server")
	// ErrNotPaired: the terminal has no server yet.
	ErrNotPaired = errors.New("this machine is not paired with a server")
	// ErrPaired: the database belongs to a pairing; a new pairing needs a new one ([SetAside]).
	ErrPaired = errors.New("this machine is paired already")
	// ErrNoAddress: no unused address is left. Go online, or take another tender.
	ErrNoAddress = errors.New("no unused address is left")
	// ErrDiskFull: nothing can be stored; take no money.
	ErrDiskFull = errors.New("the disk is full")
	// ErrNotFound: there is no such sale, alert or job.
	ErrNotFound = errors.New("not found")
	// ErrDamaged: the database is not what this program wrote.
	ErrDamaged = errors.New("the terminal's database is damaged")
)

// Identity is who this terminal is since its pairing.
type Identity struct {
	ID          protocol.TerminalID `json:"id"`
	Name        string              `json:"name"`
	Server      string              `json:"server"`      // HOST:PORT of the pairing link
	CA          string              `json:"ca"`          // PEM
	Certificate string              `json:"certificate"` // PEM
	QuoteKeys   []protocol.QuoteKey `json:"quote_keys"`  // until a configuration brings others
}
