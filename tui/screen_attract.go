package tui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"till/protocol"
	"till/tui/register"
	"till/tui/widget"
)

// attractKeys are those of the screen in front of which nobody stands.
func attractKeys() []key {
	return []key{
		{action: ActNext, keys: []string{"enter", "space"}, do: (*model).begin, label: func(m *model) string { return m.w.KioskStart }},
		{action: ActLanguage, keys: []string{"right"}, do: func(m *model) tea.Cmd { return m.turnLanguage(1) }},
		{action: ActLanguage, keys: []string{"left"}, do: func(m *model) tea.Cmd { return m.turnLanguage(-1) }, quiet: true},
		{action: ActRegister, keys: []string{"f2"}, do: (*model).begin, quiet: true},
		serviceKey(),
	}
}

// begin shows a customer what there is to buy.
func (m *model) begin() tea.Cmd { return m.goTo(onRegister) }

// attracted takes a key that is no action: a digit is the first of an amount, a
// letter the first of a name.
func (m *model) attracted(k tea.KeyPressMsg) tea.Cmd {
	if k.Text == "" {
		return nil
	}
	return tea.Batch(m.begin(), m.rung(k))
}

// turnLanguage chooses the next language, or the one before.
func (m *model) turnLanguage(by int) tea.Cmd {
	at := slices.IndexFunc(languages, func(w *Words) bool { return w.Language == m.w.Language })
	m.chooseLanguage(languages[(at+by+len(languages))%len(languages)].Language)
	return nil
}

func (m *model) chooseLanguage(code string) {
	m.kiosk.language = code
	m.speak(m.reg.Config.Locale)
}

// attractView is the shop's name as large as it gets, how to begin, what is
// taken, and the languages.
func (m *model) attractView(f *widget.Frame, a widget.Area) widget.Block {
	body := f.Body(a)
	name := m.reg.Config.Shop.Name
	if name == "" {
		name = "Till"
	}
	room := widget.Area{W: body.W - 6, H: max(3, body.H-12)}
	if body.H > 40 {
		room.H = body.H / 3
	}
	big := widget.Big(m.theme, room, widget.Strong, name)
	width := min(body.W-4, 48)
	height := 3
	if body.H > 30 {
		height = 5
	}
	start := widget.ButtonRow(m.theme, widget.Area{W: width, H: height}, widget.Button{Label: m.w.KioskStart, Name: "do:" + string(ActNext), Lead: true})
	return widget.Stack(body,
		grow(),
		placed(big),
		grow(),
		placed(start),
		widget.Gap(2, 1),
		widget.Fixed(1, widget.Lines(widget.Quiet.Line(m.w.KioskTouch).Align(body.W, widget.Center))),
		grow(),
		widget.Fixed(2, widget.Lines(widget.Text.Line(strings.Join(m.taken(), "  ·  ")).Align(body.W, widget.Center))),
		widget.Gap(3, 1),
		placed(m.languageRow(body.W)),
		widget.Gap(3, 1))
}

// taken are the ways to pay that are open now.
func (m *model) taken() []string {
	var names []string
	for _, kind := range m.kinds() {
		if m.whyNotKind(kind) == "" {
			names = append(names, m.w.Tenders[kind])
		}
	}
	return names
}

// languageRow is the languages by their own names, for a finger.
func (m *model) languageRow(w int) widget.Block {
	var line widget.Line
	var hits []widget.Hit
	x := 0
	for _, l := range languages {
		role := widget.Text
		if l.Language == m.w.Language {
			role = widget.Selection
		}
		word := role.Line("  " + l.Own + "  ")
		if n := word.Width(); x+n > w {
			break
		}
		hits = append(hits, widget.Hit{Name: "language:" + l.Language, X: x, Y: 0, W: word.Width(), H: 1})
		line = append(line, word...)
		x += word.Width()
	}
	return widget.Block{Lines: []widget.Line{line}, Hits: hits}
}

// kinds are the means of paying that are offered here: at a kiosk nobody takes
// cash or a bank card, and what the shop never takes is not spoken of.
func (m *model) kinds() []protocol.TenderKind {
	all := register.Kinds()
	if m.kiosk == nil {
		return all
	}
	return slices.DeleteFunc(all, func(kind protocol.TenderKind) bool {
		switch kind {
		case protocol.TenderCash, protocol.TenderCard:
			return true
		case protocol.TenderKey:
			return !m.kiosk.Redeem
		}
		why := m.paying().WhyNot(register.Choose{Kind: kind})
		return why == register.WhyNotBuilt || why == register.WhyNoEcash
	})
}

// paying is the register as if the cart were being paid.
func (m *model) paying() register.Register {
	r := m.reg
	if r.Phase == register.Ringing {
		r.Phase, r.Sale = register.Choosing, nil
	}
	return r
}

// whyNotKind is why a means of paying cannot be chosen now, or could not if
// something were due: a sentence, "" it can.
func (m *model) whyNotKind(kind protocol.TenderKind) string {
	r, h := m.paying(), m.facts.health
	switch why := r.WhyNot(register.Choose{Kind: kind}); {
	case why == register.WhyNoQuote:
		return m.noPrice()
	case why != "" && why != register.WhyNothingDue:
		return m.w.Why[why]
	case r.Offered(kind):
		return ""
	case kind == protocol.TenderBitcoin && h.Addresses == 0:
		return m.w.Why[register.WhyNoAddress]
	case kind == protocol.TenderEcash && !h.Online && h.OfflineSince != 0:
		return m.w.f(m.w.EcashOffline, m.w.clock(m.local(h.OfflineSince)))
	}
	return ""
}
