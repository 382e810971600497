package tui

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	tea "charm.land/bubbletea/v2"

	"till/protocol"
	"till/protocol/terminal"
	"till/tui/register"
	"till/tui/widget"
)

// Kiosk makes the program one that nobody attends: it begins with the attract
// screen, comes back to it by itself, and offers no way out but the service menu.
type Kiosk struct {
	// Idle is the pause without a hand after which it begins again.
	Idle time.Duration
	// PIN opens the service menu; empty: there is none.
	PIN protocol.Secret
	// Offline is how long new sales go on without the server.
	Offline time.Duration
	// Needs are devices without which it is out of service, where there are any.
	Needs []string
	// Redeem takes coins, paper wallets and cards.
	Redeem bool
}

// ErrRestart is returned by [App.Run] when the service menu asked for a restart.
var ErrRestart = errors.New("restart was asked for")

// Pauses of a kiosk.
const (
	paidTime  = 15 * time.Second // PAID stays, at most
	stillTime = 10 * time.Second // is warned of before it begins again
	// waitsFor times the pause a payment is waited for: the hand is on a phone.
	waitsFor = 3
	// calmFor is how long a hand is still before it may give a sale up.
	calmFor = 700 * time.Millisecond
	// mendEvery is how often a write that failed is tried again.
	mendEvery = 10 * time.Second
)

// kiosk is the state of a kiosk; nil at a counter.
type kiosk struct {
	Kiosk
	calm     bool          // no key came for a while; see askCalm
	touched  time.Duration // the last sign of a customer, by the hand's clock …
	since    time.Time     // … and by the wall's
	language string        // that the customer chose, "" the shop's
	picked   int           // the chosen item of the catalogue, -1 none
	page     int           // of the catalogue
	fits     int           // items on a page, when it was last drawn
	columns  int
	amount   bool         // the keypad is shown although there are goods
	broken   register.Why // why the last write failed, "" it did not
	mended   time.Time    // when it was last tried again
	again    bool         // restart, not leave
	service  serviceScreen
}

// kioskKeys are the actions that a kiosk offers, by screen, beside goodsKeys. What is not here does
// not exist: that is why no key leaves it.
var kioskKeys = map[screenName][]Action{
	onAttract:      {ActNext, ActRegister, ActLanguage, ActSettings},
	onOutOfService: {ActSettings},
	onService:      {ActNext, ActDevices, ActAlerts, ActSales, ActAbout, ActRestart, ActQuit, ActBack},
	onRegister:     {ActNext, ActPay, ActAdd, ActQuantity, ActClear, ActUndo},
	onPay:          {ActAcknowledge, ActNext, ActBitcoin, ActEcash, ActTenderKey, ActLightning, ActBack, ActCancel, ActQR},
	onKey:          {ActAcknowledge, ActNext, ActClear, ActRecheck, ActBack},
	onSales:        {ActNext, ActReprint, ActRecheck, ActBack},
	onDevices:      {ActTest, ActReopen, ActBack},
	onAlerts:       {ActAcknowledge, ActBack},
	onHelp:         {ActBack},
	onAbout:        {ActBack},
	everywhere:     {ActCustomer, ActHelp},
}

// kioskTable keeps of the keys what a kiosk offers.
func kioskTable(table map[screenName][]key) map[screenName][]key {
	out := map[screenName][]key{}
	for name, rows := range table {
		for _, k := range rows {
			if slices.Contains(kioskKeys[name], k.action) {
				out[name] = append(out[name], k)
			}
		}
	}
	out[onRegister] = append(slices.Clone(table[onGoods]), out[onRegister]...)
	return out
}

func (m *model) becomeKiosk(k Kiosk) {
	m.kiosk = &kiosk{Kiosk: k, touched: m.o.Hand(), since: m.now, picked: -1}
	m.table, m.screen, m.from = kioskTable(m.table), onAttract, onAttract
	m.o.User, m.reg.User = "", protocol.User{} // nobody is signed in
}

// home is where one ends up at last: the register, at a kiosk the attract screen.
func (m *model) home() screenName {
	if m.kiosk != nil {
		return onAttract
	}
	return onRegister
}

// touch notes a sign of a customer.
func (m *model) touch() {
	if k := m.kiosk; k != nil {
		now := m.o.Hand()
		k.calm = now-k.touched >= calmFor
		k.touched, k.since = now, m.now
	}
}

// settleDown looks whether the hand has come to rest, after a message.
func (m *model) settleDown(msg tea.Msg) {
	k := m.kiosk
	if k == nil || len(m.hand.held) > 0 {
		return // a key that is held acts later, by what was when it was pressed
	}
	switch msg.(type) {
	case tea.KeyPressMsg, tea.PasteMsg, tea.MouseClickMsg:
		k.calm = false
	default:
		k.calm = m.o.Hand()-k.touched >= calmFor
	}
}

// askCalm asks what a sale would be lost by: y counts only from a hand that was
// still before. Whatever a child or a cat plays on the keyboard, the code on the
// screen stays until it is paid.
func (m *model) askCalm(name, title, text string, do func(*model) tea.Cmd) tea.Cmd {
	m.open(&dialog{name: name, calm: true, role: widget.Warn, title: title, text: text, keys: []key{
		{action: ActConfirm, keys: []string{"y"}, do: closing(do), whyNot: func(m *model) string {
			if m.kiosk.calm {
				return ""
			}
			return m.w.KioskCalm
		}},
		no(),
	}})
	return ripenAt(m.o.After(calmFor))
}

// codeStays: at a kiosk a code that waits for its payment is left only by
// askOtherWay.
func (m *model) codeStays() bool {
	return m.kiosk != nil && m.reg.Phase == register.Waiting
}

func (m *model) askOtherWay() tea.Cmd {
	return m.askCalm("other-way", m.w.KioskOtherTitle, m.w.KioskOtherText, func(m *model) tea.Cmd { return m.happen(register.Back{}) })
}

// serving tells whether the service menu is open.
func (m *model) serving() bool {
	return m.kiosk != nil && m.kiosk.service.open
}

// patience is how long the present state waits for a hand before it goes on by
// itself; waits is false where it waits for something else, or for nothing.
func (m *model) patience() (d time.Duration, waits bool) {
	k := m.kiosk
	switch shown := m.shown(); {
	case shown == onAttract && m.dialog() == nil, shown == onOutOfService && m.dialog() == nil,
		m.key.flow.Busy(), m.sell.flow.Busy(), m.reg.Phase == register.Asking:
		return 0, false
	case m.screen == onKey && m.key.flow.Phase == register.KeyDone:
		return min(k.Idle, paidTime), true
	case m.screen != onRegister:
		return k.Idle, true
	case m.reg.Phase == register.Settled && m.reg.Outcome.Paid:
		return min(k.Idle, paidTime), true
	case m.reg.Phase == register.Waiting:
		return waitsFor * k.Idle, !m.mayArrive()
	}
	return k.Idle, true
}

// mayArrive: money is on its way, or nobody can know: the sale is not given up
// before its window ends.
func (m *model) mayArrive() bool {
	t, pending := m.reg.Sale.Pending()
	if !pending || m.reg.Sale.Has(protocol.FlagLate) {
		return false
	}
	if t.Kind == protocol.TenderKey || t.AtMint() {
		return true
	}
	rest, _ := m.left(t)
	h := m.facts.health
	return m.reg.Sale.Received(t.Tender) > 0 || !h.Online && h.OfflineSince != 0 && rest > 0
}

// rests is what is left of the present state's patience.
func (m *model) rests() (left time.Duration, waits bool) {
	d, waits := m.patience()
	if !waits {
		return 0, false
	}
	k := m.kiosk
	return d - max(m.o.Hand()-k.touched, m.now.Sub(k.since)), true
}

// idle goes on by itself when nobody is there any more, and tries again what
// failed. It is called with the time.
func (m *model) idle() tea.Cmd {
	k := m.kiosk
	if k == nil {
		return nil
	}
	cmd := m.mend()
	left, waits := m.rests()
	switch {
	case !waits:
	case left <= 0:
		return tea.Batch(cmd, m.beginAgain())
	case left <= stillTime && m.warns():
		m.say(widget.Warn, m.w.f(m.w.KioskStill, strconv.Itoa(int((left+time.Second-1)/time.Second))))
	}
	return cmd
}

// warns: something would be lost.
func (m *model) warns() bool {
	return m.shown() != onAttract && !(m.screen == onRegister && m.reg.Phase == register.Settled)
}

// beginAgain gives up what nobody goes on with and shows the attract screen.
func (m *model) beginAgain() tea.Cmd {
	k := m.kiosk
	for m.dialog() != nil {
		m.close()
	}
	m.key.typed.masked = true
	m.key.typed.secret().Wipe()
	if !m.key.flow.Busy() {
		m.key.flow.Wipe()
		m.key.flow = m.reg.Redemption()
	}
	var cmds []tea.Cmd
	if s := m.reg.Sale; s != nil && s.Status != nil && s.Status.ReceivedSat > 0 && s.Ended == "" {
		// The customer has paid something: on paper stands what and for which sale.
		cmds = append(cmds, m.queuePaper(m.reg.Receipt(*s, "", protocol.Money{Currency: m.reg.Currency()}), s.Opening.Sale))
	}
	if m.reg.Phase == register.Settled {
		cmds = append(cmds, m.happen(register.Next{}))
	}
	if m.reg.Phase == register.Ringing {
		m.reg.Text, m.reg.Found = "", nil
		if m.reg.WhyNot(register.Clear{}) == "" {
			cmds = append(cmds, m.happen(register.Clear{}))
		}
		m.reg.Cleared, m.reg.Note = nil, register.Said{}
	} else {
		cmds = append(cmds, m.happen(register.Cancel{Reason: register.ReasonLeft}))
	}
	k.service.open, k.language, k.picked, k.page, k.amount = false, "", -1, 0, false
	m.speak(m.reg.Config.Locale)
	m.screen, m.from, m.qrAlone, m.notice = onAttract, onAttract, false, notice{}
	m.touch()
	return tea.Batch(cmds...)
}

// customers is the language that the customer chose, "" none.
func (m *model) customers() string {
	if m.kiosk == nil {
		return ""
	}
	return m.kiosk.language
}

// mend tries whether the journal can be written again.
func (m *model) mend() tea.Cmd {
	k := m.kiosk
	if k.broken == "" || m.reg.Phase != register.Ringing || m.now.Sub(k.mended) < mendEvery && !m.now.Before(k.mended) {
		return nil
	}
	k.mended = m.now
	step := draft(m.reg.Cart)
	return m.queue(writeTime, func(ctx context.Context) tea.Msg {
		_, err := m.o.Terminal.Commit(ctx, step)
		return mended{err}
	})
}

// mended tells whether it could.
type mended struct{ err error }

func (r mended) apply(m *model) tea.Cmd {
	m.kiosk.broken = ""
	if r.err != nil {
		m.kiosk.broken = whyOf(r.err)
		m.o.Log.Error("write journal", "error", r.err)
	}
	return nil
}

// noteFailure keeps that the journal could not be written: a kiosk takes no more
// sales until it can.
func (m *model) noteFailure() {
	switch why := m.reg.Note.Why; {
	case m.kiosk == nil:
	case why == register.WhyDiskFull, why == register.WhyNotWritten:
		m.kiosk.broken, m.kiosk.mended = why, m.now
	}
}

// settleHome shows the attract screen when a sale is over: its result was
// acknowledged, or it was given up with its lines.
func (m *model) settleHome(before register.Phase) {
	if m.kiosk != nil && before != register.Settled && m.reg.Phase == register.Settled && !m.serving() {
		for m.dialog() != nil {
			m.close()
		}
		m.screen, m.from = onRegister, onAttract // the result is seen, whatever was looked at
		m.touch()
	}
	if m.kiosk == nil || before == register.Ringing || m.reg.Phase != register.Ringing || !m.reg.Cart.Empty() || m.screen != onRegister {
		return
	}
	m.kiosk.picked, m.kiosk.page, m.kiosk.amount = -1, 0, false
	m.screen, m.from = onAttract, onAttract
	m.kiosk.language = ""
	m.speak(m.reg.Config.Locale)
}

// journalService notes what was done at the service menu.
func (m *model) journalService(what string) tea.Cmd {
	body := protocol.PersonDid{User: "service", What: what}
	return m.queue(writeTime, func(ctx context.Context) tea.Msg {
		_, err := m.o.Terminal.Commit(ctx, terminal.Record(protocol.EntrySettings, body))
		return failed{"journal service", err}
	})
}
