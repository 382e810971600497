package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"till/cmd/internal/boot"
	"till/cmd/internal/story"
)

// authenticator is an app with a secret (RFC 6238): 6 digits, 30 seconds.
type authenticator []byte

func (a authenticator) code(step int64) string {
	mac := hmac.New(sha1.New, a)
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(step))
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[sum[len(sum)-1]&15:])&0x7fffffff%1_000_000)
}

func authenticatorOf(t *testing.T, made boot.TOTPSecret) authenticator {
	t.Helper()
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(made.Secret)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func presentStep() int64 { return time.Now().Unix() / 30 }

// wrong is a code of none of the steps around.
func (a authenticator) wrong() string {
	for n := 0; ; n++ {
		code, good := fmt.Sprintf("%06d", n), false
		for step := presentStep() - 3; step < presentStep()+10; step++ {
			good = good || a.code(step) == code
		}
		if !good {
			return code
		}
	}
}

// sells is a story that sells 10.00 with a code of the owner's authenticator up to
// the answer.
func sells(code string) string {
	return fmt.Sprintf(`press f4
screen sell
press 1 0 0 0
do next
scan "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080" by keyboard
do approve
type "3\n%s\n"
see "10.00" in dialog
do confirm
`, code)
}

// TestCodesOfAnAuthenticatorAtTheScreen: each is good once, five wrong ones lock,
// and the owner's shell unlocks.
func TestCodesOfAnAuthenticatorAtTheScreen(t *testing.T) {
	if testing.Short() {
		t.Skip("plays a whole shop")
	}
	t.Parallel()
	program := tillProgram(t)
	shop, err := openStage(program, staging{command: []string{"practice"}})
	if err != nil {
		t.Fatal(err)
	}
	end := shop.Close
	t.Cleanup(func() { _ = end() }) // what it does not tell was told
	shop.Close = func() error { return nil }
	play := func(text string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "codes.story")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		results, err := story.Play(t.Context(), story.Options{
			Open: func(context.Context) (*story.Shop, error) { return shop, nil }, Now: time.Now, Out: t.Output(), Shots: t.TempDir(),
		}, []string{file})
		if err != nil {
			t.Fatal(err)
		}
		if !results[0].Held {
			_ = story.Report(t.Output(), results) // the log of a test takes all
			t.Fatal(results[0].Failure)
		}
	}
	dir := shop.Clock.(*stage).dir
	till := func(into any, args ...string) {
		t.Helper()
		c := exec.CommandContext(t.Context(), program, append(args, "--data", dir, "--json")...)
		c.Env = []string{"HOME=" + dir}
		out, err := c.Output()
		if err != nil {
			t.Fatalf("till %v: %v", args, err)
		}
		if into != nil && json.Unmarshal(out, into) != nil {
			t.Fatalf("till %v: %s", args, out)
		}
	}
	enrol := func(user string) authenticator {
		var made boot.TOTPSecret
		till(&made, "user", "totp", user)
		return authenticatorOf(t, made)
	}
	play("screen register\n")
	owner, manager := enrol("3"), enrol("2")
	used := presentStep()
	play(sells(owner.code(used)) + `see "PAID OUT" within 10s
do acknowledge
mine 1
press esc
` + sells(owner.code(used)) + `see /used before/i within 10s
do approve
` + fmt.Sprintf("type \"3\\n%s\\n\"\ndo confirm\nsee /approval is wrong/i within 10s\n", manager.code(used)) + wrongs(owner.wrong(), 4) + `wait 17s
do approve
` + fmt.Sprintf("type \"3\\n%s\\n\"\ndo confirm\nsee \"NOT PAID OUT\" within 10s\nsee /locked/i\ndo acknowledge\n", owner.code(used+1)))
	till(nil, "user", "unlock", "3")
	play(sells(owner.code(max(used+1, presentStep()))) + `see "PAID OUT" within 10s
do acknowledge
journal verify
`)
}

// wrongs is n more wrong codes, each after the pause that follows the last.
func wrongs(code string, n int) (text string) {
	pause := time.Second
	for range n {
		text += fmt.Sprintf("wait %s\ndo approve\ntype \"3\\n%s\\n\"\ndo confirm\nsee /approval is wrong/i within 10s\n", pause+200*time.Millisecond, code)
		pause *= 2
	}
	return text
}
