package server

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"net/url"

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

// PutUser adds a person or changes one: name, role and PIN are those of u.
// approveKey is Argon2id(PIN, u.ApproveSalt) of 32 bytes (terminal.md §8), nil for
// cashiers and where the PIN did not change. Who was disabled is enabled again.
func (s *Server) PutUser(ctx context.Context, u protocol.User, approveKey []byte) error {
	if u.ID == "" || len(u.ID) > 64 || !u.Role.Valid() {
		return fmt.Errorf("store user %q: an id and a role are needed", u.ID)
	}
	err := s.write(ctx, func(w *work) error {
		row, err := w.Shop.User(u.ID)
		if errors.Is(err, ErrNotFound) {
			row, err = &StaffUser{}, nil
		}
		if err != nil {
			return err
		}
		row.User, row.Disabled = u, false
		if u.Role == protocol.RoleCashier {
			row.ApproveKey, row.TOTP = nil, nil
		} else if approveKey != nil {
			if row.ApproveKey, err = s.seal.close(approveKeyName(u.ID), approveKey); err != nil {
				return err
			}
		}
		return w.Shop.PutUser(row)
	})
	if err != nil {
		return fmt.Errorf("store user %q: %w", u.ID, err)
	}
	return s.Reload(ctx)
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
	issuer := s.o.Settings.Shop.Name
	if issuer == "" {
		issuer = "till"
	}
	uri := fmt.Sprintf("otpauth://totp/%s:%s?secret=%s&issuer=%s&algorithm=SHA1&digits=6&period=30",
		url.PathEscape(issuer), url.PathEscape(id), text, url.QueryEscape(issuer))
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
