package server

import (
	"sync"
	"time"

	"till/protocol"
)

// watch gathers what has to be compared with the chain, and when. It holds no
// fact that is not stored: after a restart everything is compared once.
type watch struct {
	mu      sync.Mutex
	wake    chan struct{}     // holds a token when something waits
	scripts map[Script]string // every watched script's address
	added   []Address         // since the last reload began
	told    map[Script]bool   // the chain was asked to follow it
	shallow map[Script]bool   // a payment to it may still be reorganised
	due     map[protocol.SaleID]protocol.Time

	dirtySales   map[protocol.SaleID]struct{}
	dirtyScripts map[Script]struct{}
	everything   bool // also what is not in scripts: read them again

	payouts       bool            // payouts are to be compared too
	payoutTouches map[Script]bool // destinations and inputs of unsettled payouts
	payoutsDue    protocol.Time   // when at the latest
	loaded        protocol.Time   // when the watched addresses were read

	chain  view
	silent bool // the chain does not answer
	behind bool // its tip is old
}

func newWatch() *watch {
	return &watch{
		wake: make(chan struct{}, 1), scripts: map[Script]string{}, told: map[Script]bool{}, shallow: map[Script]bool{},
		due: map[protocol.SaleID]protocol.Time{}, dirtySales: map[protocol.SaleID]struct{}{},
		dirtyScripts: map[Script]struct{}{}, everything: true, payouts: true, payoutTouches: map[Script]bool{},
	}
}

// shallowDepth is how many confirmations put a payment beyond reorganisations
// that are followed block by block; a deeper one is found at the next restart.
const shallowDepth = 100

func (w *watch) ring() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// add follows addresses from now on.
func (w *watch) add(addresses []Address) {
	if len(addresses) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range addresses {
		w.scripts[a.Script] = a.Text
		w.dirtyScripts[a.Script] = struct{}{}
	}
	w.added = append(w.added, addresses...)
	w.ring()
}

// look has sales compared with the chain.
func (w *watch) look(sales map[protocol.SaleID]struct{}) {
	if len(sales) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for id := range sales {
		w.dirtySales[id] = struct{}{}
	}
	w.ring()
}

// remind notes when the clock may change sales.
func (w *watch) remind(due map[protocol.SaleID]protocol.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, at := range due {
		if at == 0 {
			delete(w.due, id)
		} else {
			w.due[id] = at
		}
	}
	if len(due) > 0 {
		w.ring()
	}
}

// changed takes what the chain says may be different.
func (w *watch) changed(c Change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(c.Scripts) == 0 && !c.TipMoved {
		w.everything = true
	}
	for _, script := range c.Scripts {
		if _, ours := w.scripts[script]; ours {
			w.dirtyScripts[script] = struct{}{}
		}
		w.payouts = w.payouts || w.payoutTouches[script]
	}
	if c.TipMoved {
		w.payouts = w.payouts || len(w.payoutTouches) > 0
		for script := range w.shallow {
			w.dirtyScripts[script] = struct{}{}
		}
	}
	w.ring()
}

// follow has payouts compared at the next round.
func (w *watch) follow() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.payouts = true
	w.ring()
}

// payoutScripts notes what the unsettled payouts touch.
func (w *watch) payoutScripts(scripts []Script) {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.payoutTouches)
	for _, script := range scripts {
		w.payoutTouches[script] = true
	}
}

// reload begins to read the watched addresses: what is added from now on may not
// be among what is read.
func (w *watch) reload() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.added = nil
}

// load makes the watched addresses the ones read and those added since reload
// began, all to be compared.
func (w *watch) load(addresses []*LeasedAddress, now protocol.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.loaded = now
	clear(w.scripts)
	for _, a := range w.added {
		w.scripts[a.Script] = a.Text
	}
	w.added = nil
	for _, a := range addresses {
		w.scripts[a.Script] = a.Text
		w.dirtyScripts[a.Script] = struct{}{}
	}
}

// reconnected forgets which scripts the chain follows.
func (w *watch) reconnected() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.told)
	w.everything = true
	w.ring()
}

// untold gives those of the scripts that the chain was not asked to follow.
func (w *watch) untold(scripts []Script) []Script {
	w.mu.Lock()
	defer w.mu.Unlock()
	var untold []Script
	for _, script := range scripts {
		if !w.told[script] {
			untold = append(untold, script)
		}
	}
	return untold
}

func (w *watch) tell(scripts []Script) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, script := range scripts {
		w.told[script] = true
	}
}

// settled notes which of an account's scripts a new block may still change.
func (w *watch) settled(a *account, tip Tip) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range a.parts {
		if p.address == nil {
			continue
		}
		delete(w.shallow, p.address.Script)
		for _, s := range p.payments {
			if !s.Gone && s.Confirmations(tip) < shallowDepth {
				w.shallow[p.address.Script] = true
			}
		}
	}
}

// todo is what one round of comparing looks at.
type todo struct {
	sales      []protocol.SaleID
	addresses  []string
	everything bool
	payouts    bool
	next       protocol.Time // the earliest moment that matters, 0 none
}

// reloadEvery is how often the watched addresses are read again.
const reloadEvery = 24 * time.Hour

// perRound bounds how many addresses one round takes, so that a fresh payment
// never waits for a long list of old ones.
const perRound = 200

// take gives what is to be done at the moment and forgets it. Sales come before
// addresses.
func (w *watch) take(now protocol.Time) todo {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.loaded != 0 && now.Sub(w.loaded) >= reloadEvery {
		w.everything = true // lets go of what need not be watched any more
	}
	t := todo{everything: w.everything, payouts: w.payouts || w.everything || w.payoutsDue != 0 && w.payoutsDue <= now}
	w.everything, w.payouts = false, false
	switch {
	case len(w.payoutTouches) == 0:
		w.payoutsDue = 0
	case t.payouts || w.payoutsDue == 0:
		w.payoutsDue = now + payoutRecheck
	}
	t.next = w.payoutsDue
	for id, at := range w.due {
		if at <= now {
			delete(w.due, id)
			w.dirtySales[id] = struct{}{}
		} else {
			t.next = earlier(t.next, at)
		}
	}
	for id := range w.dirtySales {
		t.sales = append(t.sales, id)
	}
	clear(w.dirtySales)
	for script := range w.dirtyScripts {
		if len(t.addresses) == perRound {
			w.ring()
			break
		}
		delete(w.dirtyScripts, script)
		if address, ours := w.scripts[script]; ours {
			t.addresses = append(t.addresses, address)
		}
	}
	return t
}

// again puts back what could not be done.
func (w *watch) again(t todo, scripts []Script) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range t.sales {
		w.dirtySales[id] = struct{}{}
	}
	for _, script := range scripts {
		w.dirtyScripts[script] = struct{}{}
	}
	w.everything = w.everything || t.everything
	w.payouts = w.payouts || t.payouts
}

// view is what was last known of the chain.
func (w *watch) view() view {
	w.mu.Lock()
	defer w.mu.Unlock()
	v := w.chain
	v.fresh = false
	return v
}

func (w *watch) see(v view) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if v.floor == 0 {
		v.floor = w.chain.floor
	}
	w.chain = v
}

// health takes the chain's state and gives what terminals are to be told of it,
// an empty notice when nothing changed.
func (w *watch) health(now protocol.Time, silent, behind bool) protocol.Notice {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := protocol.Notice{Since: now}
	switch {
	case silent && !w.silent:
		n.Reason, n.Message = nodeSilent, "the Bitcoin node does not answer: payments cannot be seen"
	case !silent && w.silent:
		n.Reason, n.Message = nodeBack, "the Bitcoin node answers again"
	case !silent && behind && !w.behind:
		n.Reason, n.Message = nodeOld, "the Bitcoin node is behind: payments count only with a confirmation"
	case !silent && !behind && w.behind:
		n.Reason, n.Message = nodeNew, "the Bitcoin node has caught up"
	}
	w.silent = silent
	if !silent {
		w.behind = behind
	}
	return n
}

// state tells whether the chain is silent, or else behind.
func (w *watch) state() (silent, behind bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.silent, w.behind
}
