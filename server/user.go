package server

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"

	"till/protocol"
)

// ErrNotApprover: only managers and owners approve.
var ErrNotApprover = errors.New("only managers and owners approve payouts")

// totpSecretSize is that of RFC 4226 §4: 160 bits.
const totpSecretSize = 20

// Users lists people, disabled ones too, by id; their secrets stay sealed.
func (s *Server) Users(ctx context.Context) (users []*StaffUser, err error) {
	err = s.o.Store.Read(ctx, func(tx *Tx) error {
		users, err = tx.Shop.Users()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	return users, nil
}

// AddUser adds a person and gives the id, which is the next number where u has
// none. An id that is taken, by a disabled person too: [ErrExists].
func (s *Server) AddUser(ctx context.Context, u protocol.User, approveKey []byte) (id string, err error) {
	err = s.write(ctx, func(w *work) error {
		row := &StaffUser{User: u}
		if row.ID == "" {
			if row.ID, err = w.nextUser(); err != nil {
				return err
			}
		} else if _, err := w.Shop.User(u.ID); err == nil {
			return ErrExists
		} else if !errors.Is(err, ErrNotFound) {
			return err
		}
		id = row.ID
		return w.putUser(row, approveKey)
	})
	if err != nil {
		return "", fmt.Errorf("add user %q: %w", u.Name, err)
	}
	return id, s.Reload(ctx)
}

// nextUser is one above the highest id that is a number.
func (w *work) nextUser() (string, error) {
	users, err := w.Shop.Users()
	if err != nil {
		return "", err
	}
	highest := uint64(0)
	for _, u := range users {
		if n, err := strconv.ParseUint(u.ID, 10, 32); err == nil {
			highest = max(highest, n)
		}
	}
	return strconv.FormatUint(highest+1, 10), nil
}

// PutUser adds a person or changes one: name, role and PIN are those of u.
// approveKey is Argon2id(PIN, u.ApproveSalt) of 32 bytes (terminal.md §8), nil for
// cashiers and where the PIN did not change. Who was disabled is enabled again.
func (s *Server) PutUser(ctx context.Context, u protocol.User, approveKey []byte) error {
	err := s.write(ctx, func(w *work) error {
		row, err := w.Shop.User(u.ID)
		if errors.Is(err, ErrNotFound) {
			row, err = &StaffUser{}, nil
		}
		if err != nil {
			return err
		}
		row.User, row.Disabled = u, false
		return w.putUser(row, approveKey)
	})
	if err != nil {
		return fmt.Errorf("store user %q: %w", u.ID, err)
	}
	return s.Reload(ctx)
}

// NewPIN gives a person another PIN, as in [Server.PutUser]; name and role stay,
// approveSalt and approveKey are not used for cashiers. Unknown: [ErrNotFound].
func (s *Server) NewPIN(ctx context.Context, id, pin, approveSalt string, approveKey []byte) error {
	err := s.write(ctx, func(w *work) error {
		row, err := w.Shop.User(id)
		if err != nil {
			return err
		}
		row.PIN, row.Disabled = pin, false
		if row.Role != protocol.RoleCashier {
			row.ApproveSalt = approveSalt
		}
		return w.putUser(row, approveKey)
	})
	if err != nil {
		return fmt.Errorf("set PIN of user %q: %w", id, err)
	}
	return s.Reload(ctx)
}

// putUser stores a person, the approve key sealed.
func (w *work) putUser(row *StaffUser, approveKey []byte) (err error) {
	if row.ID == "" || len(row.ID) > 64 || !row.Role.Valid() {
		return errors.New("an id and a role are needed")
	}
	if row.Role == protocol.RoleCashier {
		row.ApproveKey, row.TOTP = nil, nil
	} else if approveKey != nil {
		if row.ApproveKey, err = w.s.seal.close(approveKeyName(row.ID), approveKey); err != nil {
			return err
		}
	}
	return w.Shop.PutUser(row)
}

// DisableUser locks a person out at every terminal. Unknown: [ErrNotFound].
func (s *Server) DisableUser(ctx context.Context, id string) error {
	err := s.write(ctx, func(w *work) error {
		u, err := w.Shop.User(id)
		if err != nil {
			return err
		}
		u.Disabled, u.ApproveKey, u.TOTP = true, nil, nil
		return w.Shop.PutUser(u)
	})
	if err != nil {
		return fmt.Errorf("disable user %q: %w", id, err)
	}
	return s.Reload(ctx)
}

// TOTP is a new secret for approvals, to be shown once.
type TOTP struct {
	User   string
	Secret protocol.Secret // base32 without padding
	URI    protocol.Secret // otpauth://totp/…
}

// NewTOTP makes a new secret for an approver; the old one dies. Cashiers:
// [ErrNotApprover].
func (s *Server) NewTOTP(ctx context.Context, id string) (TOTP, error) {
	secret := make([]byte, totpSecretSize)
	defer clear(secret)
	if _, err := io.ReadFull(s.o.Random, secret); err != nil {
		return TOTP{}, fmt.Errorf("draw TOTP secret: %w", err)
	}
	err := s.write(ctx, func(w *work) error {
		u, err := w.Shop.User(id)
		if err != nil {
			return err
		}
		if u.Role == protocol.RoleCashier {
			return ErrNotApprover
		}
		if u.TOTP, err = s.seal.close(totpName(id), secret); err != nil {
			return err
		}
		return w.Shop.PutUser(u)
	})
	if err != nil {
		return TOTP{}, fmt.Errorf("make TOTP of user %q: %w", id, err)
	}
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
	issuer := s.rules().Shop.Name
	if issuer == "" {
		issuer = "till"
	}
	uri := fmt.Sprintf("otpauth://totp/%s:%s?secret=%s&issuer=%s&algorithm=SHA1&digits=6&period=30",
		url.PathEscape(issuer), url.PathEscape(id), text,
		strings.ReplaceAll(url.QueryEscape(issuer), "+", "%20")) // authenticators show a plus as it stands
	return TOTP{User: id, Secret: protocol.NewSecret(text), URI: protocol.NewSecret(uri)}, nil
}

// UnlockUser ends the locks that wrong approvals put on a person.
func (s *Server) UnlockUser(ctx context.Context, id string) error {
	err := s.write(ctx, func(w *work) error {
		if _, err := w.Shop.User(id); err != nil {
			return err
		}
		return w.Approvals.Unlock(id)
	})
	if err != nil {
		return fmt.Errorf("unlock user %q: %w", id, err)
	}
	return nil
}
