package server

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"till/protocol"
)

// Options are what a [Server] stands on. All but Couriers, Ecash and
// Pushed are needed.
type Options struct {
	Store    Store
	Chain    Chain
	Wallet   Wallet
	Rates    Rates
	Couriers []Courier // of alarms; none: the log alone
	Ecash    *Ecash    // nil: e-cash is not taken
	Clock    func() protocol.Time
	Random   io.Reader // safe for use by many goroutines
	Log      *slog.Logger
	// Pushed reads a pushed configuration over the present one; nil: none is taken.
	Pushed func(text string) (Settings, error)
	// SealKey, [SealKeySize] bytes, keeps the CA's key, the quote key and approvers'
	// secrets sealed in the database; whoever loses it pairs all terminals anew.
	SealKey  []byte
	Settings Settings
}

// Errors that a front door branches on.
var (
	// ErrRevoked: the terminal is revoked for good; HTTP 403 and nothing else.
	ErrRevoked = errors.New("this terminal is revoked")
	// ErrCertificateUnknown: the certificate was not given out by this server, or
	// a newer one took its place more than a day ago; HTTP 401.
	ErrCertificateUnknown = errors.New("this certificate is not good here")
	// ErrCertificateExpired comes with the terminal: it may renew and nothing else.
	ErrCertificateExpired = errors.New("this certificate has expired")
	// ErrPairingRefused: anything wrong with an enrolment; HTTP 403 "pairing refused".
	ErrPairingRefused = errors.New("pairing refused")
	// ErrOtherWallet: the database belongs to another network or wallet.
	ErrOtherWallet = errors.New("the database belongs to another wallet")
	// ErrExists: a living thing has this name already.
	ErrExists = errors.New("exists already")
)

// Names of settings.
const (
	settingIdentity = "wallet"
	settingLog      = "alert_log"
	settingQuoteKey = "quote_key"
)

// Server is the merchant's server. Its methods may be called at once from many
// goroutines.
type Server struct {
	o        Options
	identity WalletIdentity
	log      protocol.LogID
	seal     *seal
	ca       *authority
	quoteKey ed25519.PrivateKey
	cash     *cashDesk // nil: e-cash is not taken

	fellows *fellows
	roll    *roll
	lines   lines
	press   press
	left    allowance
	watch   *watch
	quoted  quoteDesk
	desk    desk
	present atomic.Pointer[rulebook]
	config  atomic.Pointer[configs]
	reload  sync.Mutex
	effects map[string]effect
	outbox  chan struct{}   // holds a token when an effect may be due
	posts   []chan struct{} // of each courier, when a letter may be due
	guard   *guard
	stock   atomic.Pointer[map[string]struct{}] // the goods that are counted
	recount chan struct{}                       // holds a token when pieces went or came back
	moved   chan struct{}                       // closed and replaced when the clock jumps
	movedMu sync.Mutex
}

// New binds the database to the network and wallet, or refuses with
// [ErrOtherWallet]; makes the CA, the quote key and the alert log's id on first
// start; and loads what it needs to answer. It starts nothing: see [Server.Run].
func New(ctx context.Context, o Options) (*Server, error) {
	if o.Store == nil || o.Chain == nil || o.Wallet == nil || o.Rates == nil || o.Clock == nil || o.Random == nil || o.Log == nil {
		return nil, errors.New("make server: store, chain, wallet, rates, clock, random and log are needed")
	}
	if err := o.Settings.Check(); err != nil {
		return nil, fmt.Errorf("make server: settings: %w", err)
	}
	sealing, err := newSeal(o.SealKey, o.Random)
	if err != nil {
		return nil, fmt.Errorf("make server: %w", err)
	}
	s := &Server{
		o: o, identity: o.Wallet.Identity(), seal: sealing, roll: newRoll(), lines: newLines(), left: newAllowance(), watch: newWatch(), guard: newGuard(), recount: make(chan struct{}, 1),
		outbox: make(chan struct{}, 1), moved: make(chan struct{}),
	}
	if s.fellows, err = newFellows(o.Store.Peers(), o.Random); err != nil {
		return nil, fmt.Errorf("make server: %w", err)
	}
	s.desk = newDesk(s.fellows)
	s.roll.deaf.Store(s.fellows.peers != nil) // until it listens
	s.present.Store(&rulebook{base: &o.Settings, all: &o.Settings})
	s.effects = map[string]effect{effectBroadcast: s.broadcast}
	for range o.Couriers {
		s.posts = append(s.posts, make(chan struct{}, 1))
	}
	err = o.Store.Write(ctx, func(tx *Tx) error {
		if err := bind(tx, s.identity); err != nil {
			return err
		}
		var err error
		if s.ca, err = loadAuthority(tx, sealing, o.Random, o.Clock().Time()); err != nil {
			return err
		}
		if s.quoteKey, err = loadQuoteKey(tx, sealing, o.Random); err != nil {
			return err
		}
		if s.log, err = loadLog(tx, o.Clock(), o.Random); err != nil {
			return err
		}
		if s.cash, err = openCashDesk(tx, sealing, o); err != nil {
			return err
		}
		v, err := loadView(tx)
		s.watch.see(v)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("make server: %w", err)
	}
	if err := s.Reload(ctx); err != nil {
		return nil, fmt.Errorf("make server: %w", err)
	}
	return s, nil
}

// bind ties the database to the network and wallet it was first used with.
func bind(tx *Tx, w WalletIdentity) error {
	mine := w.Network + " " + w.Fingerprint
	stored, err := tx.Settings.Get(settingIdentity)
	if errors.Is(err, ErrNotFound) {
		return tx.Settings.Set(settingIdentity, []byte(mine))
	}
	if err != nil {
		return fmt.Errorf("read wallet identity: %w", err)
	}
	if string(stored) != mine {
		return fmt.Errorf("%w: it was made with %q and this is %q; use the wallet it was made with, or another data directory", ErrOtherWallet, stored, mine)
	}
	return nil
}

// loadLog reads the alert log's id, or draws it.
func loadLog(tx *Tx, now protocol.Time, random io.Reader) (protocol.LogID, error) {
	text, err := tx.Settings.Get(settingLog)
	if errors.Is(err, ErrNotFound) {
		return drawLog(tx, now, random)
	}
	return protocol.LogID(text), err
}

func drawLog(tx *Tx, now protocol.Time, random io.Reader) (protocol.LogID, error) {
	id, err := protocol.NewID(now.Time(), random)
	if err != nil {
		return "", err
	}
	return protocol.LogID(id), tx.Settings.Set(settingLog, []byte(id))
}

// Used reports whether a server has made its keys in the database already.
func Used(ctx context.Context, store Store) (used bool, err error) {
	err = store.Read(ctx, func(tx *Tx) error {
		_, err := tx.Settings.Get(settingCA)
		if used = err == nil; errors.Is(err, ErrNotFound) {
			return nil
		}
		return err
	})
	if err != nil {
		return false, fmt.Errorf("look for keys in the database: %w", err)
	}
	return used, nil
}

// Restored gives a database that was brought back from a backup a new alert log,
// so that terminals read alerts from the first kept. It is called once, before
// [New].
func Restored(ctx context.Context, store Store, now protocol.Time, random io.Reader) error {
	err := store.Write(ctx, func(tx *Tx) error {
		_, err := drawLog(tx, now, random)
		return err
	})
	if err != nil {
		return fmt.Errorf("draw alert log: %w", err)
	}
	return nil
}

// loadQuoteKey reads the key that signs quotes, or makes it.
func loadQuoteKey(tx *Tx, sealing *seal, random io.Reader) (ed25519.PrivateKey, error) {
	sealed, err := tx.Settings.Get(settingQuoteKey)
	if errors.Is(err, ErrNotFound) {
		seed := make([]byte, ed25519.SeedSize)
		defer clear(seed)
		if _, err := io.ReadFull(random, seed); err != nil {
			return nil, fmt.Errorf("make quote key: %w", err)
		}
		if sealed, err = sealing.close(settingQuoteKey, seed); err != nil {
			return nil, err
		}
		return ed25519.NewKeyFromSeed(seed), tx.Settings.Set(settingQuoteKey, sealed)
	}
	if err != nil {
		return nil, fmt.Errorf("read quote key: %w", err)
	}
	seed, err := sealing.open(settingQuoteKey, sealed)
	if err != nil {
		return nil, err
	}
	defer clear(seed)
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("read quote key: it has %d bytes", len(seed))
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// quoteKeyID names the one key in use.
const quoteKeyID = "k1"

func (s *Server) quoteKeys() []protocol.QuoteKey {
	public := s.quoteKey.Public().(ed25519.PublicKey)
	return []protocol.QuoteKey{{ID: quoteKeyID, Ed25519: hex.EncodeToString(public)}}
}

// Run watches the chain, the clock and the outbox until ctx ends, then ends
// every waiting check-in, stores the presence of terminals and returns nil. A
// lost chain does not end it.
func (s *Server) Run(ctx context.Context) error {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.duties(ctx)
	}()
	<-ctx.Done()
	s.lines.shut()
	<-ended
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushDeadline)
	defer cancel()
	return s.flushPresence(last)
}

// Now is the server's clock.
func (s *Server) Now() protocol.Time { return s.o.Clock() }

// ClockMoved tells that Clock jumped (a practice control call, a machine that
// slept): everything that waits for a moment looks at the clock again.
func (s *Server) ClockMoved() {
	s.movedMu.Lock()
	close(s.moved)
	s.moved = make(chan struct{})
	s.movedMu.Unlock()
}

// longestSleep bounds how long a jump of the clock that nobody told can stay
// unnoticed.
const longestSleep = time.Minute

// sleep waits until the clock reaches the moment (0: no moment), something comes
// on wake, the clock is moved or longestSleep is over. False: ctx ended.
func (s *Server) sleep(ctx context.Context, until protocol.Time, wake <-chan struct{}) bool {
	s.movedMu.Lock()
	moved := s.moved
	s.movedMu.Unlock()
	d := longestSleep
	if until != 0 {
		d = min(d, max(0, until.Sub(s.o.Clock())))
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-wake:
	case <-moved:
	case <-timer.C:
	}
	return ctx.Err() == nil
}
