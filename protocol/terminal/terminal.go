package terminal

import (
	"context"
	"crypto"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
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
	// ErrTampered: the case was opened and the key erased. Look at the machine, then
	// pair anew; this database calls no server again.
	ErrTampered = errors.New("the case was opened and the key erased; look at the machine, then pair it anew")
	// ErrNotPaired: the terminal has no server yet.
	ErrNotPaired = errors.New("this machine is not paired with a server")
	// ErrPaired: the database belongs to a pairing; a new pairing needs a new one ([SetAside]).
	ErrPaired = errors.New("this machine is paired already")
	// ErrNoAddress: no unused address is left. Go online, or take another tender.
	ErrNoAddress = errors.New("no unused address is left")
	// ErrDiskFull: nothing can be stored; take no money.
	ErrDiskFull = errors.New("the disk is full")
	// ErrOffline: the server does not answer, so nothing was asked of it.
	ErrOffline = errors.New("the server does not answer; nothing was done")
	// ErrNotFound: there is no such sale, alert or job.
	ErrNotFound = errors.New("not found")
	// ErrDamaged: the database is not what this program wrote.
	ErrDamaged = errors.New("the terminal's database is damaged")
)

// Terminal is the machine at the counter.
type Terminal struct {
	o      Options
	writer *sql.DB // one connection
	reader *sql.DB
	facts  *facts
	random *generator

	writing  sync.Mutex      // held by the one that writes; guards what follows
	head     *protocol.Entry // the journal's last
	headGone bool            // head is to be read again: a commit's outcome is unknown

	mu         sync.Mutex // guards what follows
	route      route      // how the server is called
	health     Health
	identity   Identity
	config     *protocol.Config // nil before the first
	catalogue  protocol.Catalogue
	quotes     map[protocol.Currency]protocol.Quote // the newest, verified
	cursor     cursor
	devices    []protocol.DeviceState
	running    map[protocol.PayoutID]bool // payouts whose call is under way
	cursorMove chan struct{}              // closed and renewed when the cursor moves
	wake       context.CancelCauseFunc    // ends the present nap of Run, nil while it is awake
	wanted     bool                       // something waits to be sent since
}

// cursor is how far each side has stored the other's log.
type cursor struct {
	Log     protocol.LogID `json:"log"`     // the alert log, "" before the first check-in
	Alert   int64          `json:"alert"`   // highest alert stored here
	Journal int64          `json:"journal"` // highest entry stored there
}

// Open opens the terminal's database and what it knows; it calls nobody. The
// error wraps [ErrDamaged] when the journal does not end as it was written.
func Open(ctx context.Context, o Options) (*Terminal, error) {
	if o.Path == "" || o.Clock == nil || o.Random == nil || o.Log == nil || o.Software == "" || o.Vault == nil {
		return nil, errors.New("open terminal: an option is missing")
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	t := &Terminal{
		o:          o,
		facts:      newFacts(),
		random:     newGenerator(o.Random),
		quotes:     map[protocol.Currency]protocol.Quote{},
		running:    map[protocol.PayoutID]bool{},
		cursorMove: make(chan struct{}),
	}
	var err error
	if t.writer, err = openWriter(ctx, o.Path); err != nil {
		return nil, err
	}
	if t.reader, err = openReader(o.Path); err == nil {
		err = t.load(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open terminal: %w", storage(err)), t.Close())
	}
	return t, nil
}

// Close ends the use of the database. Let [Terminal.Run] return first.
func (t *Terminal) Close() error {
	t.mu.Lock()
	t.route.close()
	t.mu.Unlock()
	var err error
	if t.reader != nil {
		err = t.reader.Close()
	}
	return errors.Join(err, t.writer.Close())
}

// load reads what is kept in memory.
func (t *Terminal) load(ctx context.Context) (err error) {
	if t.head, err = loadHead(ctx, t.writer); err != nil {
		return err
	}
	if err := loadSetting(ctx, t.writer, "cursor", &t.cursor); err != nil {
		return err
	}
	if err := loadSetting(ctx, t.writer, "config", &t.config); err != nil {
		return err
	}
	if err := loadSetting(ctx, t.writer, "catalogue", &t.catalogue); err != nil {
		return err
	}
	if err := loadSetting(ctx, t.writer, settingTampered, &t.health.Tampered); err != nil {
		return err
	}
	who, paired, err := loadIdentity(ctx, t.writer)
	if err != nil {
		return err
	}
	if t.config != nil {
		t.health.Config = t.config.Version
	}
	if t.head != nil {
		t.health.Unsent = max(0, t.head.Seq-t.cursor.Journal)
	}
	if paired {
		if err := t.become(who); err != nil {
			return err
		}
	}
	if err := t.loadQuotes(ctx); err != nil {
		return err
	}
	t.health.Addresses, t.health.InDoubt, err = count(ctx, t.writer)
	return err
}

// loadSetting decodes a single value that may be absent.
func loadSetting(ctx context.Context, q querier, name string, into any) error {
	value, err := readSetting(ctx, q, name)
	if err != nil || value == "" {
		return err
	}
	if err := protocol.DecodeResult([]byte(value), into); err != nil {
		return fmt.Errorf("%w: setting %s: %w", ErrDamaged, name, err)
	}
	return nil
}

// Random is the generator to make keys and ids from: the machine's own
// randomness with what the server sent mixed in.
func (t *Terminal) Random() io.Reader { return t.random }

// NewID makes an id.
func (t *Terminal) NewID() (protocol.ID, error) { return protocol.NewID(t.o.Clock(), t.random) }

// Config gives the configuration, false before the first came.
func (t *Terminal) Config() (protocol.Config, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.config == nil {
		return protocol.Config{}, false
	}
	return *t.config, true
}

// Catalogue gives the goods; Version 0 before the first came.
func (t *Terminal) Catalogue() protocol.Catalogue {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.catalogue
}

// Facts is where changes are told. It has one reader.
func (t *Terminal) Facts() <-chan Fact { return t.facts.ch }

// SetDevices tells the next check-ins the state of the devices.
func (t *Terminal) SetDevices(devices []protocol.DeviceState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.devices = devices
}

func (t *Terminal) now() protocol.Time { return protocol.TimeOf(t.o.Clock()) }

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// route is how the server is called since the pairing.
type route struct {
	client      *protocol.Client
	transport   *http.Transport
	certificate *holder
	sessions    *sessions
}

func (l *route) close() {
	if l.transport != nil {
		l.transport.CloseIdleConnections()
	}
}
