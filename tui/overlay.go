package tui

import (
	"context"
	"time"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"

	"till/protocol"
	"till/protocol/terminal"
	"till/tui/register"
	"till/tui/widget"
)

// A dialog that opens by itself takes no key until the hand was still for
// stillFor, at most for stillMost (product.md §3).
const (
	stillFor  = 300 * time.Millisecond
	stillMost = 2 * time.Second
)

// dialog is a question or a message over the screen. It takes every key.
type dialog struct {
	name   string
	role   widget.Role
	title  string
	text   string
	keys   []key
	itself bool          // opened by itself
	calm   bool          // it waits for a calm hand, see askCalm
	opened time.Duration // by the hand's clock
	alert  int64         // the alert it tells, 0 none
	field  *field        // typed into, nil none
	list   *choice       // chosen from, nil none
	pad    bool          // with a picture of the digits, for a finger
}

// field is a line of text being typed. What is masked is shown as dots, kept in
// bytes and wiped. An amount is typed as on the register.
type field struct {
	text   string
	masked bool
	hidden []byte
	amount *amountField
}

// amountField is an amount of a currency.
type amountField struct {
	entry    register.Entry
	currency protocol.Currency
	say      func(protocol.Money) string
}

func (a *amountField) money() protocol.Money { return a.entry.Money(a.currency) }

const maxField = 200 // characters

func (f *field) add(text string) {
	switch {
	case f.amount != nil && (text == "." || text == ","):
		f.amount.entry = f.amount.entry.Pointed()
	case f.amount != nil:
		f.amount.entry = f.amount.entry.Typed(text, f.amount.currency.Exponent())
	case !f.masked && utf8.RuneCountInString(f.text)+utf8.RuneCountInString(text) <= maxField:
		f.text += text
	case f.masked && len(f.hidden)+len(text) <= maxField:
		if f.hidden == nil {
			f.hidden = make([]byte, 0, maxField) // one place, so that nothing is left behind in another
		}
		f.hidden = append(f.hidden, text...)
	}
}

func (f *field) erase() {
	if f.amount != nil {
		f.amount.entry = f.amount.entry.Erased()
		return
	}
	if f.masked {
		_, n := utf8.DecodeLastRune(f.hidden)
		clear(f.hidden[len(f.hidden)-n:])
		f.hidden = f.hidden[:len(f.hidden)-n]
		return
	}
	_, n := utf8.DecodeLastRuneInString(f.text)
	f.text = f.text[:len(f.text)-n]
}

// secret takes the masked text out of the field.
func (f *field) secret() protocol.Secret {
	s := protocol.NewSecret(string(f.hidden))
	clear(f.hidden)
	f.hidden = f.hidden[:0]
	return s
}

// input is the picture of the field.
func (f *field) input() widget.Input {
	if f.amount != nil {
		text := f.amount.say(f.amount.money())
		return widget.Input{Text: text, Cursor: utf8.RuneCountInString(text), Focus: true}
	}
	if f.masked {
		return widget.Input{Secret: true, Masked: utf8.RuneCount(f.hidden), Focus: true}
	}
	return widget.Input{Text: f.text, Cursor: utf8.RuneCountInString(f.text), Focus: true}
}

// choice is a list of which one is chosen.
type choice struct {
	rows   []widget.Row
	cols   []widget.Column
	at     int
	offset int
}

// dialog is the one on top, nil none.
func (m *model) dialog() *dialog {
	if len(m.dialogs) == 0 {
		return nil
	}
	return m.dialogs[len(m.dialogs)-1]
}

// open puts a dialog on top; one that opens by itself waits behind others of its
// kind, so that nothing is read away.
func (m *model) open(d *dialog) {
	d.opened = m.o.Hand()
	if d.itself {
		i := len(m.dialogs)
		for i > 0 && m.dialogs[i-1].itself {
			i--
		}
		m.dialogs = append(m.dialogs[:i], append([]*dialog{d}, m.dialogs[i:]...)...)
		return
	}
	m.dialogs = append(m.dialogs, d)
}

// close takes the one on top away. The next one begins to be read now.
func (m *model) close() {
	if n := len(m.dialogs); n > 0 {
		if f := m.dialogs[n-1].field; f != nil {
			clear(f.hidden)
		}
		m.dialogs = m.dialogs[:n-1]
	}
	if d := m.dialog(); d != nil {
		d.opened = m.o.Hand()
	}
}

// swallows tells whether the dialog on top takes no key yet.
func (m *model) swallows(now, lastKey time.Duration) bool {
	d := m.dialog()
	return d != nil && d.itself && now-d.opened < stillMost && now-max(lastKey, d.opened) < stillFor
}

// ask opens a question with y and esc.
func (m *model) ask(name, title, text string, role widget.Role, do func(*model) tea.Cmd) tea.Cmd {
	m.open(&dialog{
		name: name, title: title, text: text, role: role, keys: []key{yes("y", do), no()},
	})
	return nil
}

// interrupt shows an alert about money over whatever is on the screen.
func (m *model) interrupt(a terminal.Alert) {
	if !urgentMoney(a.Alert) || m.kiosk != nil { // of a kiosk they wait for the staff
		return
	}
	for _, d := range m.dialogs {
		if d.alert == a.ID {
			return
		}
	}
	title, text := m.alertWords(a)
	m.open(&dialog{
		name: "alert", role: widget.Bad, title: title, text: text, itself: true, alert: a.ID,
		keys: []key{{action: ActAcknowledge, keys: []string{"enter"}, do: func(m *model) tea.Cmd {
			m.close()
			return m.acknowledge(a.ID)
		}}},
	})
}

// tellTampered says that the case was opened and what that has cost.
func (m *model) tellTampered() {
	if m.kiosk != nil {
		return // it is out of service
	}
	m.open(&dialog{
		name: "tamper", role: widget.Bad, title: m.w.TamperTitle, text: m.w.f(m.w.TamperText, m.facts.health.Tampered), itself: true,
		keys: []key{{action: ActAcknowledge, keys: []string{"enter"}, do: func(m *model) tea.Cmd {
			m.close()
			return nil
		}}},
	})
}

// urgentMoney reports whether an alert is about money and does not wait.
func urgentMoney(a protocol.Alert) bool {
	switch a.Kind {
	case protocol.AlertSale, protocol.AlertIncoming, protocol.AlertDeposit, protocol.AlertTab, protocol.AlertPayout:
		return true
	}
	return false
}

// askQuit leaves the program. An open sale is asked about; it is parked.
func (m *model) askQuit() tea.Cmd {
	if m.dialog() != nil && m.dialog().name == "quit" {
		return nil
	}
	text := m.w.QuitText
	if m.reg.Sale != nil {
		text = m.w.QuitSaleText
	}
	return m.ask("quit", m.w.QuitTitle, text, widget.Strong, (*model).leave)
}

// leave parks an open sale and ends the program.
func (m *model) leave() tea.Cmd {
	if m.aloud != nil {
		m.aloud.left = true
	}
	if s := m.reg.Sale; s != nil && s.Ended == "" {
		parked := protocol.SaleEnded{Sale: s.Opening.Sale, Reason: "quit"}
		return tea.Sequence(m.queue(writeTime, func(ctx context.Context) tea.Msg {
			_, err := m.o.Terminal.Commit(ctx, terminal.Record(protocol.EntrySaleParked, parked))
			return failed{"park sale", err}
		}), tea.Quit)
	}
	return tea.Quit
}

// askCancel gives the sale up after a question: its lines go back to the cart.
func (m *model) askCancel() tea.Cmd {
	s := m.reg.Sale
	if s == nil {
		return m.happen(register.Cancel{Keep: true})
	}
	text := m.w.CancelText
	if s.Status != nil && s.Status.ReceivedSat > 0 {
		text = m.w.f(m.w.CancelOwedText, m.w.bitcoin(s.Status.ReceivedSat))
	}
	if cash := s.Cash(); cash > 0 {
		text = m.w.f(m.w.Staff.GiveBack, m.w.moneyIn(protocol.Money{Currency: m.reg.Currency(), Minor: cash})) + "\n" + text
	}
	give := func(m *model) tea.Cmd { return m.happen(register.Cancel{Reason: "cashier", Keep: true}) }
	if m.kiosk != nil {
		return m.askCalm("cancel", m.w.KioskGiveUpTitle, m.w.KioskGiveUpText, give)
	}
	return m.ask("cancel", m.w.f(m.w.CancelTitle, s.Opening.Number), text, widget.Warn, give)
}
