package boot

import (
	"crypto/rand"
	"errors"
	"testing"

	"till/protocol"
)

func TestPINIsDigits(t *testing.T) {
	for _, pin := range []string{"", "123", "1234567890123", "12a4", "12 34", "-123", "１２３４", "1234\n5"} {
		if _, err := MakeStaffMember("1", "Anna", protocol.RoleCashier, protocol.NewSecret(pin), rand.Reader); !errors.Is(err, ErrPIN) {
			t.Errorf("%q: %v", pin, err)
		}
	}
}

// The commands' words for errors stand for the same sentinel on both sides.
func TestRefusalKeepsItsCause(t *testing.T) {
	for word, sentinel := range causes {
		e := refusal(errors.Join(errors.New("do this"), sentinel))
		if e.Cause != word {
			t.Errorf("%v crosses as %q", sentinel, e.Cause)
		}
		for other, s := range causes {
			if errors.Is(e, s) != (other == word) {
				t.Errorf("%s is %s", word, other)
			}
		}
	}
	if e := refusal(protocol.Errorf(protocol.CodeFeeTooHigh, "no")); !errors.Is(e, ErrRefused) {
		t.Errorf("a refusal crosses as %q", e.Cause)
	}
	if e := refusal(protocol.Errorf(protocol.CodeChainUnavailable, "no")); !errors.Is(e, ErrUnreachable) {
		t.Errorf("a silent node crosses as %q", e.Cause)
	}
}
