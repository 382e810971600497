package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"till/protocol"
	"till/tui/register"
	"till/tui/widget"
)

// lookFirst is how long an amount that leaves is on the screen before y counts
// (product.md §3).
const lookFirst = 500 * time.Millisecond

// whyNoApproval: after a wrong PIN the next waits a little, longer each time.
func (m *model) whyNoApproval() string {
	if m.o.Hand() < m.sell.free {
		return m.w.ApproveWait
	}
	return ""
}

// askApprover asks who approves, then for the proof.
func (m *model) askApprover() tea.Cmd {
	m.open(&dialog{name: "approve", role: widget.Strong, title: m.w.ApproveTitle, text: m.w.ApproveWho, field: &field{}, keys: []key{
		{action: ActConfirm, keys: []string{"enter"}, do: func(m *model) tea.Cmd {
			limits := m.reg.Config.Limits
			// Who may open the drawer alone may give cash back alone.
			limits.SelfApproval = limits.SelfApproval || m.sell.flow.Method == ""
			user, why := register.Approver(m.reg.Config.Users, m.dialog().field.text, m.reg.User, limits)
			if why != "" {
				m.dialog().field.text = ""
				m.say(widget.Warn, m.w.Why[why])
				return nil
			}
			m.close()
			m.askApproval(user)
			return nil
		}},
		no(),
	}})
	return nil
}

func (m *model) askApproval(user protocol.User) {
	m.open(&dialog{name: "approve-code", role: widget.Strong, title: user.Name, text: m.w.ApproveCode, field: &field{masked: true}, keys: []key{
		{action: ActConfirm, keys: []string{"enter"}, do: func(m *model) tea.Cmd {
			approval := register.Approval{User: user, Code: m.dialog().field.secret()}
			limits := m.reg.Config.Limits
			if m.sell.flow.Method == "" { // its PIN is checked here
				limits.PinApproval = &protocol.Money{Minor: 1}
			}
			if why := approval.WhyNot(limits); why != "" {
				m.say(widget.Warn, m.w.Why[why])
				return nil
			}
			m.close()
			return m.payOut(register.Approved{Approval: approval})
		}},
		no(),
	}})
}

// ripe is when y begins to count: the keys are shown anew.
type ripe struct{}

func (ripe) apply(*model) tea.Cmd { return nil }

// confirmMoney asks for y, which counts once the amount has been read.
func (m *model) confirmMoney(name, title, text string, do func(*model) tea.Cmd, back func(*model) tea.Cmd) tea.Cmd {
	shown, after := m.o.Hand(), m.o.After(lookFirst)
	m.open(&dialog{
		name: name, role: widget.Strong, title: title, text: text,
		keys: []key{
			{action: ActConfirm, keys: []string{"y"}, do: closing(do), whyNot: func(m *model) string {
				if m.o.Hand()-shown < lookFirst {
					return m.w.LookFirst
				}
				return ""
			}},
			{action: ActBack, keys: []string{"esc", "n"}, do: closing(back)},
		},
	})
	return ripenAt(after)
}

// closing closes the dialog, then does something.
func closing(do func(*model) tea.Cmd) func(*model) tea.Cmd {
	return func(m *model) tea.Cmd {
		m.close()
		return do(m)
	}
}

// closeNamed closes a dialog that has become void, if it is on top.
func (m *model) closeNamed(name string) {
	if d := m.dialog(); d != nil && d.name == name {
		m.close()
	}
}

// ripenAt draws the keys anew when some can be pressed.
func ripenAt(after <-chan time.Time) tea.Cmd {
	return func() tea.Msg {
		<-after
		return ripe{}
	}
}
