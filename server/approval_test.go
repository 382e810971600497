package server

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"till/protocol"
)

// The vectors of RFC 6238, appendix B, cut to six digits.
func TestTOTPVectors(t *testing.T) {
	t.Parallel()
	secret := []byte("12345678901234567890")
	for unix, want := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		if got := totp(secret, unix/30); got != want {
			t.Errorf("at %d: %s, want %s", unix, got, want)
		}
	}
}

func TestPINCodeVector(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/terminal.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Approval struct {
			Key  string `json:"argon2id_t3_m65536_p1_32"`
			Step int64
			Code string
		}
	}
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	key, err := hex.DecodeString(vectors.Approval.Key)
	if err != nil {
		t.Fatal(err)
	}
	p := protocol.Dispense{
		ID: "0193c0de-0000-7000-8000-000000000005", AmountSat: 250000, Method: protocol.MethodAddress,
		Address: "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", Quote: "0193c0de-0000-7000-8000-000000000003",
	}
	if got := pinCode(key, "0193c0de-0000-7000-8000-000000000006", p, vectors.Approval.Step); got != vectors.Approval.Code {
		t.Errorf("code %s, want %s", got, vectors.Approval.Code)
	}
}
