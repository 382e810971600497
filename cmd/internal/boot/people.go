package boot

import (
	"context"
	"errors"
	"io"

	"till/protocol"
	"till/server"
)

// minPIN and maxPIN bound the digits of a PIN.
const minPIN, maxPIN = 4, 12

// ErrPIN: what was typed is not a PIN.
var ErrPIN = errors.New("a PIN is 4 to 12 digits")

// StaffMember is a person as sent to the server, what a PIN was made into
// instead of the PIN itself.
type StaffMember struct {
	protocol.User
	ApproveKey []byte `json:"approve_key"` // 32 bytes, nil for cashiers
}

// MakeStaffMember makes a person with the PIN; an empty role keeps everything an
// approver needs. A PIN that is none: [ErrPIN].
func MakeStaffMember(id, name string, role protocol.Role, pin protocol.Secret, random io.Reader) (StaffMember, error) {
	digits := pin.Reveal()
	if len(digits) < minPIN || len(digits) > maxPIN {
		return StaffMember{}, ErrPIN
	}
	for _, d := range []byte(digits) {
		if d < '0' || d > '9' {
			return StaffMember{}, ErrPIN
		}
	}
	u, key, err := staff(id, name, role, digits, random)
	return StaffMember{u, key}, err
}

// Person names a user in commands.
type Person struct {
	ID string `json:"id"`
}

// UserLine is one line of `till user list`.
type UserLine struct {
	ID       string        `json:"id"`
	Name     string        `json:"name"`
	Role     protocol.Role `json:"role"`
	Disabled bool          `json:"disabled"`
	PIN      bool          `json:"pin_approval"` // can approve by PIN where the shop allows it
	TOTP     bool          `json:"totp"`         // enrolled
}

// TOTPSecret is what `till user totp` shows once.
type TOTPSecret struct {
	User   string `json:"user"`
	Secret string `json:"secret"` // base32
	URI    string `json:"uri"`    // otpauth://totp/…
}

func addUser(ctx context.Context, s *server.Server, p StaffMember) (any, error) {
	defer clear(p.ApproveKey)
	id, err := s.AddUser(ctx, p.User, p.ApproveKey)
	return Person{id}, err
}

func newPIN(ctx context.Context, s *server.Server, p StaffMember) (any, error) {
	defer clear(p.ApproveKey)
	return nil, s.NewPIN(ctx, p.ID, p.PIN, p.ApproveSalt, p.ApproveKey)
}

func listUsers(ctx context.Context, s *server.Server, _ struct{}) (any, error) {
	users, err := s.Users(ctx)
	lines := []UserLine{}
	for _, u := range users {
		lines = append(lines, UserLine{u.ID, u.Name, u.Role, u.Disabled, u.ApproveKey != nil, u.TOTP != nil})
	}
	return lines, err
}

func disableUser(ctx context.Context, s *server.Server, p Person) (any, error) {
	return nil, s.DisableUser(ctx, p.ID)
}

func unlockUser(ctx context.Context, s *server.Server, p Person) (any, error) {
	return nil, s.UnlockUser(ctx, p.ID)
}

func newTOTP(ctx context.Context, s *server.Server, p Person) (any, error) {
	t, err := s.NewTOTP(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	defer t.Secret.Wipe()
	defer t.URI.Wipe()
	return TOTPSecret{t.User, t.Secret.Reveal(), t.URI.Reveal()}, nil
}
