package server

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"till/protocol"
)

// Bounds of approvals (terminal.md §8).
const (
	maxAuthcode   = 128
	wrongMost     = 5 // in a row, at one terminal
	lockFor       = 15 * time.Minute
	wrongAlarm    = 20 // over all terminals in a day
	totpDigits    = 6
	totpStep      = 30 // seconds
	totpSlack     = 1  // steps
	pinCodeDigits = 16
	pinSlack      = 2
)

// approval is a code that was judged.
type approval struct {
	user  string
	byPIN bool
}

// approve judges an authcode. A refusal is counted and must be committed with
// the count: it is returned apart from errors.
func (w *work) approve(t *Terminal, p protocol.Dispense) (a approval, refusal *protocol.Error, err error) {
	user, code, ok := strings.Cut(p.Authcode.Reveal(), ":")
	if !ok || user == "" || len(user)+len(code) > maxAuthcode {
		return a, &protocol.Error{Code: protocol.CodeAuthcodeWrong}, nil
	}
	tries, err := w.Approvals.Get(user, t.ID)
	if err != nil {
		return a, nil, fmt.Errorf("read approvals: %w", err)
	}
	if w.now < tries.Locked {
		return a, &protocol.Error{Code: protocol.CodeAuthcodeLocked}, nil
	}
	a = approval{user: user, byPIN: len(code) == pinCodeDigits}
	refusal, err = w.judgeCode(t, p, user, code)
	switch {
	case err != nil:
		return a, nil, err
	case refusal == nil && tries.Wrong == 0, refusal != nil && refusal.Code != protocol.CodeAuthcodeWrong:
		return a, refusal, nil
	case refusal == nil:
		tries.Wrong = 0
		return a, nil, w.Approvals.Put(tries)
	}
	return a, refusal, w.countWrong(t, tries)
}

// countWrong notes a wrong code; the fifth in a row locks the user at the terminal.
func (w *work) countWrong(t *Terminal, tries *Approval) error {
	if tries.Wrong++; tries.Wrong >= wrongMost {
		tries.Wrong, tries.Locked = 0, w.now.Add(lockFor)
		w.alarm("approvals", t.Name, "five wrong approvals of user %q: locked at %s for 15 minutes", tries.User, t.Name)
	}
	if err := errors.Join(w.Approvals.Put(tries), w.Approvals.Wrong(tries.User, w.now)); err != nil {
		return fmt.Errorf("count wrong approval: %w", err)
	}
	n, err := w.Approvals.WrongSince(w.now.Add(-24 * time.Hour))
	if err != nil {
		return fmt.Errorf("count wrong approvals: %w", err)
	}
	if n == wrongAlarm {
		w.alarm("approvals", "", "%d wrong approvals within 24 hours: somebody may be trying codes", n)
	}
	return nil
}

// judgeCode gives the refusal of a code, nil when it is good. A good TOTP is used up.
func (w *work) judgeCode(t *Terminal, p protocol.Dispense, user, code string) (*protocol.Error, error) {
	wrong := &protocol.Error{Code: protocol.CodeAuthcodeWrong}
	u, err := w.Shop.User(user)
	if errors.Is(err, ErrNotFound) {
		return wrong, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find user: %w", err)
	}
	limits := w.s.rulesFor(t.ID).Limits
	switch {
	case u.Disabled || u.Role != protocol.RoleManager && u.Role != protocol.RoleOwner:
		return wrong, nil
	case user == t.SignedIn && !limits.SelfApproval:
		return &protocol.Error{Code: protocol.CodeAuthcodeWrong, Message: "who is signed in cannot approve: ask another manager"}, nil
	case len(code) == pinCodeDigits && u.ApproveKey != nil && limits.PinApproval != nil && limits.PinApproval.Minor > 0:
		return w.judgePIN(t.ID, p, u, code)
	case len(code) == totpDigits && u.TOTP != nil:
		return w.judgeTOTP(u, code)
	}
	return wrong, nil
}

func (w *work) judgePIN(terminal protocol.TerminalID, p protocol.Dispense, u *StaffUser, code string) (*protocol.Error, error) {
	key, err := w.s.seal.open(approveKeyName(u.ID), u.ApproveKey)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	step := int64(w.now) / 1000 / totpStep
	good := 0
	for s := step - pinSlack; s <= step+pinSlack; s++ {
		good |= subtle.ConstantTimeCompare([]byte(pinCode(key, terminal, p, s)), []byte(code))
	}
	if good == 0 {
		return &protocol.Error{Code: protocol.CodeAuthcodeWrong}, nil
	}
	return nil, nil
}

// pinCode is the code of an approval by PIN: it holds for this payout alone.
func pinCode(key []byte, terminal protocol.TerminalID, p protocol.Dispense, step int64) string {
	price := string(p.Quote)
	if price == "" {
		price = string(p.RefundOf)
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "dispense|%s|%d|%s|%s|%s|%d|%s", p.ID, int64(p.AmountSat), p.Method, p.Address, terminal, step, price)
	return hex.EncodeToString(mac.Sum(nil))[:pinCodeDigits]
}

func (w *work) judgeTOTP(u *StaffUser, code string) (*protocol.Error, error) {
	secret, err := w.s.seal.open(totpName(u.ID), u.TOTP)
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	now := int64(w.now) / 1000 / totpStep
	matched := int64(-1)
	for step := now - totpSlack; step <= now+totpSlack; step++ {
		if subtle.ConstantTimeCompare([]byte(totp(secret, step)), []byte(code)) == 1 {
			matched = step
		}
	}
	if matched < 0 {
		return &protocol.Error{Code: protocol.CodeAuthcodeWrong}, nil
	}
	fresh, err := w.Approvals.Use(u.ID, matched)
	if err != nil {
		return nil, fmt.Errorf("use approval code: %w", err)
	}
	if !fresh {
		return &protocol.Error{Code: protocol.CodeAuthcodeUsed}, nil
	}
	return nil, nil
}

// totp is the code of a step (RFC 6238 with SHA-1 and 6 digits, RFC 4226 §5.3).
func totp(secret []byte, step int64) string {
	mac := hmac.New(sha1.New, secret)
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(step))
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0xf
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[offset:])&0x7fffffff%1_000_000)
}

// The names under which a user's secrets are sealed.
func approveKeyName(user string) string { return "approve_key " + user }
func totpName(user string) string       { return "totp " + user }
