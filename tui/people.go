package tui

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	tea "charm.land/bubbletea/v2"

	"till/protocol"
	"till/protocol/terminal"
	"till/tui/register"
	"till/tui/widget"
)

// Names of what is kept of people among the terminal's drafts.
const (
	draftUser  = "signed-in" // id of who signed in last
	draftWrong = "tries"     // wrong PINs by person
)

// pinTime is the deadline of a PIN's check, Argon2id on the slowest machine.
const pinTime = 20 * time.Second

// people is who is at the counter and what was tried.
type people struct {
	begun    bool             // the first person and shift are known
	checking bool             // a PIN is being checked
	tries    map[string]tries // wrong PINs in a row by person; of those who are not known together
}

// nobody reports whether somebody has to sign in first.
func (m *model) nobody() bool {
	return m.kiosk == nil && m.people.begun && m.reg.User.ID == "" && len(m.reg.Config.Users) > 0
}

// readWrong reads the wrong PINs from before the restart.
func (m *model) readWrong(ctx context.Context) error {
	m.people.tries = map[string]tries{}
	text, err := m.o.Terminal.Draft(ctx, draftWrong)
	if err != nil || text == nil {
		return err
	}
	if err := json.Unmarshal(text, &m.people.tries); err != nil {
		return fmt.Errorf("read wrong PINs: %w", err)
	}
	return nil
}

// whyLocked tells why a person's PIN is not looked at now, "" it is.
func (m *model) whyLocked(id string) string {
	t := m.people.tries[id]
	left := t.Free.Sub(protocol.TimeOf(m.now))
	switch {
	case m.people.checking:
		return m.w.Staff.SignInChecking
	case left <= 0:
		return ""
	case t.Wrong >= mostWrong:
		return m.w.f(m.w.Staff.SignInLocked, m.w.clock(m.local(t.Free)))
	}
	return m.w.f(m.w.Staff.SignInWait, strconv.Itoa(int((left+time.Second-1)/time.Second)))
}

// pinChecked tells whether it was that person's PIN.
type pinChecked struct {
	user protocol.User
	ok   bool
	then func(*model, protocol.User) tea.Cmd
}

// provePIN checks a PIN beside the screen; then goes on only when it is right.
// Nobody learns whether the person or the PIN was wrong.
func (m *model) provePIN(u protocol.User, pin protocol.Secret, then func(*model, protocol.User) tea.Cmd) tea.Cmd {
	m.people.checking = true
	stretch := m.o.Stretch
	return m.aside(pinTime, func(context.Context) tea.Msg {
		defer pin.Wipe()
		return pinChecked{u, u.ID != "" && register.IsPIN(stretch, pin, u.PIN), then}
	})
}

func (p pinChecked) apply(m *model) tea.Cmd {
	m.people.checking = false
	id := p.user.ID
	t := m.people.tries[id]
	if p.ok {
		if t.Wrong == 0 {
			return p.then(m, p.user)
		}
		delete(m.people.tries, id)
		return tea.Batch(m.keepWrong(), p.then(m, p.user))
	}
	t = t.wrong(protocol.TimeOf(m.now))
	m.people.tries[id] = t
	m.say(widget.Bad, m.w.Staff.SignInWrong)
	if t.Wrong >= mostWrong {
		m.say(widget.Bad, m.w.f(m.w.Staff.SignInLocked, m.w.clock(m.local(t.Free))))
	}
	body := protocol.PersonDid{User: id, What: strconv.Itoa(t.Wrong)}
	return tea.Batch(m.sound(register.SoundFailed), m.keepWrong(terminal.Record(protocol.EntrySignInFailed, body)))
}

// keepWrong writes the wrong PINs, with what belongs to them.
func (m *model) keepWrong(steps ...terminal.Step) tea.Cmd {
	text, err := json.Marshal(m.people.tries)
	if err != nil {
		panic(err) // integers always encode
	}
	steps = append(steps, terminal.SaveDraft(draftWrong, text))
	return m.queue(writeTime, func(ctx context.Context) tea.Msg {
		_, err := m.o.Terminal.Commit(ctx, steps...)
		return failed{"keep wrong PINs", err}
	})
}

// signIn is somebody whose PIN was right.
func (m *model) signIn(u protocol.User) tea.Cmd {
	return m.queue(writeTime, func(ctx context.Context) tea.Msg {
		if _, err := m.o.Terminal.Commit(ctx, signedInSteps(u.ID)...); err != nil {
			return failed{"sign in", err}
		}
		return signedIn{u}
	})
}

func signedInSteps(id string) []terminal.Step {
	return []terminal.Step{
		terminal.Record(protocol.EntrySignedIn, protocol.PersonDid{User: id}),
		terminal.SaveDraft(draftUser, []byte(id)),
	}
}

// signedIn is somebody at the counter.
type signedIn struct{ user protocol.User }

func (s signedIn) apply(m *model) tea.Cmd {
	cmd := m.happen(register.Signed{User: s.user, Shift: m.reg.Shift})
	if m.screen == onSignIn {
		cmd = tea.Batch(cmd, m.goTo(onRegister))
	}
	return cmd
}

// whyNoPeople: where nobody is set up nobody signs in.
func (m *model) whyNoPeople() string {
	if len(m.reg.Config.Users) == 0 {
		return m.w.Staff.NoPeople
	}
	return ""
}

// switchUser lets somebody else sign in; until then who is there stays.
func (m *model) switchUser() tea.Cmd { return m.goTo(onSignIn) }

// signOut leaves the counter to nobody. The cart and an open sale stay.
func (m *model) signOut() tea.Cmd {
	id := m.reg.User.ID
	if id == "" {
		return nil
	}
	cmd := m.happen(register.Signed{Shift: m.reg.Shift})
	return tea.Batch(cmd, m.goTo(onSignIn), m.queue(writeTime, func(ctx context.Context) tea.Msg {
		_, err := m.o.Terminal.Commit(ctx, terminal.Record(protocol.EntrySignedOut, protocol.PersonDid{User: id}), terminal.SaveDraft(draftUser, nil))
		return failed{"sign out", err}
	}))
}

// askOverride asks for somebody who may do what the one at the counter may not:
// once, and both names are journaled.
func (m *model) askOverride(row *key) tea.Cmd {
	right := row.right
	m.open(&dialog{
		name: "override", role: widget.Strong, title: m.w.f(m.w.Staff.OverrideTitle, m.w.label(row.action)),
		text: m.w.Why[right.Why()] + "\n" + m.w.ApproveWho, field: &field{},
		keys: []key{{action: ActConfirm, keys: []string{"enter"}, do: func(m *model) tea.Cmd {
			u, why := register.Overrider(m.reg.Config.Users, m.dialog().field.text, right)
			if why != "" {
				m.dialog().field.text = ""
				m.say(widget.Warn, m.w.Why[why])
				return nil
			}
			m.close()
			m.askOverridePIN(row, u)
			return nil
		}}, no()},
	})
	return nil
}

func (m *model) askOverridePIN(row *key, u protocol.User) {
	m.open(&dialog{
		name: "override-pin", role: widget.Strong, title: u.Name, text: m.w.Staff.SignInPIN, field: &field{masked: true},
		keys: []key{{action: ActConfirm, keys: []string{"enter"}, whyNot: func(m *model) string { return m.whyLocked(u.ID) }, do: func(m *model) tea.Cmd {
			pin := m.dialog().field.secret()
			m.close()
			return m.provePIN(u, pin, func(m *model, u protocol.User) tea.Cmd { return m.override(row, u) })
		}}, no()},
	})
}

// override journals who lent the right, then does the deed with it.
func (m *model) override(row *key, by protocol.User) tea.Cmd {
	body := protocol.PersonDid{User: m.reg.User.ID, ApprovedBy: by.ID, What: string(row.right)}
	return m.queue(writeTime, func(ctx context.Context) tea.Msg {
		if _, err := m.o.Terminal.Commit(ctx, terminal.Record(protocol.EntryOverride, body)); err != nil {
			return failed{"journal override", err}
		}
		return overridden{row}
	})
}

// overridden is a right that was lent for one deed.
type overridden struct{ row *key }

func (o overridden) apply(m *model) tea.Cmd {
	m.reg, _ = m.reg.Handle(register.Granted{Right: o.row.right})
	cmd := m.act(o.row)
	m.reg, _ = m.reg.Handle(register.Granted{})
	return cmd
}
