package tui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"till/tui/register"
	"till/tui/widget"
)

// Action names something a key does; the names are those of stories.md.
type Action string

// The actions.
const (
	ActHelp        Action = "help"
	ActAbout       Action = "about"
	ActBack        Action = "back"
	ActQuit        Action = "quit"
	ActRegister    Action = "register"
	ActSales       Action = "sales"
	ActSell        Action = "sell"
	ActKey         Action = "key"
	ActShift       Action = "shift"
	ActDevices     Action = "devices"
	ActAlerts      Action = "alerts"
	ActSettings    Action = "settings"
	ActAddress     Action = "address"
	ActPay         Action = "pay"
	ActNext        Action = "next"
	ActAdd         Action = "add"
	ActClear       Action = "clear"
	ActUndo        Action = "undo"
	ActPark        Action = "park"
	ActRecall      Action = "recall"
	ActQuantity    Action = "quantity"
	ActPrice       Action = "price"
	ActDiscount    Action = "discount"
	ActDeduct      Action = "deduct"
	ActTip         Action = "tip"
	ActNote        Action = "note"
	ActQR          Action = "qr"
	ActPrint       Action = "print"
	ActReprint     Action = "reprint"
	ActRecheck     Action = "recheck"
	ActRefund      Action = "refund"
	ActReplay      Action = "replay"
	ActApprove     Action = "approve"
	ActUnit        Action = "unit"
	ActRate        Action = "rate"
	ActToCard      Action = "sell.card"
	ActCancel      Action = "cancel"
	ActConfirm     Action = "confirm"
	ActAcknowledge Action = "acknowledge"
	ActCustomer    Action = "customer"
	ActUser        Action = "user"
	ActSignOut     Action = "sign-out"
	ActShiftOpen   Action = "shift.open"
	ActPayIn       Action = "shift.pay-in"
	ActDrop        Action = "shift.drop"
	ActNoSale      Action = "shift.no-sale"
	ActReading     Action = "shift.x"
	ActShiftClose  Action = "shift.close"
	ActTest        Action = "test"
	ActReopen      Action = "reopen"
	ActBitcoin     Action = "tender.bitcoin"
	ActEcash       Action = "tender.ecash"
	ActCash        Action = "tender.cash"
	ActTenderKey   Action = "tender.key"
	ActCard        Action = "tender.card"
	ActLightning   Action = "tender.lightning"
	ActTabs        Action = "tab"
	ActCharge      Action = "tab.charge"
	ActCloseTab    Action = "tab.close"
	ActAmount      Action = "amount"
	ActLanguage    Action = "language"
	ActRestart     Action = "restart"
)

// key is a row of the key table. It is data: what to press, what it is called
// (words by its action), what it does, and why it does nothing now.
type key struct {
	action Action
	keys   []string
	do     func(*model) tea.Cmd
	// whyNot is the reason, a sentence; nil or "" it can be done.
	whyNot func(*model) string
	// offered tells whether it belongs on the screen now; nil always.
	offered func(*model) bool
	// right is what only some people may do; others are asked for somebody who may.
	right register.Right
	// quiet keeps it from the bottom line while it cannot be done.
	quiet bool
	// label is its short name where that of the action says too little; nil it
	// does not.
	label func(*model) string
}

// labelOf is a key's short name.
func (m *model) labelOf(k *key) string {
	if k.label != nil {
		return k.label(m)
	}
	return m.w.label(k.action)
}

// why is the reason why the key does nothing, "" it does.
func (k *key) why(m *model) string {
	if why := k.hindrance(m); why != "" || k.right == "" || m.reg.May(k.right) {
		return why
	}
	return m.w.Why[k.right.Why()]
}

// hindrance is the reason beside the right.
func (k *key) hindrance(m *model) string {
	if k.whyNot == nil {
		return ""
	}
	if k.right != "" && !m.reg.May(k.right) {
		m.reg.Grant = k.right
		defer func() { m.reg.Grant = "" }()
	}
	return k.whyNot(m)
}

// screenName is a name of a screen in stories.md.
type screenName string

// The screens there are.
const (
	onRegister screenName = "register"
	onPay      screenName = "pay"
	onSignIn   screenName = "sign-in"
	onShift    screenName = "shift"
	onAddress  screenName = "address"
	onKey      screenName = "key"
	onSell     screenName = "sell"
	onTabs     screenName = "tabs"
	onSales    screenName = "sales"
	onDevices  screenName = "devices"
	onAlerts   screenName = "alerts"
	onSettings screenName = "settings"
	onHelp     screenName = "help"
	onAbout    screenName = "about"
	onAttract  screenName = "attract"
	onGoods    screenName = "kiosk" // the register of a kiosk, in the key table
	onService  screenName = "service"
	onTooSmall screenName = "too-small"
	onDialog   screenName = "dialog"
	everywhere screenName = "everywhere"

	onOutOfService screenName = "out-of-service"
)

// screenNames in the order of the help page.
func screenNames() []screenName {
	return []screenName{onSignIn, onRegister, onPay, onKey, onSell, onAddress, onTabs, onSales, onShift, onDevices, onAlerts, onSettings, onHelp, onAbout, onAttract, onGoods, onOutOfService, onService, onDialog, everywhere}
}

// keyTable is all keys of all screens.
func keyTable() map[screenName][]key {
	return map[screenName][]key{
		onRegister: registerKeys(),
		onPay:      payKeys(),
		onKey:      keyKeys(),
		onSell:     sellKeys(),
		onAddress:  addressKeys(),
		onTabs:     tabsKeys(),
		onSales:    salesKeys(),
		onShift:    shiftKeys(),
		onSignIn:   signInKeys(),
		onDevices:  devicesKeys(),
		onAlerts:   alertsKeys(),
		onSettings: settingsKeys(),
		onHelp:     helpKeys(),
		onAbout:    {back()},
		onAttract:  attractKeys(),
		onGoods:    goodsKeys(),
		onService:  serviceKeys(),
		onDialog:   {yes("y", nil), no()},
		everywhere: globalKeys(),

		onOutOfService: outOfServiceKeys(),
	}
}

// globalKeys work on every screen.
func globalKeys() []key {
	return []key{
		{action: ActCustomer, keys: []string{"f9"}, do: (*model).customerPays, whyNot: (*model).whyNoCustomer,
			offered: func(m *model) bool { return m.o.Customer != nil }, quiet: true},
		{action: ActRegister, keys: []string{"f2"}, do: func(m *model) tea.Cmd { return m.goTo(onRegister) },
			offered: func(m *model) bool { return m.screen != onRegister }},
		{action: ActSales, keys: []string{"f3"}, do: func(m *model) tea.Cmd { return m.goTo(onSales) },
			offered: func(m *model) bool { return m.screen != onSales }},
		{action: ActAlerts, keys: []string{"f8"}, do: func(m *model) tea.Cmd { return m.goTo(onAlerts) },
			offered: func(m *model) bool { return m.screen != onAlerts }},
		{action: ActAddress, keys: []string{"ctrl+a"}, do: (*model).freshAddress, whyNot: (*model).whyNoFreshAddress},
		{action: ActDevices, keys: []string{"f7"}, do: func(m *model) tea.Cmd { return m.goTo(onDevices) },
			offered: func(m *model) bool { return m.screen != onDevices }},
		{action: ActHelp, keys: []string{"f1", "?"}, do: func(m *model) tea.Cmd { return m.goTo(onHelp) },
			offered: func(m *model) bool { return m.screen != onHelp }},
		{action: ActSell, keys: []string{"f4"}, do: (*model).toSell, whyNot: (*model).whyNoSellScreen, quiet: true,
			offered: func(m *model) bool { return m.screen != onSell }},
		{action: ActKey, keys: []string{"f5"}, do: (*model).toKey, whyNot: (*model).whyNoKeyScreen, quiet: true,
			offered: func(m *model) bool { return m.screen != onKey }},
		{action: ActShift, keys: []string{"f6"}, do: func(m *model) tea.Cmd { return m.goTo(onShift) },
			offered: func(m *model) bool { return m.screen != onShift }},
		{action: ActSettings, keys: []string{"f11"}, do: func(m *model) tea.Cmd { return m.goTo(onSettings) },
			offered: func(m *model) bool { return m.screen != onSettings }},
		{action: ActUser, keys: []string{"ctrl+u"}, do: (*model).switchUser, whyNot: (*model).whyNoPeople, quiet: true},
		{action: ActSignOut, keys: []string{"f12"}, do: (*model).signOut, whyNot: (*model).whyNoPeople, quiet: true},
		{action: ActAbout, keys: []string{"ctrl+b"}, do: func(m *model) tea.Cmd { return m.goTo(onAbout) },
			offered: func(m *model) bool { return m.screen == onHelp }},
		{action: ActQuit, keys: []string{"f10"}, do: (*model).askQuit},
	}
}

// back is Esc on a screen that is one step from the register.
func back() key {
	return key{action: ActBack, keys: []string{"esc"}, do: func(m *model) tea.Cmd { return m.goTo(m.from) }}
}

// yes and no are the answers to a dialog; either closes it.
func yes(stroke string, do func(*model) tea.Cmd) key {
	return key{action: ActConfirm, keys: []string{stroke}, do: func(m *model) tea.Cmd {
		m.close()
		return do(m)
	}}
}

func no() key {
	return key{action: ActBack, keys: []string{"esc"}, do: func(m *model) tea.Cmd {
		m.close()
		return nil
	}}
}

// live are the keys that belong to what is on the screen now, most important
// first: of the dialog on top, else of the screen and of everywhere.
func (m *model) live() []*key {
	var out []*key
	add := func(rows []key) {
		for i := range rows {
			if rows[i].offered == nil || rows[i].offered(m) {
				out = append(out, &rows[i])
			}
		}
	}
	if d := m.dialog(); d != nil {
		add(d.keys)
		return out
	}
	add(m.table[m.shown()])
	if m.shown() != onSignIn {
		add(m.table[everywhere])
	}
	return out
}

// bound is the live key for a key stroke.
func (m *model) bound(stroke string) *key {
	for _, k := range m.live() {
		if slices.Contains(k.keys, stroke) {
			return k
		}
	}
	return nil
}

// bottom is the keys of the bottom line.
func (m *model) bottom() []widget.Key {
	var out []widget.Key
	for _, k := range m.live() {
		off := k.why(m) != ""
		if off && k.quiet {
			continue
		}
		out = append(out, widget.Key{Key: keyName(k.keys[0]), Label: m.labelOf(k), Off: off, Name: "do:" + string(k.action)})
	}
	return out
}

// keyName is how a key is written on the screen: F1, ctrl+p, +.
func keyName(stroke string) string {
	if len(stroke) > 1 && stroke[0] == 'f' && stroke[1] >= '0' && stroke[1] <= '9' {
		return strings.ToUpper(stroke)
	}
	return stroke
}

// KeyRow is a row of the key table as others read it.
type KeyRow struct {
	Action Action   `json:"action"`
	Screen string   `json:"screen"`
	Keys   []string `json:"keys"`
	Words  string   `json:"words"`
}

// KeyTable is every key of every screen, with its words in the language of a
// locale: `till help keys --json`.
func KeyTable(locale string) []KeyRow { return MappedKeys(locale, nil) }

// MappedKeys is the table with the owner's keys in place of ours.
func MappedKeys(locale string, keys map[Action][]string) []KeyRow {
	w, table := language(locale), remapped(keyTable(), keys)
	var out []KeyRow
	for _, name := range screenNames() {
		for _, k := range table[name] {
			out = append(out, KeyRow{k.action, string(name), slices.Clone(k.keys), w.Keys[k.action].Help})
		}
	}
	return out
}

// KeyMarkdown is the key table of the README.
func KeyMarkdown(locale string) string {
	var b strings.Builder
	b.WriteString("| screen | keys | what | action |\n|---|---|---|---|\n")
	for _, r := range KeyTable(locale) {
		names := make([]string, len(r.Keys))
		for i, k := range r.Keys {
			names[i] = "`" + strings.ReplaceAll(keyName(k), "|", "\\|") + "`"
		}
		b.WriteString("| " + r.Screen + " | " + strings.Join(names, " ") + " | " + r.Words + " | `" + string(r.Action) + "` |\n")
	}
	return b.String()
}
