package tui

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"till/protocol"
	"till/tui/register"
	"till/tui/widget"
)

// freeGift is what the practice customer pays where no amount is asked.
const freeGift protocol.Sat = 10_000

// addressScreen shows a fresh address, with or without an amount. It needs no
// network, and no sale: money that arrives later rings and prints.
type addressScreen struct {
	lease  protocol.Lease
	entry  register.Entry // the amount
	ticket uint64         // of the address that is asked for
	money  []protocol.Incoming
}

// addressKeys are those of the address on the screen.
func addressKeys() []key {
	return []key{
		{action: ActPrint, keys: []string{"enter", "ctrl+o"}, do: (*model).printAddress, whyNot: func(m *model) string {
			if m.address.lease.Address == "" {
				return m.w.NoAddressYet
			}
			return m.whyNoPaper()
		}},
		back(),
	}
}

func (m *model) whyNoFreshAddress() string {
	switch {
	case m.reg.Config.Currency == "":
		return m.w.why(register.Said{Why: register.WhyNotReady})
	case m.facts.health.Addresses == 0:
		return m.w.why(register.Said{Why: register.WhyNoAddress})
	}
	return ""
}

// freshAddress takes the next address and shows it. What is typed on the
// register becomes its amount.
func (m *model) freshAddress() tea.Cmd {
	var amount register.Entry
	if m.shown() == onRegister {
		amount = m.reg.Entry
	}
	cmd := m.goTo(onAddress)
	m.address = addressScreen{entry: amount, ticket: m.address.ticket + 1}
	ticket := m.address.ticket
	return tea.Batch(cmd, m.queue(writeTime, func(ctx context.Context) tea.Msg {
		lease, err := m.o.Terminal.FreshAddress(ctx)
		if err != nil {
			return failed{"take address", err}
		}
		return leased{ticket, lease}
	}))
}

// leased is the address that was asked for.
type leased struct {
	ticket uint64
	lease  protocol.Lease
}

func (l leased) apply(m *model) tea.Cmd {
	if l.ticket == m.address.ticket {
		m.address.lease = l.lease
	}
	return nil
}

// typed types the amount.
func (s *addressScreen) typed(m *model, k tea.KeyPressMsg) tea.Cmd {
	switch {
	case k.Code == tea.KeyBackspace:
		s.entry = s.entry.Erased()
	case len(k.Text) == 1 && k.Text >= "0" && k.Text <= "9":
		s.entry = s.entry.Typed(k.Text, m.reg.Currency().Exponent())
	case k.Text == "." || k.Text == ",":
		s.entry = s.entry.Pointed()
	}
	return nil
}

// amount is what is asked for, in both units; 0 is left to the payer.
func (s *addressScreen) amount(m *model) (protocol.Money, protocol.Sat) {
	money := s.entry.Money(m.reg.Currency())
	if m.reg.Quote == nil || money.Minor == 0 {
		return money, 0
	}
	due, err := m.reg.Quote.Buy.Charge(money.Minor)
	if err != nil {
		return money, 0
	}
	return money, due
}

// asks is the link on the screen, for the practice customer.
func (s *addressScreen) asks(m *model) (string, protocol.Sat, bool) {
	if s.lease.Address == "" {
		return "", 0, false
	}
	_, due := s.amount(m)
	link, err := m.reg.Link(s.lease.Address, due)
	gift := protocol.Sat(0)
	if due == 0 {
		gift = freeGift
	}
	return link, gift, err == nil
}

// arrived notes money on the address on the screen.
func (s *addressScreen) arrived(in protocol.Incoming) {
	if in.Address == s.lease.Address {
		s.money = append(s.money, in)
	}
}

// addressView is the code at the left and the address in groups at the right.
func (m *model) addressView(f *widget.Frame, a widget.Area) widget.Block {
	body, s := f.Body(a), &m.address
	if s.lease.Address == "" {
		return widget.Lines(nil, widget.Quiet.Line("  "+m.w.NoAddressYet))
	}
	money, due := s.amount(m)
	code, ok := widget.DrawQR(m.theme, widget.Area{W: body.W - 36, H: body.H}, m.request(s.lease.Address, due)...)
	return m.beside(body, code.Block, func(a widget.Area) widget.Block { return s.words(m, money, due, ok, a) })
}

// row is what stands under the code on a small screen.
func (s *addressScreen) row(m *model) (address string, due protocol.Sat, bar widget.Bar) {
	money, due := s.amount(m)
	text := widget.Quiet.Line(m.w.FreshAddress)
	if due > 0 {
		text = widget.Strong.Line(m.w.moneyIn(money))
		bar.Right = []widget.Part{{Line: widget.Text.Line(m.w.bitcoin(due) + " BTC"), Rank: 1}}
	}
	if n := len(s.money); n > 0 {
		text = widget.Good.Line("✓ " + m.w.Received + " " + m.w.bitcoin(s.money[n-1].AmountSat) + " BTC")
		bar.Right = nil
	}
	bar.Left = []widget.Part{{Line: text}}
	return s.lease.Address, due, bar
}

// words are the address in groups, its amount, and what has arrived on it.
func (s *addressScreen) words(m *model, money protocol.Money, due protocol.Sat, drawn bool, a widget.Area) widget.Block {
	lines := append(widget.Wrap(widget.Strong, m.w.FreshAddress, a.W-1), nil)
	lines = append(lines, widget.Wrap(widget.Text, widget.Groups(s.lease.Address, 4), min(a.W-1, 40))...)
	lines = append(lines, nil)
	switch {
	case money.Minor == 0:
		lines = append(lines, widget.Wrap(widget.Quiet, m.w.AnyAmount, a.W-1)...)
	case due == 0:
		lines = append(lines, widget.Strong.Line(m.w.moneyIn(money)))
		lines = append(lines, widget.Wrap(widget.Warn, "! "+m.noPrice(), a.W-1)...)
	default:
		lines = append(lines, widget.Line{widget.Strong.Say(m.w.moneyIn(money)), widget.Quiet.Say("  =  " + m.w.bitcoin(due) + " BTC")})
	}
	lines = append(lines, nil)
	for _, in := range s.money {
		lines = append(lines, widget.Good.Line("✓ "+m.w.Received+" "+m.w.bitcoin(in.AmountSat)+" BTC"))
	}
	if len(s.money) == 0 {
		lines = append(lines, widget.Wrap(widget.Quiet, m.w.AddressHint, a.W-1)...)
	}
	if !drawn {
		lines = append(lines, nil)
		lines = append(lines, widget.Wrap(widget.Warn, m.printIt(), a.W-1)...)
	}
	return widget.Block{Lines: lines}.Shift(0, 1)
}

// printAddress prints the address with its amount.
func (m *model) printAddress() tea.Cmd {
	money, due := m.address.amount(m)
	link, err := m.reg.Link(m.address.lease.Address, due)
	if err != nil {
		return nil
	}
	if due == 0 {
		money = protocol.Money{Currency: m.reg.Currency()}
	}
	return m.queuePaper(register.Paper{
		Kind: register.PaperAddress, Address: m.address.lease.Address, Amount: money, AmountSat: due, Link: link,
	}, "")
}
