package register

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"till/protocol"
)

// Stretch is Argon2id (RFC 9106). It is handed in: this package derives no keys.
type Stretch func(password, salt []byte, passes, memoryKiB uint32, lanes uint8, size uint32) []byte

// Cost of the key that a PIN approves with (terminal.md §8).
const (
	approvePasses = 3
	approveKiB    = 64 << 10
	approveSize   = 32
	approveStep   = 30_000 // milliseconds
)

// Approval is who agrees to a payout, and the proof: a TOTP, or their PIN.
type Approval struct {
	User protocol.User
	Code protocol.Secret
}

// errNoApproval: the PIN cannot approve.
var errNoApproval = errors.New("this person cannot approve by PIN")

// Authcode is what goes to the server: USER:CODE. Six digits are a TOTP, unless
// they are that person's PIN; anything else is a PIN, whose code binds the
// payout and the present half minute.
func (a Approval) Authcode(stretch Stretch, d protocol.Dispense, terminal protocol.TerminalID, at protocol.Time) (protocol.Secret, error) {
	code := a.Code
	if !isTOTP(code) || IsPIN(stretch, code, a.User.PIN) {
		var err error
		if code, err = PINCode(stretch, a.Code, a.User.ApproveSalt, d, terminal, at); err != nil {
			return protocol.Secret{}, err
		}
		defer code.Wipe()
	}
	return protocol.NewSecret(a.User.ID + ":" + code.Reveal()), nil
}

// WhyNot tells why the code cannot approve: a PIN where the owner has switched
// approval by PIN off.
func (a Approval) WhyNot(limits protocol.Limits) Why {
	switch {
	case a.Code.Empty():
		return WhyNothingTyped
	case isTOTP(a.Code):
		return ""
	}
	return unless(limits.PinApproval != nil && limits.PinApproval.Minor > 0, WhyPinOff)
}

func isTOTP(code protocol.Secret) bool {
	text := code.Reveal()
	return len(text) == 6 && strings.Trim(text, "0123456789") == ""
}

// PINCode is the code by which a PIN approves one payout at one terminal
// (terminal.md §8):
//
//	HMAC-SHA-256(Argon2id(PIN, approve_salt), "dispense|id|amount_sat|method|address|terminal|step|quote-or-refund_of")
//
// of which the first 16 hex digits count.
func PINCode(stretch Stretch, pin protocol.Secret, salt string, d protocol.Dispense, terminal protocol.TerminalID, at protocol.Time) (protocol.Secret, error) {
	raw, err := hex.DecodeString(salt)
	if err != nil || len(raw) != 16 {
		return protocol.Secret{}, errNoApproval
	}
	digits := []byte(pin.Reveal())
	defer clear(digits)
	key := stretch(digits, raw, approvePasses, approveKiB, 1, approveSize)
	defer clear(key)
	about := string(d.Quote)
	if d.RefundOf != "" {
		about = string(d.RefundOf)
	}
	mac := hmac.New(sha256.New, key)
	// A hash takes all that is written to it.
	_, _ = fmt.Fprintf(mac, "dispense|%s|%d|%s|%s|%s|%d|%s", d.ID, d.AmountSat, d.Method, d.Address, terminal, int64(at)/approveStep, about)
	return protocol.NewSecret(hex.EncodeToString(mac.Sum(nil))[:16]), nil
}

// IsPIN reports whether pin is the one a PHC string was made of:
// $argon2id$v=19$m=KIB,t=PASSES,p=LANES$SALT$HASH, base64 without filling.
func IsPIN(stretch Stretch, pin protocol.Secret, phc string) bool {
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v=19" {
		return false
	}
	memory, passes, lanes, ok := costOf(parts[3])
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	hash, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if !ok || err1 != nil || err2 != nil || len(hash) < 16 || len(hash) > 64 {
		return false
	}
	digits := []byte(pin.Reveal())
	defer clear(digits)
	return subtle.ConstantTimeCompare(stretch(digits, salt, passes, memory, lanes, uint32(len(hash))), hash) == 1
}

// Bounds of a PHC string's cost: more than they allow would stop the counter.
const (
	maxPINKiB    = 256 << 10
	maxPINPasses = 16
	maxPINLanes  = 16
)

// costOf reads "m=19456,t=2,p=1".
func costOf(text string) (memory, passes uint32, lanes uint8, ok bool) {
	fields := strings.Split(text, ",")
	if len(fields) != 3 {
		return 0, 0, 0, false
	}
	var v [3]uint64
	for i, most := range []uint64{maxPINKiB, maxPINPasses, maxPINLanes} {
		digits, found := strings.CutPrefix(fields[i], string("mtp"[i])+"=")
		n, err := strconv.ParseUint(digits, 10, 32)
		if !found || err != nil || n == 0 || n > most {
			return 0, 0, 0, false
		}
		v[i] = n
	}
	return uint32(v[0]), uint32(v[1]), uint8(v[2]), true
}

// Approver finds who a cashier means by a number or a name, and tells why that
// person cannot approve.
func Approver(users []protocol.User, who string, signedIn protocol.User, limits protocol.Limits) (protocol.User, Why) {
	who = strings.TrimSpace(who)
	for _, u := range users {
		if u.ID != who && !strings.EqualFold(u.Name, who) {
			continue
		}
		switch {
		case u.Role != protocol.RoleManager && u.Role != protocol.RoleOwner:
			return u, WhyNoApprover
		case u.ID == signedIn.ID && !limits.SelfApproval:
			return u, WhySelfApproval
		}
		return u, ""
	}
	return protocol.User{}, WhyUnknownUser
}
