package server

import (
	"context"
	"errors"
	"fmt"

	"till/protocol"
)

// attempts is how often a transaction that met another one is tried.
const attempts = 8

// work is one writing transaction with what it leaves to do once it is durable.
type work struct {
	*Tx
	s   *Server
	now protocol.Time

	told    map[protocol.TerminalID]struct{}  // whose waiting check-in has news
	all     bool                              // every terminal's has
	touched map[string]struct{}               // ids and serials whose rows changed
	tells   news                              // what else other processes are to know
	sales   map[protocol.SaleID]struct{}      // to be compared with the chain
	due     map[protocol.SaleID]protocol.Time // when the clock may change a sale, 0 never
	leased  []Address                         // to be watched
	alarms  []Alarm
	effect  bool // the outbox has news
	payouts bool // payouts are to be compared with the chain
	mints   bool // a mint is to be asked something
	stock   bool // counted goods went or came back
}

// write runs f in one transaction, again from the start when another one came
// between; what f gathered in w is acted on after the commit.
func (s *Server) write(ctx context.Context, f func(w *work) error) error {
	defer s.press.enter()()
	for range attempts {
		var w *work
		err := s.o.Store.Write(ctx, func(tx *Tx) error {
			w = s.newWork(tx)
			if err := f(w); err != nil {
				return err
			}
			if err := w.storeAlarms(); err != nil {
				return err
			}
			return w.tell()
		})
		w.forget() // whatever the outcome
		if errors.Is(err, ErrChanged) {
			continue
		}
		if err == nil {
			w.finish(ctx)
		}
		return err
	}
	return fmt.Errorf("write after %d attempts: %w", attempts, ErrChanged)
}

// newWork begins to gather what a transaction leaves to do.
func (s *Server) newWork(tx *Tx) *work {
	w := &work{
		s: s, now: s.o.Clock(), told: map[protocol.TerminalID]struct{}{}, touched: map[string]struct{}{}, tells: news{},
		sales: map[protocol.SaleID]struct{}{}, due: map[protocol.SaleID]protocol.Time{},
	}
	noted := *tx
	noted.Terminals, noted.Keys, noted.Alerts = notedTerminals{tx.Terminals, w}, notedKeys{tx.Keys, w}, notedAlerts{tx.Alerts, w}
	w.Tx = &noted
	return w
}

// The rows that the roll remembers note whom a transaction touches.
type (
	notedTerminals struct {
		TerminalRows
		w *work
	}
	notedKeys struct {
		KeyRows
		w *work
	}
	notedAlerts struct {
		AlertRows
		w *work
	}
)

func (r notedTerminals) Insert(t *Terminal) error {
	r.w.touch(string(t.ID))
	return r.TerminalRows.Insert(t)
}

func (r notedTerminals) Update(t *Terminal) error {
	r.w.touch(string(t.ID))
	return r.TerminalRows.Update(t)
}

func (r notedKeys) Insert(k *TerminalKey) error {
	r.w.touch(k.Serial)
	return r.KeyRows.Insert(k)
}

func (r notedKeys) Retire(serial string, until protocol.Time) error {
	r.w.touch(serial)
	return r.KeyRows.Retire(serial, until)
}

func (r notedAlerts) Append(id protocol.TerminalID, at protocol.Time, kind protocol.AlertKind, body []byte) (int64, error) {
	r.w.touch(string(id))
	return r.AlertRows.Append(id, at, kind, body)
}

func (w *work) touch(key string) { w.touched[key] = struct{}{} }

// tell gathers for the other processes what the transaction changes: they hear of
// it as it commits. What only the watcher acts on is told by the others alone.
func (w *work) tell() error {
	f, n := w.s.fellows, w.tells
	if f.peers == nil {
		return nil
	}
	for key := range w.touched {
		if _, told := w.told[protocol.TerminalID(key)]; !told {
			n[newsTouched] = append(n[newsTouched], key)
		}
	}
	for id := range w.told {
		n[newsTold] = append(n[newsTold], string(id))
	}
	if w.all {
		n.set(newsAll)
	}
	if !f.watching.Load() {
		w.tellWatcher(n)
	}
	for _, text := range n.texts(f.name) {
		if err := w.News.Tell(text); err != nil {
			return fmt.Errorf("tell other servers: %w", err)
		}
	}
	return nil
}

func (w *work) tellWatcher(n news) {
	for id := range w.sales {
		n[newsSales] = append(n[newsSales], string(id))
	}
	for id, at := range w.due {
		n[newsDue] = append(n[newsDue], dueItem(id, at))
	}
	for _, a := range w.leased {
		n[newsLeased] = append(n[newsLeased], a.Text)
	}
	for t, due := range map[topic]bool{newsOutbox: w.effect, newsPayouts: w.payouts, newsMints: w.mints, newsAlarms: len(w.alarms) > 0} {
		if due {
			n.set(t)
		}
	}
}

// forget drops what the roll knew of the rows that the transaction touched.
func (w *work) forget() {
	if w == nil {
		return // it never began
	}
	if w.all {
		w.s.roll.all.Add(1)
	}
	for key := range w.touched {
		w.s.roll.touch(key)
	}
}

// finish acts on what a durable transaction left.
func (w *work) finish(ctx context.Context) {
	s := w.s
	if w.payouts {
		s.left.forget()
	}
	if w.all {
		s.lines.ringAll()
	}
	for id := range w.told {
		s.lines.ring(id)
	}
	if s.fellows.watching.Load() {
		s.watch.add(w.leased)
		s.watch.remind(w.due)
		s.watch.look(w.sales)
		if w.payouts {
			s.watch.follow()
		}
		if w.effect {
			s.wakeOutbox()
		}
		if w.mints {
			s.cash.ring()
		}
	}
	for _, a := range w.alarms {
		s.o.Log.WarnContext(ctx, "alarm", "kind", a.Kind, "terminal", a.Terminal, "message", a.Message, "over", a.Ended != 0)
	}
	if w.stock {
		ring(s.recount)
	}
	if len(w.alarms) > 0 && s.fellows.watching.Load() {
		s.ringPosts()
	}
}

// alert adds a line to the terminal's alert log, or to that of the one that took
// its place; a revoked terminal without an heir is told nothing.
func (w *work) alert(id protocol.TerminalID, kind protocol.AlertKind, body any) error {
	text, err := protocol.Encode(body)
	if err != nil {
		return err
	}
	return w.alertText(id, kind, text)
}

// alertText is alert with the body as JSON.
func (w *work) alertText(id protocol.TerminalID, kind protocol.AlertKind, text []byte) error {
	if id == "" {
		return nil // an address at rest is nobody's
	}
	to, err := w.heir(id)
	if err != nil || to == "" {
		return err
	}
	if _, err := w.Alerts.Append(to, w.now, kind, text); err != nil {
		return fmt.Errorf("append %s alert: %w", kind, err)
	}
	w.told[to] = struct{}{}
	return nil
}

// alertAll tells every terminal that is not revoked.
func (w *work) alertAll(kind protocol.AlertKind, body any) error {
	text, err := protocol.Encode(body)
	if err != nil {
		return err
	}
	if err := w.Alerts.AppendAll(w.now, kind, text); err != nil {
		return fmt.Errorf("append %s alerts: %w", kind, err)
	}
	w.all = true
	return nil
}

// heir follows replacements from a revoked terminal to the one that speaks for
// it now; "" when there is none.
func (tx *Tx) heir(id protocol.TerminalID) (protocol.TerminalID, error) {
	t, err := tx.Terminals.Get(id)
	if err != nil {
		return "", fmt.Errorf("find terminal: %w", err)
	}
	if t.State != TerminalRevoked {
		return id, nil
	}
	all, err := tx.Terminals.List()
	if err != nil {
		return "", fmt.Errorf("list terminals: %w", err)
	}
	successor := map[protocol.TerminalID]*Terminal{}
	for _, other := range all {
		if other.Replaces != "" {
			successor[other.Replaces] = other
		}
	}
	for t = successor[id]; t != nil; t = successor[t.ID] {
		if t.State != TerminalRevoked {
			return t.ID, nil
		}
	}
	return "", nil
}

// speaksFor reports whether a terminal may act on what belongs to another: its
// own, or that of one it took over from.
func (tx *Tx) speaksFor(caller, owner protocol.TerminalID) (bool, error) {
	if caller == owner {
		return true, nil
	}
	heir, err := tx.heir(owner)
	return heir == caller, err
}
