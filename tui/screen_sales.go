package tui

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"

	"till/protocol"
	"till/protocol/terminal"
	"till/tui/register"
	"till/tui/widget"
)

// salesMost is how many sales are read at once; the search finds older ones.
const salesMost = 200

// salesScreen is the sales, newest first, with their live states.
type salesScreen struct {
	rows   []terminal.Sale
	text   string // what is searched for
	at     int
	offset int
	detail bool    // one sale, not the list
	replay *replay // of the chosen sale, nil: the list or the sale itself
	most   int     // how many are read; more once the end is reached
	ticket uint64  // of the reading under way
}

// salesKeys are those of the list and of one sale. Letters search.
func salesKeys() []key {
	chosen := func(m *model) string {
		if _, ok := m.sales.chosen(); !ok {
			return m.w.NoSales
		}
		return ""
	}
	return []key{
		{action: ActNext, keys: []string{"enter"}, offered: replaying, do: func(m *model) tea.Cmd {
			m.sales.replay.step(1)
			return nil
		}},
		{action: ActNext, keys: []string{"enter"}, whyNot: chosen, offered: func(m *model) bool { return !m.sales.detail && !replaying(m) },
			do: func(m *model) tea.Cmd {
				m.sales.detail = true
				return nil
			}},
		{action: ActReprint, keys: []string{"ctrl+r"}, do: (*model).reprint, whyNot: func(m *model) string {
			if why := chosen(m); why != "" {
				return why
			}
			return m.whyNoPaper()
		}},
		{action: ActRecheck, keys: []string{"ctrl+e"}, do: (*model).recheck, whyNot: chosen},
		{action: ActRefund, keys: []string{"ctrl+f"}, do: (*model).toRefund, whyNot: (*model).whyNoRefund, quiet: true},
		{action: ActBack, keys: []string{"esc"}, do: (*model).salesBack},
		{action: ActReplay, keys: []string{"ctrl+y"}, do: (*model).toReplay, whyNot: chosen, quiet: true},
	}
}

func (m *model) salesBack() tea.Cmd {
	switch s := &m.sales; {
	case s.replay != nil:
		s.replay = nil
		return nil
	case s.detail:
		s.detail = false
		return nil
	case s.text != "":
		return s.find(m, "")
	}
	return m.goTo(m.from)
}

// enter begins with the newest sale.
func (s *salesScreen) enter(m *model) tea.Cmd {
	*s = salesScreen{rows: m.facts.recent, ticket: s.ticket, most: salesMost}
	return tea.Batch(s.read(m), m.askForNews())
}

// askForNews goes to the server at once; what it tells comes as facts.
func (m *model) askForNews() tea.Cmd {
	return m.aside(flushTime, func(ctx context.Context) tea.Msg {
		if err := m.o.Terminal.Flush(ctx); err != nil {
			m.o.Log.Debug("ask for news", "error", err)
		}
		return nil
	})
}

// moving reports whether a sale in sight is not as deep as it will be.
func (s *salesScreen) moving() bool {
	for _, sale := range s.rows[:min(len(s.rows), 20)] {
		if sale.Status == nil || sale.Said == terminal.SaidCancelled {
			continue
		}
		switch sale.Status.State {
		case protocol.SaleOpen, protocol.SaleSeen, protocol.SaleAccepted:
			return true
		}
	}
	return false
}

// refresh reads again what is on the screen.
func (s *salesScreen) refresh(m *model) tea.Cmd {
	if m.screen != onSales {
		return nil
	}
	return s.read(m)
}

// find narrows the list.
func (s *salesScreen) find(m *model, text string) tea.Cmd {
	s.text, s.at, s.offset, s.detail, s.replay, s.most = text, 0, 0, false, nil, salesMost
	return s.read(m)
}

func (s *salesScreen) read(m *model) tea.Cmd {
	s.ticket++
	ticket, filter := s.ticket, saleFilter(s.text, m.now.Location())
	filter.Most = max(s.most, salesMost)
	return m.aside(readTime, func(ctx context.Context) tea.Msg {
		rows, err := m.o.Terminal.Sales(ctx, filter)
		if err != nil {
			return failed{"read sales", err}
		}
		return salesRead{ticket, rows}
	})
}

// salesRead is what was read; an older reading says nothing.
type salesRead struct {
	ticket uint64
	rows   []terminal.Sale
}

func (r salesRead) apply(m *model) tea.Cmd {
	s := &m.sales
	if r.ticket != s.ticket {
		return nil
	}
	if old, ok := s.chosen(); ok {
		i := slices.IndexFunc(r.rows, func(x terminal.Sale) bool { return x.ID() == old.ID() })
		if s.at > 0 || s.detail {
			s.at = max(i, 0)
			s.detail = s.detail && i >= 0
		}
	}
	s.rows = r.rows
	s.at = min(s.at, max(len(s.rows)-1, 0))
	return nil
}

// chosen is the sale that is meant.
func (s *salesScreen) chosen() (terminal.Sale, bool) {
	if s.at < 0 || s.at >= len(s.rows) {
		return terminal.Sale{}, false
	}
	return s.rows[s.at], true
}

// typed searches or moves.
func (s *salesScreen) typed(m *model, k tea.KeyPressMsg) tea.Cmd {
	switch {
	case s.replay != nil:
		s.replay.step(steps(k, m.frame))
		return nil
	case k.Code == tea.KeyBackspace && s.text != "":
		runes := []rune(s.text)
		return s.find(m, string(runes[:len(runes)-1]))
	case k.Text != "" && utf8.RuneCountInString(s.text) < 64:
		return s.find(m, s.text+k.Text)
	}
	s.at = min(max(s.at+steps(k, m.frame), 0), max(len(s.rows)-1, 0))
	if s.at == len(s.rows)-1 && len(s.rows) == max(s.most, salesMost) {
		s.most = len(s.rows) + salesMost // there are older ones
		return s.read(m)
	}
	return nil
}

// saleFilter takes what was typed apart: a day, 2026-11-22 or 22.11.2026, or a
// month, 2026-11, bounds the time; everything else is searched for.
func saleFilter(text string, zone *time.Location) (f terminal.SaleFilter) {
	var words []string
	for word := range strings.FieldsSeq(text) {
		since, until, ok := period(word, zone)
		if !ok {
			words = append(words, word)
			continue
		}
		f.Since, f.Until = protocol.TimeOf(since), protocol.TimeOf(until)
	}
	f.Text = strings.Join(words, " ")
	return f
}

func period(word string, zone *time.Location) (since, until time.Time, ok bool) {
	for _, layout := range []string{time.DateOnly, "2.1.2006", "2/1/2006"} {
		if day, err := time.ParseInLocation(layout, word, zone); err == nil {
			return day, day.AddDate(0, 0, 1), true
		}
	}
	if month, err := time.ParseInLocation("2006-01", word, zone); err == nil {
		return month, month.AddDate(0, 1, 0), true
	}
	return since, until, false
}

// stateOf is how far a sale is, in the words of terminal.md §4.2.
func stateOf(s terminal.Sale) (protocol.SaleState, []protocol.Flag) {
	var flags []protocol.Flag
	if s.Status != nil {
		flags = s.Status.Flags
	}
	sale := register.Sale{Status: s.Status}
	switch s.Said {
	case terminal.SaidPaid:
		sale.Ended = protocol.EntrySalePaid
	case terminal.SaidCancelled:
		sale.Ended = protocol.EntrySaleCancelled
	}
	return sale.State(), flags
}

// stateSpan says the state with a mark; short, the flag alone where there is one.
func (m *model) stateSpan(s terminal.Sale, short bool) widget.Span {
	state, flags := stateOf(s)
	text := m.w.stateWords(state, flags)
	if len(flags) > 0 && short {
		text = m.w.Flags[flags[0]] // the one word that matters
	}
	if s.Said == terminal.SaidParked {
		text = m.w.Parked
	}
	if s.Said == terminal.SaidOpen && len(s.Tabs) > 0 {
		text = m.w.TabOpen
	}
	switch {
	case s.Reason == reasonTabLost:
		return widget.Bad.Say("✗ " + m.w.TabLost)
	case slices.Contains(flags, protocol.FlagReplaced), slices.Contains(flags, protocol.FlagConflict):
		return widget.Bad.Say("! " + text)
	case state == protocol.SaleExpired:
		return widget.Bad.Say("✗ " + text)
	case state == protocol.SaleCancelled:
		return widget.Quiet.Say("· " + text)
	case state == protocol.SaleAccepted, state == protocol.SaleConfirmed:
		return widget.Good.Say("✓ " + text)
	case len(flags) > 0:
		return widget.Warn.Say("! " + text)
	}
	return widget.Text.Say("· " + text)
}

// linesInWords is what is sold, in one line.
func linesInWords(lines []protocol.Line) string {
	names := make([]string, len(lines))
	for i, l := range lines {
		names[i] = l.Name
	}
	return strings.Join(names, ", ")
}

// saleRow is a sale in a list: time, (number,) what, amount, (bitcoin,) state.
func (m *model) saleRow(s terminal.Sale, full bool) widget.Row {
	what := linesInWords(s.Opening.Lines)
	cells := []widget.Span{widget.Quiet.Say(m.when(s.Opened))}
	if full {
		cells = append(cells, widget.Quiet.Say(s.Opening.Number))
	}
	cells = append(cells, widget.Text.Say(what), widget.Text.Say(m.w.money(s.Opening.Total)))
	if full {
		due := ""
		if s.Status != nil && s.Status.DueSat > 0 {
			due = m.w.bitcoin(s.Status.DueSat)
		}
		cells = append(cells, widget.Quiet.Say(due))
	}
	return widget.Row{Cells: append(cells, m.stateSpan(s, m.size.W < 60))}
}

// salesView is the list, or one sale.
func (m *model) salesView(f *widget.Frame, a widget.Area) widget.Block {
	body, s := f.Body(a), &m.sales
	if s.replay != nil {
		return m.replayView(f, body)
	}
	if sale, ok := s.chosen(); ok && s.detail {
		return m.saleDetail(sale, body)
	}
	list := widget.List{
		Columns: []widget.Column{
			{Title: m.w.ColumnTime}, {Title: m.w.ColumnSale, Align: widget.Right, Rank: 3}, {Title: m.w.ColumnWhat, Grow: true, Rank: 4},
			{Title: string(m.reg.Currency()), Align: widget.Decimal}, {Title: "BTC", Align: widget.Decimal, Rank: 2}, {Title: m.w.ColumnState},
		},
		Len: len(s.rows), Selected: s.at, Offset: s.offset, Header: true, Point: m.w.Decimal, Empty: m.w.NoSales,
		Row: func(i int) widget.Row {
			row := m.saleRow(s.rows[i], true)
			row.Name = "row:" + strconv.Itoa(i)
			return row
		},
	}
	head, _ := widget.FilterLine(body.W, s.text, utf8.RuneCountInString(s.text), true, m.w.f(m.w.FoundCount, strconv.Itoa(len(s.rows))))
	area := widget.Area{W: body.W, H: max(0, body.H-2)}
	s.offset = list.Scroll(area.H)
	return widget.Stacked(head, widget.Lines(nil), list.Render(area))
}

// saleDetail is everything known of a sale.
func (m *model) saleDetail(s terminal.Sale, body widget.Area) widget.Block {
	w := min(body.W-4, 76)
	names := []string{m.w.Received, m.w.Confirmations, m.w.Change, m.w.Receipts}
	for _, t := range s.Tenders {
		names = append(names, m.w.Tenders[t.Kind])
	}
	labels := column(14, names...)
	pair := func(label, value string) widget.Line {
		return append(widget.Quiet.Line(label).Fit(labels), widget.Text.Say(value))
	}
	var lines []widget.Line
	add := func(l ...widget.Line) { lines = append(lines, l...) }
	add(widget.Line{widget.Strong.Say(m.w.Paper[register.LabelSale] + " " + s.Opening.Number), widget.Quiet.Say("   " + m.w.moment(m.local(s.Opened)))},
		widget.Line{m.stateSpan(s, false)})
	if s.Status != nil {
		add(widget.Wrap(widget.Text, m.w.sentence(s.Status.Reason, s.Status.Message), w)...)
	}
	add(nil)
	for _, l := range s.Opening.Lines {
		row := m.cartRow(0, l)
		amount := widget.Line{row.Cells[2]}
		add(append(widget.Line{row.Cells[0], widget.Text.Say("  "), row.Cells[1]}.Fit(max(0, w-amount.Width()-1)), append(widget.Line{widget.Text.Say(" ")}, amount...)...))
	}
	total := widget.Strong.Line(m.w.moneyIn(s.Opening.Total))
	add(append(widget.Strong.Line(m.w.TotalCapital).Fit(max(0, w-total.Width())), total...), nil)
	for _, t := range s.Tenders {
		amount := m.w.moneyIn(t.Amount)
		if t.Removed {
			amount += " (" + m.w.Removed + ")"
		}
		add(pair(m.w.Tenders[t.Kind], amount))
		if t.Contract != nil {
			add(indent(labels, widget.Wrap(widget.Quiet, t.Contract.TransactionID, w-labels))...)
		}
		if t.Kind != protocol.TenderBitcoin {
			continue
		}
		add(pair("", m.w.bitcoin(t.DueSat)+" BTC"))
		add(indent(labels, widget.Wrap(widget.Quiet, widget.Groups(t.Address, 4), w-labels))...)
	}
	if s.Status != nil && s.Status.DueSat > 0 {
		add(pair(m.w.Received, m.w.bitcoin(s.Status.ReceivedSat)+" BTC"), pair(m.w.Confirmations, strconv.FormatInt(s.Status.Confirmations, 10)))
		for _, id := range s.Status.TxIDs {
			add(indent(labels, widget.Wrap(widget.Quiet, id, w-labels))...)
		}
	}
	if s.Change != nil {
		add(pair(m.w.Change, m.w.moneyIn(*s.Change)))
	}
	add(pair(m.w.Receipts, strconv.FormatInt(s.Copies, 10)))
	return widget.Block{Lines: lines}.Shift(2, 1)
}

func indent(n int, lines []widget.Line) []widget.Line {
	return widget.Block{Lines: lines}.Shift(n, 0).Lines
}

// reprint prints the receipt of the chosen sale as it stands now.
func (m *model) reprint() tea.Cmd {
	s, _ := m.sales.chosen()
	return m.aside(readTime, func(ctx context.Context) tea.Msg {
		sale, err := saleOf(ctx, m.o.Terminal, s)
		if err != nil {
			return failed{"read sale", err}
		}
		change := protocol.Money{Currency: s.Opening.Total.Currency}
		if s.Change != nil {
			change = *s.Change
		}
		return reprinted{sale, change}
	})
}

// reprinted is a sale to print once more.
type reprinted struct {
	sale   register.Sale
	change protocol.Money
}

func (r reprinted) apply(m *model) tea.Cmd {
	return m.queuePaper(m.reg.Receipt(r.sale, m.userName(), r.change), r.sale.Opening.Sale)
}

// recheck goes to the server at once and reads the sales again.
func (m *model) recheck() tea.Cmd {
	m.say(widget.Text, m.w.Rechecking)
	return m.aside(flushTime, func(ctx context.Context) tea.Msg {
		return rechecked{m.o.Terminal.Flush(ctx)}
	})
}

// rechecked tells that the server has been asked.
type rechecked struct{ err error }

func (r rechecked) apply(m *model) tea.Cmd {
	if r.err != nil {
		m.say(widget.Bad, m.w.RecheckFailed)
		return nil
	}
	m.say(widget.Good, m.w.Rechecked)
	return m.sales.refresh(m)
}
