package server

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"till/protocol"
)

// Invitation is a pairing link that is good once, for an hour.
type Invitation struct {
	Name    string        `json:"name"`
	Link    string        `json:"link"` // till://HOST:PORT/enroll?ca=HEX&code=XXXX-XXXX-XXXX
	Expires protocol.Time `json:"expires"`
}

const (
	linkLife        = time.Hour
	linkTries       = 5
	revokedReplaced = "replaced"
	settingRefusals = "pairing_refusals"
)

// AddTerminal gives out a pairing link. A living terminal of the name is in the
// way ([ErrExists]) unless replace, which revokes it when the link is used. host
// is the HOST:PORT in the link, "" the configured one.
func (s *Server) AddTerminal(ctx context.Context, name string, replace bool, host string) (Invitation, error) {
	if !protocol.ValidTerminalName(name) {
		return Invitation{}, fmt.Errorf("add terminal: %q is not 1 to 64 of A-Z a-z 0-9 . _ -", name)
	}
	if host == "" {
		host = s.rules().PublicHost
	}
	code, err := newCode(s.o.Random)
	if err != nil {
		return Invitation{}, fmt.Errorf("add terminal: %w", err)
	}
	link := protocol.Link{Host: host, CA: protocol.Hash(s.ca.fingerprint()), Code: protocol.NewSecret(code)}
	if _, err := protocol.ParseLink(link.URL()); err != nil {
		return Invitation{}, fmt.Errorf("add terminal: host %q: %w", host, err)
	}
	hostName, _, err := net.SplitHostPort(host)
	if err != nil {
		return Invitation{}, fmt.Errorf("add terminal: %w", err)
	}
	p := &Pairing{Name: name, CodeHash: protocol.HashOf([]byte(code)), Replace: replace}
	err = s.write(ctx, func(w *work) error {
		if _, err := w.Terminals.Named(name); err == nil && !replace {
			return fmt.Errorf("a living terminal %q %w", name, ErrExists)
		} else if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		p.Expires = w.now.Add(linkLife)
		w.touch(settingHostNames)
		return errors.Join(w.Pairings.Put(p), addHostName(w.Tx, s.rules().Hosts, hostName))
	})
	if err != nil {
		return Invitation{}, fmt.Errorf("add terminal: %w", err)
	}
	return Invitation{Name: name, Link: link.URL(), Expires: p.Expires}, nil
}

// newCode draws 60 bits as XXXX-XXXX-XXXX in Crockford base32.
func newCode(random io.Reader) (string, error) {
	const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	b := make([]byte, 12)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", fmt.Errorf("draw code: %w", err)
	}
	// 256 is a multiple of 32: each symbol is as likely as another.
	for i := range b {
		b[i] = alphabet[b[i]%32]
	}
	return fmt.Sprintf("%s-%s-%s", b[0:4], b[4:8], b[8:12]), nil
}

// Enroll makes a new terminal of whoever holds the code of a pairing link.
// Whatever is wrong: [ErrPairingRefused], after the same work (terminal.md §2).
func (s *Server) Enroll(ctx context.Context, p protocol.Enroll) (*protocol.EnrollResult, error) {
	hash := protocol.HashOf([]byte(p.Code))
	key, wrong := signingRequest(p.CSR)
	now := s.o.Clock()
	id, err := protocol.NewID(now.Time(), s.o.Random)
	if err != nil {
		return nil, fmt.Errorf("enrol terminal: %w", err)
	}
	t := &Terminal{ID: protocol.TerminalID(id), Name: p.Name, State: TerminalLiving, Created: now, Since: now, JournalHash: protocol.NoHash}
	var certificate string
	var row *TerminalKey
	if wrong == nil {
		if certificate, row, err = s.ca.terminalCertificate(t.ID, key, now.Time()); err != nil {
			return nil, fmt.Errorf("enrol terminal: %w", err)
		}
	}
	paired := false
	err = s.write(ctx, func(w *work) error {
		link, err := w.Pairings.Get(p.Name)
		if errors.Is(err, ErrNotFound) {
			link = &Pairing{CodeHash: protocol.NoHash}
		} else if err != nil {
			return fmt.Errorf("find pairing link: %w", err)
		}
		same := subtle.ConstantTimeCompare([]byte(hash), []byte(link.CodeHash)) == 1
		paired = same && link.Name == p.Name && w.now < link.Expires && wrong == nil
		if paired {
			if paired, err = w.pair(t, link); err != nil {
				return err
			}
		}
		if !paired {
			return w.refusePairing(link)
		}
		return w.Keys.Insert(row)
	})
	if err != nil {
		return nil, fmt.Errorf("enrol terminal: %w", err)
	}
	if !paired {
		return nil, ErrPairingRefused
	}
	s.o.Log.InfoContext(ctx, "terminal paired", "name", t.Name, "terminal", t.ID)
	return &protocol.EnrollResult{ID: t.ID, Certificate: certificate, CA: certificatePEM(s.ca.cert.Raw), QuoteKeys: s.quoteKeys()}, nil
}

// refusePairing counts a refusal and a try of the link, which dies of the fifth.
// Something is written whether there is such a link or not.
func (w *work) refusePairing(link *Pairing) error {
	refusals, err := numberSetting(w.Tx, settingRefusals, 0)
	if err != nil {
		return err
	}
	if err := setNumber(w.Tx, settingRefusals, refusals+1); err != nil {
		return fmt.Errorf("count refusals: %w", err)
	}
	if link.Name == "" {
		return nil
	}
	if link.Tries++; link.Tries >= linkTries {
		return w.Pairings.Delete(link.Name)
	}
	return w.Pairings.Put(link)
}

// pair uses up the link and makes the terminal; false when a living one of the
// name is in the way.
func (w *work) pair(t *Terminal, link *Pairing) (bool, error) {
	old, err := w.Terminals.Named(t.Name)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return false, fmt.Errorf("find terminal: %w", err)
	}
	replaced := err == nil
	if replaced && !link.Replace {
		return false, nil
	}
	if replaced {
		w.revoke(old, revokedReplaced)
		if err := w.Terminals.Update(old); err != nil {
			return false, fmt.Errorf("revoke terminal: %w", err)
		}
		t.Replaces = old.ID
	}
	if err := errors.Join(w.Pairings.Delete(link.Name), w.Terminals.Insert(t)); err != nil {
		return false, fmt.Errorf("make terminal: %w", err)
	}
	if replaced {
		return true, w.bequeath(t.ID)
	}
	return true, nil
}

// bequeath shows a new terminal the open sales and the payouts in doubt of those
// whose place it takes.
func (w *work) bequeath(heir protocol.TerminalID) error {
	live, err := w.Sales.Live()
	if err != nil {
		return fmt.Errorf("list open sales: %w", err)
	}
	for _, id := range live {
		sale, err := w.Sales.Get(id)
		if err != nil {
			return fmt.Errorf("find sale: %w", err)
		}
		if sale.Status == nil || sale.Said == saidPaid {
			continue
		}
		if to, err := w.heir(sale.Terminal); err != nil || to != heir {
			if err != nil {
				return err
			}
			continue
		}
		if err := w.alertText(heir, protocol.AlertSale, sale.Status); err != nil {
			return err
		}
	}
	payouts, err := w.Payouts.Unsettled()
	if err != nil {
		return fmt.Errorf("list payouts: %w", err)
	}
	for _, p := range payouts {
		if p.State == protocol.PayoutBroadcast || p.State == protocol.PayoutConfirmed {
			continue
		}
		if to, err := w.heir(p.Terminal); err != nil || to != heir {
			if err != nil {
				return err
			}
			continue
		}
		if err := w.alert(heir, protocol.AlertPayout, p.status()); err != nil {
			return err
		}
	}
	return nil
}
