package register

import (
	"encoding/base64"
	"fmt"
	"testing"

	"golang.org/x/crypto/argon2"

	"till/protocol"
)

// TestAPINApprovesWithTheCodeOfTheSpecification uses the approval of
// vectors/terminal.json.
func TestAPINApprovesWithTheCodeOfTheSpecification(t *testing.T) {
	d := protocol.Dispense{
		ID: "0193c0de-0000-7000-8000-000000000005", AmountSat: 250000, Method: protocol.MethodAddress,
		Address: "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", Quote: "0193c0de-0000-7000-8000-000000000003",
	}
	const salt, terminal = "00112233445566778899aabbccddeeff", "0193c0de-0000-7000-8000-000000000006"
	at, err := protocol.ParseTime("2026-11-22T08:02:00.000Z")
	if err != nil {
		t.Fatal(err)
	}
	code, err := PINCode(argon2.IDKey, protocol.NewSecret("1234"), salt, d, terminal, at)
	if err != nil || code.Reveal() != "d7606364e482e504" {
		t.Errorf("code is %q (%v), want d7606364e482e504", code.Reveal(), err)
	}
	user := protocol.User{ID: "2", ApproveSalt: salt, PIN: phc("123456")}
	for _, c := range []struct{ typed, want string }{
		{"1234", "2:d7606364e482e504"}, // a PIN
		{"755224", "2:755224"},         // six digits that are not the PIN: a TOTP
	} {
		got, err := Approval{user, protocol.NewSecret(c.typed)}.Authcode(argon2.IDKey, d, terminal, at)
		if err != nil || got.Reveal() != c.want {
			t.Errorf("%s gives %q (%v), want %q", c.typed, got.Reveal(), err, c.want)
		}
	}
	// Six digits that are the PIN are one.
	got, err := Approval{user, protocol.NewSecret("123456")}.Authcode(argon2.IDKey, d, terminal, at)
	if err != nil || len(got.Reveal()) != len("2:")+16 {
		t.Errorf("a PIN of six digits gives %q (%v)", got.Reveal(), err)
	}
	if _, err := PINCode(argon2.IDKey, protocol.NewSecret("1234"), "", d, terminal, at); err == nil {
		t.Error("a user without a salt approves by PIN")
	}
}

// phc is a PIN as the configuration holds it.
func phc(pin string) string {
	salt := []byte("0123456789abcdef")
	return fmt.Sprintf("$argon2id$v=19$m=64,t=1,p=1$%s$%s", base64.RawStdEncoding.EncodeToString(salt),
		base64.RawStdEncoding.EncodeToString(argon2.IDKey([]byte(pin), salt, 1, 64, 1, 32)))
}

func TestAPINIsCheckedAgainstItsPHCString(t *testing.T) {
	good := phc("2222")
	for _, c := range []struct {
		pin, phc string
		want     bool
	}{
		{"2222", good, true}, {"2223", good, false}, {"", good, false}, {"2222", "", false},
		{"2222", "$argon2i" + good[len("$argon2id"):], false},
		{"2222", "$argon2id$v=19$m=99999999,t=1,p=1" + good[len("$argon2id$v=19$m=64,t=1,p=1"):], false},
		{"2222", "$argon2id$v=19$m=64,t=1,p=0" + good[len("$argon2id$v=19$m=64,t=1,p=1"):], false},
	} {
		if got := IsPIN(argon2.IDKey, protocol.NewSecret(c.pin), c.phc); got != c.want {
			t.Errorf("PIN %q of %q: %v, want %v", c.pin, c.phc, got, c.want)
		}
	}
}

func FuzzPHCString(f *testing.F) {
	f.Add(phc("2222"))
	f.Add("$argon2id$v=19$m=1,t=1,p=1$$")
	calls := func(_, _ []byte, passes, memory uint32, lanes uint8, size uint32) []byte {
		if passes == 0 || passes > maxPINPasses || memory == 0 || memory > maxPINKiB || lanes == 0 || lanes > maxPINLanes || size > 64 {
			panic("a cost out of bounds")
		}
		return make([]byte, size)
	}
	f.Fuzz(func(_ *testing.T, text string) { IsPIN(calls, protocol.NewSecret("1"), text) })
}

func TestWhoApproves(t *testing.T) {
	users := []protocol.User{
		{ID: "1", Name: "Anna", Role: protocol.RoleCashier}, {ID: "2", Name: "Marek", Role: protocol.RoleManager}, {ID: "3", Name: "Olga", Role: protocol.RoleOwner},
	}
	for _, c := range []struct {
		who, signedIn string
		self          bool
		want          Why
	}{
		{"2", "1", false, ""}, {" marek ", "1", false, ""}, {"Olga", "2", false, ""}, {"2", "2", false, WhySelfApproval},
		{"2", "2", true, ""}, {"1", "2", false, WhyNoApprover}, {"9", "1", false, WhyUnknownUser}, {"", "1", false, WhyUnknownUser},
	} {
		_, why := Approver(users, c.who, protocol.User{ID: c.signedIn}, protocol.Limits{SelfApproval: c.self})
		if why != c.want {
			t.Errorf("%q asked by %s: %q, want %q", c.who, c.signedIn, why, c.want)
		}
	}
}
