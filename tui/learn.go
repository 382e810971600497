package tui

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"till/protocol"
	"till/protocol/terminal"
	"till/tui/register"
	"till/tui/widget"
)

// wideRecent is from how many columns on the newest sales stand at the right,
// and recentMost how many are kept for it.
const (
	wideRecent = 120
	recentMost = 40
)

// load reads what the first frame shows, before there is one. The events it
// hands to the register ask for nothing: there is nobody yet to do it.
func (m *model) load(ctx context.Context) error {
	now := m.look()
	now.apply(m)
	if err := m.loadSettings(ctx); err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	if m.kiosk != nil {
		if err := m.readTries(ctx); err != nil {
			return fmt.Errorf("read tries of the service PIN: %w", err)
		}
	}
	shift, err := readShift(ctx, m.o.Terminal)
	if err != nil {
		return fmt.Errorf("read shift: %w", err)
	}
	m.took(shift)
	if err := m.readWrong(ctx); err != nil {
		return err
	}
	text, err := m.o.Terminal.Draft(ctx, draftCart)
	if err != nil {
		return fmt.Errorf("read cart: %w", err)
	}
	if text != nil {
		var cart register.Cart
		if err := json.Unmarshal(text, &cart); err != nil {
			return fmt.Errorf("read cart: %w", err)
		}
		m.happen(register.Restored{Cart: cart})
	}
	return nil
}

// resume goes on with what a power cut interrupted: the open sale, papers that
// were not printed, alerts that nobody has acknowledged.
func (m *model) resume() tea.Cmd {
	return m.aside(readTime, func(ctx context.Context) tea.Msg {
		var r resumed
		sales, err := m.o.Terminal.OpenSales(ctx)
		if err != nil {
			return failed{"read open sales", err}
		}
		for _, s := range slices.Backward(sales) {
			if s.Said != terminal.SaidOpen || len(s.Tabs) > 0 {
				continue
			}
			sale, err := saleOf(ctx, m.o.Terminal, s)
			if err != nil {
				return failed{"read open sale", err}
			}
			r.open = &sale
			break
		}
		if r.alerts, err = m.o.Terminal.Alerts(ctx); err != nil {
			return failed{"read alerts", err}
		}
		if r.jobs, err = m.o.Terminal.Jobs(ctx); err != nil {
			return failed{"read print jobs", err}
		}
		return r
	})
}

// resumed is what was there at the start.
type resumed struct {
	open   *register.Sale
	alerts []terminal.Alert
	jobs   []terminal.Job
}

func (r resumed) apply(m *model) tea.Cmd {
	m.facts.alerts = r.alerts
	cmds := []tea.Cmd{m.readRecent(), m.readShift()}
	if r.open != nil {
		cmds = append(cmds, m.happen(register.Recall{Sale: *r.open}))
	}
	if m.kiosk != nil && (r.open != nil || !m.reg.Cart.Empty()) {
		m.screen = onRegister // who stood here goes on
	}
	for _, a := range r.alerts {
		m.interrupt(a)
	}
	for _, job := range r.jobs {
		cmds = append(cmds, m.again(job))
	}
	return tea.Batch(cmds...)
}

// listen waits for the terminal to tell something.
func (m *model) listen() tea.Cmd {
	return func() tea.Msg {
		select {
		case f := <-m.o.Terminal.Facts():
			return heard{f}
		case <-m.ended:
			return nil
		}
	}
}

// heard is a fact, before what is true was read.
type heard struct{ fact terminal.Fact }

func (h heard) apply(m *model) tea.Cmd {
	cmds := []tea.Cmd{m.listen(), func() tea.Msg { return m.look() }}
	if s := m.reg.Sale; s != nil && slices.Contains(h.fact.Sales, s.Opening.Sale) {
		cmds = append(cmds, m.readSale(s.Opening.Sale))
	}
	if len(h.fact.Sales) > 0 {
		cmds = append(cmds, m.readRecent(), m.sales.refresh(m))
	}
	for _, a := range h.fact.Alerts {
		cmds = append(cmds, m.alerted(a))
	}
	for _, id := range h.fact.Payouts {
		if id == m.key.flow.ID || id == m.sell.flow.Order.ID {
			cmds = append(cmds, m.readPayout(id))
		}
	}
	if h.fact.Config {
		cmds = append(cmds, tea.Sequence(func() tea.Msg { return m.look() }, m.readShift()))
	}
	return tea.Batch(cmds...)
}

// looked is what the terminal holds in memory.
type looked struct {
	config   *protocol.Config
	items    []protocol.Item
	quote    *protocol.Quote
	health   terminal.Health
	identity terminal.Identity
}

func (m *model) look() looked {
	t := m.o.Terminal
	l := looked{health: t.Health(), items: t.Catalogue().Items}
	l.identity, _ = t.Identity()
	if c, ok := t.Config(); ok {
		l.config = &c
	}
	if q, ok := t.Quote(m.o.Clock()); ok {
		l.quote = &q
	}
	return l
}

func (l looked) apply(m *model) tea.Cmd {
	news := l.health.Tampered != "" && m.facts.health.Tampered == ""
	m.facts.health, m.facts.identity = l.health, l.identity
	if news {
		m.tellTampered()
	}
	var events []register.Event
	if l.config != nil {
		m.speak(l.config.Locale)
		events = append(events, register.Shop{Config: *l.config, Items: l.items, OpenName: m.w.OpenItem}, m.signed(l.config.Users))
	}
	events = append(events, register.Priced{Quote: l.quote})
	return m.happen(events...)
}

// signed is who is at the counter, as the configuration knows them.
func (m *model) signed(users []protocol.User) register.Signed {
	s := register.Signed{User: m.reg.User, Shift: m.reg.Shift}
	id := s.User.ID
	if id == "" && !m.people.begun {
		id = m.o.User
	}
	s.User = protocol.User{} // who is locked out is gone at once
	for _, u := range users {
		if u.ID == id {
			s.User = u
		}
	}
	return s
}

// shifted is the open shift.
type shifted struct {
	id     protocol.ShiftID
	number int64
	opened protocol.Time
	opener string // a person's id
}

func (m *model) readShift() tea.Cmd {
	return m.aside(readTime, func(ctx context.Context) tea.Msg {
		s, err := readShift(ctx, m.o.Terminal)
		if err != nil {
			return failed{"read shift", err}
		}
		return s
	})
}

func readShift(ctx context.Context, r Start) (shifted, error) {
	s, open, err := r.Shift(ctx)
	if err != nil || !open {
		return shifted{}, err
	}
	n, err := r.NextZ(ctx)
	return shifted{s.Opening.Shift, n, s.Opened, s.Opening.User}, err
}

// took notes the shift.
func (m *model) took(s shifted) tea.Cmd {
	m.facts.shift, m.facts.opened, m.facts.opener = s.number, s.opened, s.opener
	return m.happen(register.Signed{User: m.reg.User, Shift: s.id})
}

func (s shifted) apply(m *model) tea.Cmd { return tea.Batch(m.took(s), m.beginShop(s)) }

// readSale reads the sale being paid.
func (m *model) readSale(id protocol.SaleID) tea.Cmd {
	return m.aside(readTime, func(ctx context.Context) tea.Msg {
		s, err := m.o.Terminal.Sale(ctx, id)
		if err != nil {
			return failed{"read sale", err}
		}
		return saleRead{told{s.Status}, billsOf(s)}
	})
}

// saleRead is the server's word on the sale being paid and on its e-cash.
type saleRead struct {
	told  told
	bills []register.Billed
}

func (r saleRead) apply(m *model) tea.Cmd {
	var cmds []tea.Cmd
	for _, b := range r.bills { // before the word that may end the sale: its receipt names them
		cmds = append(cmds, m.happen(b))
	}
	return tea.Batch(append(cmds, r.told.apply(m))...)
}

// billsOf is what the server told of a sale's e-cash.
func billsOf(s terminal.Sale) []register.Billed {
	var bills []register.Billed
	for _, t := range s.Tenders {
		if t.Kind == protocol.TenderEcash && !t.Removed {
			bills = append(bills, register.Billed{Tender: t.Tender, Contract: t.Contract, Deposit: t.Deposit})
		}
	}
	return bills
}

// told is the server's word on the sale being paid, nil before the first.
type told struct{ status *protocol.SaleStatus }

func (t told) apply(m *model) tea.Cmd {
	if t.status == nil {
		return nil
	}
	return m.happen(register.Told{Status: *t.status})
}

// readRecent reads the newest sales and the parked ones.
func (m *model) readRecent() tea.Cmd {
	return m.aside(readTime, func(ctx context.Context) tea.Msg {
		newest, err := m.o.Terminal.Sales(ctx, terminal.SaleFilter{Most: recentMost})
		if err != nil {
			return failed{"read sales", err}
		}
		open, err := m.o.Terminal.OpenSales(ctx)
		if err != nil {
			return failed{"read parked sales", err}
		}
		return recent{newest, open}
	})
}

// recent is the newest sales, and those that are open or parked.
type recent struct{ newest, open []terminal.Sale }

func (r recent) apply(m *model) tea.Cmd {
	m.facts.recent, m.facts.parked, m.facts.tabs = r.newest, nil, nil
	for _, s := range r.open {
		if len(s.Tabs) > 0 {
			m.facts.tabs = append(m.facts.tabs, s)
			continue
		}
		if m.reg.Sale == nil || m.reg.Sale.Opening.Sale != s.ID() {
			m.facts.parked = append(m.facts.parked, s)
		}
	}
	return m.settleTabs(m.facts.tabs)
}

// saleOf is a sale in the register's terms.
func saleOf(ctx context.Context, r Records, s terminal.Sale) (register.Sale, error) {
	out := register.Sale{Opening: s.Opening, Status: s.Status, Copies: s.Copies}
	switch s.Said {
	case terminal.SaidPaid:
		out.Ended = protocol.EntrySalePaid
	case terminal.SaidCancelled:
		out.Ended = protocol.EntrySaleCancelled
	}
	for _, t := range s.Tenders {
		if t.Removed {
			continue
		}
		tender := register.Tender{TenderAdded: t.TenderAdded, At: t.Added, Contract: t.Contract, Deposit: t.Deposit}
		if t.TenderAdded.Quote != "" {
			q, err := r.QuoteOf(ctx, t.TenderAdded.Quote)
			if err != nil {
				return out, err
			}
			tender.Quote = &q
		}
		out.Tenders = append(out.Tenders, tender)
	}
	return out, nil
}

// alerted takes an alert that has just come.
func (m *model) alerted(a terminal.Alert) tea.Cmd {
	if a.Urgent {
		m.facts.alerts = append(m.facts.alerts, a)
		m.interrupt(a)
		if urgentMoney(a.Alert) {
			return m.sound(register.SoundFailed)
		}
		return nil
	}
	if a.Kind == protocol.AlertIncoming && m.kiosk == nil {
		return m.arrived(a.Alert)
	}
	return nil
}

// arrived rings and prints for money on an address outside an open sale, once a
// transaction.
func (m *model) arrived(a protocol.Alert) tea.Cmd {
	var in protocol.Incoming
	if err := a.Decode(&in); err != nil || in.TxID == "" || m.facts.money[in.TxID] || in.Confirmations > 1 {
		return nil
	}
	m.facts.money[in.TxID] = true
	m.address.arrived(in)
	m.say(widget.Good, m.w.f(m.w.MoneyArrived, m.w.bitcoin(in.AmountSat), widget.Groups(in.Address, 4)))
	paper := register.Paper{Kind: register.PaperIncoming, Address: in.Address, AmountSat: in.AmountSat, TxID: in.TxID}
	return tea.Batch(m.sound(register.SoundMoney), m.queuePaper(paper, ""))
}
