package server

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"till/protocol"
)

// Several processes may serve one database. All answer terminals; one of them,
// the watcher, compares with the chain, quotes, performs effects, asks mints and
// tells the owner what is wrong. It holds a claim that ends with it, and each of its rounds is written under a
// term: one that was thought dead and is not finds its term over and stores
// nothing. What a transaction changes it tells the others as it commits.

// ClaimWatch is the name that the process holds which watches the chain.
const ClaimWatch = "watch"

const (
	settingTerm = "watch_term"
	// retryPeers is how soon a lost line or a held claim is tried again.
	retryPeers = time.Second
	// claimEvery is how often a payout that another process works on is looked for.
	claimEvery = 50 * time.Millisecond
)

// errDeposed ends a round of a watcher whose term is over.
var errDeposed = errors.New("another server watches the chain now")

// fellows is this process among those on the database.
type fellows struct {
	peers    Peers  // nil: alone
	name     string // of this process, drawn at its start
	term     atomic.Int64
	watching atomic.Bool

	mu      sync.Mutex
	entered []string      // terminals to announce
	moved   chan struct{} // holds a token when there are some
}

func newFellows(peers Peers, random io.Reader) (*fellows, error) {
	f := &fellows{peers: peers, moved: make(chan struct{}, 1)}
	name := make([]byte, 8)
	if _, err := io.ReadFull(random, name); err != nil {
		return nil, fmt.Errorf("name this process: %w", err)
	}
	f.name = hex.EncodeToString(name)
	f.watching.Store(peers == nil)
	return f, nil
}

// duties runs what must run in every process, and what the watcher alone does,
// until ctx ends.
func (s *Server) duties(ctx context.Context) {
	var all sync.WaitGroup
	for _, duty := range []func(context.Context){s.flushPresences, s.keepMintKeys, s.keepStock} {
		all.Go(func() { duty(ctx) })
	}
	if s.fellows.peers == nil {
		all.Go(func() { s.watchDuties(ctx) })
	} else {
		for _, duty := range []func(context.Context){s.listen, s.announce, s.lead} {
			all.Go(func() { duty(ctx) })
		}
	}
	all.Wait()
}

func (s *Server) watchDuties(ctx context.Context) {
	var all sync.WaitGroup
	for _, duty := range []func(context.Context){s.followChain, s.probeChain, s.evaluate, s.refreshQuotes, s.runOutbox, s.runCashDesk, s.keepGuard} {
		all.Go(func() { duty(ctx) })
	}
	for i, c := range s.o.Couriers {
		all.Go(func() { s.runCourier(ctx, c, s.posts[i]) })
	}
	all.Wait()
}

// lead does the watcher's duties whenever this process holds the claim.
func (s *Server) lead(ctx context.Context) {
	for ctx.Err() == nil {
		claim, err := s.fellows.peers.Claim(ctx, ClaimWatch)
		if err != nil && ctx.Err() == nil {
			s.o.Log.WarnContext(ctx, "other servers not reached", "error", err)
		}
		if claim != nil {
			s.leadUnder(ctx, claim)
		}
		pause(ctx, retryPeers)
	}
}

func (s *Server) leadUnder(ctx context.Context, claim *Claim) {
	defer claim.Release()
	term, err := s.nextTerm(ctx)
	if err != nil {
		s.o.Log.ErrorContext(ctx, "term not begun", "error", err)
		return
	}
	s.o.Log.InfoContext(ctx, "this server watches the chain", "term", term)
	led, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-claim.Lost:
			cancel()
		case <-led.Done():
		}
	}()
	// From here on what others tell is kept; everything before is read anew.
	s.fellows.term.Store(term)
	s.fellows.watching.Store(true)
	s.watch.reconnected()
	s.watchDuties(led)
	s.fellows.watching.Store(false)
}

func (s *Server) nextTerm(ctx context.Context) (term int64, err error) {
	err = s.write(ctx, func(w *work) error {
		if term, err = numberSetting(w.Tx, settingTerm, 0); err != nil {
			return err
		}
		term++
		return setNumber(w.Tx, settingTerm, term)
	})
	if err != nil {
		return 0, fmt.Errorf("begin term: %w", err)
	}
	return term, s.loadView(ctx)
}

// inTerm refuses a transaction of a watcher whose term is over.
func (w *work) inTerm() error {
	if w.s.fellows.peers == nil {
		return nil
	}
	term, err := numberSetting(w.Tx, settingTerm, 0)
	if err == nil && term != w.s.fellows.term.Load() {
		err = errDeposed
	}
	return err
}

// listen hears the other processes. While it cannot, nothing is remembered and
// whoever waits looks again each second.
func (s *Server) listen(ctx context.Context) {
	for ctx.Err() == nil {
		err := s.fellows.peers.Listen(ctx, func() {
			s.roll.deaf.Store(false)
			s.overheard(ctx)
		}, func(text string) { s.hear(ctx, text) })
		s.roll.deaf.Store(true)
		if ctx.Err() == nil {
			s.o.Log.WarnContext(ctx, "other servers not heard", "error", err)
		}
		s.lines.ringAll()
		pause(ctx, retryPeers)
	}
}

// overheard does what any news that was missed would have done.
func (s *Server) overheard(ctx context.Context) {
	s.roll.all.Add(1)
	s.lines.elsewhere()
	s.lines.ringAll()
	s.hearConfig(ctx)
	s.hearTip(ctx)
	if s.fellows.watching.Load() {
		s.watch.reconnected()
		s.wakeOutbox()
		s.ringPosts()
		if s.cash != nil {
			s.cash.ring()
		}
	}
}

// hear acts on what another process told.
func (s *Server) hear(ctx context.Context, text string) {
	from, n, err := parseNews(text)
	if err != nil {
		s.o.Log.WarnContext(ctx, "news not read", "error", err)
		return
	}
	if from == s.fellows.name {
		return
	}
	for _, key := range n[newsTouched] {
		s.roll.touch(key)
	}
	for _, id := range n[newsTold] {
		s.roll.touch(id)
		s.lines.ring(protocol.TerminalID(id))
	}
	for _, id := range n[newsEnter] {
		s.lines.leave(protocol.TerminalID(id))
	}
	if n[newsAll] != nil {
		s.roll.all.Add(1)
		s.lines.ringAll()
	}
	if n[newsConfig] != nil {
		s.hearConfig(ctx)
	}
	if n[newsTip] != nil {
		s.hearTip(ctx)
	}
	if n[newsQuote] != nil {
		s.quoted.forget()
	}
	if s.fellows.watching.Load() {
		s.hearWatch(ctx, n)
	}
}

// hearWatch takes what the watcher is to look at.
func (s *Server) hearWatch(ctx context.Context, n news) {
	var leased []Address
	for _, text := range n[newsLeased] {
		script, err := s.o.Wallet.Script(text)
		if err != nil {
			s.o.Log.ErrorContext(ctx, "address of another server not read", "error", err)
			s.watch.changed(Change{})
			continue
		}
		leased = append(leased, Address{Text: text, Script: script})
	}
	s.watch.add(leased)
	due := map[protocol.SaleID]protocol.Time{}
	for _, item := range n[newsDue] {
		if id, at, ok := parseDue(item); ok {
			due[id] = at
		}
	}
	s.watch.remind(due)
	sales := map[protocol.SaleID]struct{}{}
	for _, id := range n[newsSales] {
		sales[protocol.SaleID(id)] = struct{}{}
	}
	s.watch.look(sales)
	if n[newsPayouts] != nil {
		s.watch.follow()
	}
	if n[newsOutbox] != nil {
		s.wakeOutbox()
	}
	if n[newsMints] != nil && s.cash != nil {
		s.cash.ring()
	}
	if n[newsAlarms] != nil {
		s.ringPosts()
	}
	for _, left := range n[newsReserve] {
		if sat, err := strconv.ParseInt(left, 10, 64); err == nil {
			s.tellReserve(ctx, protocol.Sat(sat))
		}
	}
}

func (s *Server) ringPosts() {
	for _, post := range s.posts {
		ring(post)
	}
}

// noteReserve lets the watcher tell when little is left in the wallet.
func (s *Server) noteReserve(ctx context.Context, left protocol.Sat) {
	if s.fellows.watching.Load() {
		s.tellReserve(ctx, left)
		return
	}
	for _, text := range (news{newsReserve: {strconv.FormatInt(int64(left), 10)}}).texts(s.fellows.name) {
		if err := s.fellows.peers.Tell(ctx, text); err != nil {
			s.o.Log.WarnContext(ctx, "reserve not told to other servers", "error", err)
		}
	}
}

func (s *Server) hearConfig(ctx context.Context) {
	if err := s.refresh(ctx); err != nil && ctx.Err() == nil {
		s.o.Log.ErrorContext(ctx, "configuration not read", "error", err)
	}
}

func (s *Server) hearTip(ctx context.Context) {
	if s.fellows.watching.Load() {
		return
	}
	if err := s.loadView(ctx); err != nil && ctx.Err() == nil {
		s.o.Log.ErrorContext(ctx, "tip not read", "error", err)
	}
}

// loadView takes over what the watcher last saw of the chain.
func (s *Server) loadView(ctx context.Context) error {
	var v view
	err := s.o.Store.Read(ctx, func(tx *Tx) (err error) {
		v, err = loadView(tx)
		return err
	})
	if err != nil {
		return err
	}
	s.watch.see(v)
	return nil
}

// storedView is the view as the watcher stores it.
type storedView struct {
	Tip
	Floor  FeeRate `json:",omitempty"`
	Behind bool    `json:",omitempty"`
}

// loadView reads what the stored payments were seen from.
func loadView(tx *Tx) (view, error) {
	text, err := tx.Settings.Get(settingTip)
	if errors.Is(err, ErrNotFound) {
		return view{}, nil
	}
	var v storedView
	if err == nil {
		err = json.Unmarshal(text, &v)
	}
	if err != nil {
		return view{}, fmt.Errorf("read tip: %w", err)
	}
	return view{tip: v.Tip, floor: v.Floor, behind: v.Behind}, nil
}

// enter tells the others that a terminal checks in here from now on.
func (f *fellows) enter(id protocol.TerminalID) {
	if f.peers == nil {
		return
	}
	f.mu.Lock()
	f.entered = append(f.entered, string(id))
	f.mu.Unlock()
	select {
	case f.moved <- struct{}{}:
	default:
	}
}

// announce tells the others who checks in here; what gathers meanwhile goes together.
func (s *Server) announce(ctx context.Context) {
	f := s.fellows
	for {
		select {
		case <-f.moved:
		case <-ctx.Done():
			return
		}
		f.mu.Lock()
		entered := f.entered
		f.entered = nil
		f.mu.Unlock()
		for _, text := range (news{newsEnter: entered}).texts(f.name) {
			if err := f.peers.Tell(ctx, text); err != nil {
				s.o.Log.WarnContext(ctx, "check-ins not announced", "error", err)
			}
		}
	}
}

// claim takes a name among all processes, waiting for whoever holds it. Without a
// line to the others it goes on: the database decides in the end.
func (f *fellows) claim(ctx context.Context, name string) (release func(), err error) {
	for f.peers != nil {
		claim, err := f.peers.Claim(ctx, name)
		if claim != nil {
			return claim.Release, nil
		}
		if err != nil {
			break
		}
		if pause(ctx, claimEvery); ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return func() {}, nil
}

// pause waits for the time or the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
