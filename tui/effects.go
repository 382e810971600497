package tui

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	tea "charm.land/bubbletea/v2"

	"till/protocol"
	"till/protocol/terminal"
	"till/tui/register"
	"till/tui/widget"
)

// Deadlines of effects.
const (
	writeTime    = 5 * time.Second  // the journal
	readTime     = 5 * time.Second  // records
	flushTime    = 20 * time.Second // a round to the server
	drawerTime   = 3 * time.Second
	customerTime = 10 * time.Second
	tapTime      = time.Minute // the first coins of a customer take a while
)

// draftCart is the name of the cart among the terminal's drafts.
const draftCart = "cart"

// lane does effects one after another, in the order in which they were asked
// for, although each is a command of its own.
type lane struct{ last chan struct{} }

func newLane() *lane {
	last := make(chan struct{})
	close(last)
	return &lane{last: last}
}

// queue makes an effect a command with one deadline, which begins with its turn.
func (m *model) queue(d time.Duration, do func(context.Context) tea.Msg) tea.Cmd {
	before, done := m.lane.last, make(chan struct{})
	m.lane.last = done
	return m.counted(func() tea.Msg {
		defer close(done)
		<-before
		ctx, cancel := m.toEnd(d)
		defer cancel()
		return do(ctx)
	})
}

// finish waits until the last effect is done.
func (l *lane) finish(most time.Duration) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-l.last:
	case <-timer.C:
	}
}

// aside makes a command of something that needs no order, such as reading.
func (m *model) aside(d time.Duration, do func(context.Context) tea.Msg) tea.Cmd {
	return m.counted(func() tea.Msg {
		ctx, cancel := m.within(d)
		defer cancel()
		return do(ctx)
	})
}

// perform makes a command of an effect of the register.
func (m *model) perform(e register.Effect) tea.Cmd {
	switch e := e.(type) {
	case register.Record:
		p := performer{terminal: m.o.Terminal, now: m.o.Clock, terminalName: m.terminalName(), practice: m.o.Practice, spooled: m.o.Spool != nil && m.wantsReceipt(e)}
		return m.queue(writeTime, func(ctx context.Context) tea.Msg { return p.record(ctx, e) })
	case register.Save:
		return m.queue(writeTime, func(ctx context.Context) tea.Msg {
			_, err := m.o.Terminal.Commit(ctx, draft(e.Cart))
			return saved{err}
		})
	case register.Ring:
		return m.sound(e.Sound)
	case register.Drawer:
		return m.openDrawer(e.Reason)
	case register.Claimed:
		return m.redeem(e.Tendered)
	}
	return nil
}

// draft is the step that keeps the cart.
func draft(c register.Cart) terminal.Step {
	if c.Empty() {
		return terminal.SaveDraft(draftCart, nil)
	}
	text, err := json.Marshal(c)
	if err != nil {
		// A cart is strings and integers: it always encodes.
		panic(err)
	}
	return terminal.SaveDraft(draftCart, text)
}

// saved tells that a draft is kept.
type saved struct{ err error }

func (s saved) apply(m *model) tea.Cmd {
	if s.err != nil {
		m.o.Log.Error("keep cart", "error", s.err)
		m.say(widget.Bad, m.w.refusal(s.err))
	}
	return nil
}

// recorded is the answer to a record.
type recorded struct {
	answer register.Event
	job    *terminal.Job
	paper  register.Paper
}

func (r recorded) apply(m *model) tea.Cmd {
	cmds := []tea.Cmd{m.happen(r.answer)}
	if r.job != nil {
		cmds = append(cmds, m.handOver(*r.job, r.paper))
	}
	if done, ok := r.answer.(register.Recorded); ok && done.Tender != nil {
		cmds = append(cmds, m.readSale(done.Tender.Sale))
	}
	return tea.Batch(cmds...)
}

// performer carries out a record.
type performer struct {
	terminal     Terminal
	now          func() time.Time
	terminalName string
	practice     bool
	spooled      bool
}

func (p performer) record(ctx context.Context, r register.Record) tea.Msg {
	done, job, err := p.write(ctx, &r)
	if err != nil {
		return recorded{answer: register.Refused{Ticket: r.Ticket, Why: whyOf(err), Detail: detailOf(err)}}
	}
	out := recorded{answer: done}
	if job != nil {
		out.job, out.paper = job, *r.Receipt
	}
	return out
}

// write does the whole record in one transaction.
func (p performer) write(ctx context.Context, r *register.Record) (register.Recorded, *terminal.Job, error) {
	done := register.Recorded{Ticket: r.Ticket, At: protocol.TimeOf(p.now())}
	sale := r.Sale
	var steps []terminal.Step
	if r.Open != nil {
		opening, err := p.open(ctx, *r.Open)
		if err != nil {
			return done, nil, err
		}
		sale, done.Opening = opening.Sale, opening
		steps = append(steps, terminal.Record(protocol.EntrySaleOpened, opening))
	}
	if r.Remove != nil {
		r.Remove.Sale = sale
		steps = append(steps, terminal.Record(protocol.EntryTenderRemoved, *r.Remove))
	}
	if r.Add != nil {
		tender, adding, err := p.tender(*r.Add, sale, &done)
		if err != nil {
			return done, nil, err
		}
		done.Tender = tender
		steps = append(steps, adding...)
	}
	var job *terminal.Job
	if r.End != "" {
		r.Ended.Sale = sale
		steps = append(steps, terminal.Record(r.End, r.Ended))
	}
	if r.Draft != nil {
		steps = append(steps, draft(*r.Draft))
	}
	if r.Receipt != nil && p.spooled {
		job = p.receipt(r, sale, done)
		steps = append(steps, terminal.QueueJob(job))
	}
	_, err := p.terminal.Commit(ctx, steps...)
	return done, job, err
}

// open gives a sale its id and number.
func (p performer) open(ctx context.Context, o protocol.SaleOpened) (protocol.SaleOpened, error) {
	id, err := p.terminal.NewID()
	if err != nil {
		return o, err
	}
	o.Sale = protocol.SaleID(id)
	o.Number, err = p.terminal.NextNumber(ctx)
	return o, err
}

// errNoQuote: the price ran out between the key and its record.
var errNoQuote = errors.New("no price holds now")

// tender gives a tender its id, a bitcoin tender its price and its address, a
// key its price and the id of its sweep.
func (p performer) tender(t protocol.TenderAdded, sale protocol.SaleID, done *register.Recorded) (*protocol.TenderAdded, []terminal.Step, error) {
	id, err := p.terminal.NewID()
	if err != nil {
		return nil, nil, err
	}
	t.Sale, t.Tender = sale, protocol.TenderID(id)
	if t.Kind != protocol.TenderBitcoin && t.Kind != protocol.TenderKey {
		return &t, []terminal.Step{terminal.Record(protocol.EntryTenderAdded, t)}, nil
	}
	quote, held := p.terminal.Quote(p.now())
	if !held {
		return nil, nil, errNoQuote
	}
	if err := register.Charge(&t, quote); err != nil {
		return nil, nil, err
	}
	done.Quote = &quote
	if t.Kind == protocol.TenderBitcoin {
		return &t, []terminal.Step{terminal.TakeAddress(&t)}, nil
	}
	if id, err = p.terminal.NewID(); err != nil {
		return nil, nil, err
	}
	done.Payout = protocol.PayoutID(id)
	return &t, []terminal.Step{terminal.Record(protocol.EntryTenderAdded, t), sweepDraft{ID: done.Payout, Tender: &t}.step()}, nil
}

// receipt completes a receipt with what only the record knows, as a print job.
func (p performer) receipt(r *register.Record, sale protocol.SaleID, done register.Recorded) *terminal.Job {
	paper := r.Receipt
	if r.Open != nil {
		paper.Opening = done.Opening
	}
	if done.Tender != nil {
		paper.Tenders = append(paper.Tenders, register.Tender{TenderAdded: *done.Tender, Quote: done.Quote, At: done.At})
	}
	paper.At, paper.Terminal, paper.Practice = done.At, p.terminalName, p.practice
	return jobOf(*paper, sale)
}

// whyOf is the register's word for an error of the terminal.
func whyOf(err error) register.Why {
	switch {
	case errors.Is(err, terminal.ErrDiskFull):
		return register.WhyDiskFull
	case errors.Is(err, terminal.ErrNoAddress):
		return register.WhyNoAddress
	case errors.Is(err, errNoQuote):
		return register.WhyQuoteLapsed
	}
	return register.WhyNotWritten
}

func detailOf(err error) string {
	if whyOf(err) == register.WhyNotWritten {
		return err.Error()
	}
	return ""
}

// openDrawer opens the drawer and journals why.
func (m *model) openDrawer(reason string) tea.Cmd {
	if m.o.Drawer == nil {
		return nil
	}
	body := protocol.DrawerOpened{Reason: reason, User: m.reg.User.ID}
	return m.queue(drawerTime, func(ctx context.Context) tea.Msg {
		if err := m.o.Drawer.Open(ctx); err != nil {
			return failed{what: "open drawer", err: err}
		}
		_, err := m.o.Terminal.Commit(ctx, terminal.Record(protocol.EntryDrawerOpened, body))
		return failed{what: "journal drawer", err: err}
	})
}

// failed says that something could not be done; a nil error says nothing.
type failed struct {
	what string
	err  error
}

func (f failed) apply(m *model) tea.Cmd {
	if f.err != nil {
		m.o.Log.Error(f.what, "error", f.err)
		m.say(widget.Bad, m.w.refusal(f.err))
	}
	return nil
}
