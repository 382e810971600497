package tui

import (
	"context"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"

	"till/device"
	"till/protocol"
	"till/protocol/terminal"
	"till/tui/register"
	"till/tui/widget"
)

// model is the one model of the program. Screens are plain structs in it.
type model struct {
	o       Options
	table   map[screenName][]key
	w       *Words
	theme   *widget.Theme
	term    widget.Terminal
	aloud   *aloud // nil: it is shown
	chosen  settings
	console bool // a Linux console, whose bell has a pitch
	// within bounds what may be given up when the program ends, such as reading;
	// toEnd what must be done then too: writing.
	within func(time.Duration) (context.Context, context.CancelFunc)
	toEnd  func(time.Duration) (context.Context, context.CancelFunc)
	ended  <-chan struct{}

	size  widget.Area
	now   time.Time // wall clock when the last message came
	frame widget.Block
	reg   register.Register
	facts facts

	screen   screenName // chosen; the register's flow shows as register or pay
	from     screenName // where back leads
	qrAlone  bool       // the payment request fills the screen
	address  addressScreen
	key      keyScreen
	swipe    swipes
	sell     sellScreen
	tabs     tabsScreen
	sales    salesScreen
	shift    shiftScreen
	signing  signInScreen
	people   people
	devices  devicesScreen
	alerts   alertsScreen
	help     helpScreen
	settings settingsScreen
	kiosk    *kiosk // nil at a counter
	dialogs  []*dialog
	notice   notice
	lastQuit time.Duration // of the last Ctrl-C, by the hand's clock

	hand    hand
	lane    *lane
	glass   glass
	codes   map[string]device.QRCode // by what they say
	ticking bool
	inputs  uint64
	seen    *atomic.Pointer[Seen]
}

// facts are what the terminal told last.
type facts struct {
	health   terminal.Health
	identity terminal.Identity
	shift    int64 // number of the open shift, 0 none
	opened   protocol.Time
	opener   string // of it, a person's id
	alerts   []terminal.Alert
	recent   []terminal.Sale // the newest, for wide screens
	parked   []terminal.Sale // those that can be taken up again
	tabs     []terminal.Sale // open ones
	money    map[string]bool // transactions that have rung
}

// notice is a line about what was just done or could not be.
type notice struct {
	role widget.Role
	text string
}

func newModel(ctx context.Context, o Options, theme *widget.Theme, seen *atomic.Pointer[Seen]) *model {
	m := &model{
		o: o, table: remapped(keyTable(), o.Keys), w: language(o.Locale), theme: theme,
		within: func(d time.Duration) (context.Context, context.CancelFunc) { return context.WithTimeout(ctx, d) },
		toEnd: func(d time.Duration) (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.WithoutCancel(ctx), d)
		},
		ended:  ctx.Done(),
		people: people{tries: map[string]tries{}},
		reg:    register.New(), screen: onRegister, from: onRegister,
		facts: facts{money: map[string]bool{}}, lane: newLane(), codes: map[string]device.QRCode{}, seen: seen, now: o.Clock(),
	}
	m.publish()
	return m
}

// shown is the screen that is seen.
func (m *model) shown() screenName {
	if m.outOfService() != "" {
		return onOutOfService
	}
	if m.nobody() {
		return onSignIn
	}
	if m.screen == onRegister && m.reg.Phase != register.Ringing {
		return onPay
	}
	return m.screen
}

// goTo changes the screen.
func (m *model) goTo(name screenName) tea.Cmd {
	if name == onHelp || name == onAbout {
		m.help.about, m.help.scroll = m.shown(), 0
	}
	if m.screen != onHelp && m.screen != onAbout && name != m.screen {
		m.from = m.screen
	}
	if name == onRegister || m.from == name {
		m.from = m.home()
	}
	m.screen, m.qrAlone, m.notice = name, false, notice{}
	switch name {
	case onSignIn:
		m.signing.enter()
	case onShift:
		m.shift = shiftScreen{}
	case onSales:
		return m.sales.enter(m)
	case onAlerts:
		m.alerts.enter()
	case onDevices:
		m.devices.enter()
	}
	return nil
}

// say shows a notice on the screen.
func (m *model) say(role widget.Role, text string) { m.notice = notice{role, text} }

// happen hands an event to the register and does what it asks for.
func (m *model) happen(events ...register.Event) tea.Cmd {
	var cmds []tea.Cmd
	for _, e := range events {
		var effects []register.Effect
		before := m.reg.Phase
		m.reg, effects = m.reg.Handle(e)
		if m.reg.Phase != before {
			m.notice, m.qrAlone = notice{}, false
		}
		m.settleHome(before)
		if why := m.reg.Note.Why; why != "" {
			m.noteFailure()
			m.say(widget.Warn, m.w.why(m.reg.Note))
		}
		for _, f := range effects {
			cmds = append(cmds, m.perform(f))
		}
		cmds = append(cmds, m.onlyWay(before))
	}
	return tea.Batch(cmds...)
}

// may is why an event of the register can do nothing now, as a sentence.
func (m *model) may(e register.Event) string {
	why := m.reg.WhyNot(e)
	if why == "" {
		return ""
	}
	if why == register.WhyNoQuote {
		return m.noPrice()
	}
	return m.w.why(register.Said{Why: why})
}

// noPrice says why bitcoin cannot be taken.
func (m *model) noPrice() string {
	switch h := m.facts.health; {
	case h.NoQuote != nil && h.NoQuote.Message != "":
		return m.w.sentence(h.NoQuote.Reason, h.NoQuote.Message)
	case !h.Online && h.OfflineSince != 0:
		return m.w.f(m.w.NoPriceOffline, m.w.clock(m.local(h.OfflineSince)))
	}
	return m.w.why(register.Said{Why: register.WhyNoQuote})
}

// local is a moment in the shop's zone.
func (m *model) local(t protocol.Time) time.Time { return t.Time().In(m.o.Zone) }

// when says a moment in a list: the time, or the date of another day.
func (m *model) when(t protocol.Time) string {
	at := m.local(t)
	if sameDay(at, m.now.In(m.o.Zone)) {
		return m.w.clock(at)
	}
	return at.Format(m.w.ShortDate)
}

// userName is who is at the counter.
func (m *model) userName() string { return m.reg.User.Name }

// terminalName is what the machine is called.
func (m *model) terminalName() string { return m.facts.identity.Name }
