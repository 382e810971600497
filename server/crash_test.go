package server_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"till/protocol"
	"till/protocol/bitcoin"
	"till/server"
)

// crashVar tells the test's own child at which call of the node to crash.
const crashVar = "TILL_TEST_CRASH"

// crashing is a node whose client panics.
type crashing struct {
	server.Chain
	at    string
	armed bool
}

func (c *crashing) Payments(ctx context.Context, scripts []server.Script) ([]server.Payment, server.Tip, error) {
	if c.armed && c.at == "payments" && ctx.Value(callMark{}) != nil {
		panic("the client of the node has a fault")
	}
	return c.Chain.Payments(ctx, scripts)
}

func (c *crashing) Broadcast(ctx context.Context, tx []byte) error {
	if c.armed && ctx.Value(callMark{}) != nil {
		panic("the client of the node has a fault")
	}
	return c.Chain.Broadcast(ctx, tx)
}

// TestCrashingChild is what the child does: a sweep or a dispense that crashes.
func TestCrashingChild(t *testing.T) {
	at := os.Getenv(crashVar)
	if at == "" {
		t.Skip("runs as a child only")
	}
	b := openBank(t, func(s *server.Settings) {
		much := eur(1_000_000)
		s.Limits = protocol.Limits{PinApproval: &much, PinApprovalDay: &much}
	})
	node := &crashing{Chain: b.chain, at: at}
	b.stop()
	b.through = node
	b.start()
	if at == "dispense" {
		p := b.coins(1000)
		code := b.pin("2", p, int64(b.clock())/1000/30)
		p.Authcode = protocol.NewSecret(code)
		os.Stdout.WriteString("CODE " + hex.EncodeToString([]byte(code)) + "\n")
		node.armed = true
		crash(t, func() error {
			_, err := b.Dispense(marked(), b.id, p)
			return err
		})
	}
	b.pay(b.forms(sweepKey)[2], 50_000)
	b.mine(1)
	node.armed = true
	crash(t, func() error {
		_, err := b.Sweep(marked(), b.id, protocol.Sweep{ID: protocol.PayoutID(newID(t)), Keys: keys(sweepKey)})
		return err
	})
}

// crash calls f where no test tidies up behind a panic, as in a server.
func crash(t *testing.T, f func() error) {
	ended := make(chan error)
	go func() { ended <- f() }()
	t.Fatal("no crash:", <-ended)
}

// TestACrashLeavesNoSecret has a child crash with a key or a code in hand, and
// searches its last words and every file it leaves.
func TestACrashLeavesNoSecret(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"payments", "broadcast", "dispense"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			child := exec.Command(os.Args[0], "-test.run=^TestCrashingChild$", "-test.v")
			child.Env = append(os.Environ(), crashVar+"="+at, "TMPDIR="+dir, "GOTRACEBACK=all")
			out, err := child.CombinedOutput()
			if err == nil || !bytes.Contains(out, []byte("the client of the node has a fault")) || !bytes.Contains(out, []byte("goroutine ")) {
				t.Fatalf("the child did not crash: %v\n%.2000s", err, out)
			}
			secrets := keySecrets(t, sweepKey)
			if _, rest, ok := bytes.Cut(out, []byte("CODE ")); ok {
				code, err := hex.DecodeString(string(rest[:bytes.IndexByte(rest, '\n')]))
				if err != nil {
					t.Fatal(err)
				}
				secrets = append(secrets, string(code), strings.TrimPrefix(string(code), "2:"))
			} else if at == "dispense" {
				t.Fatal("the child told no code")
			}
			places := map[string][]byte{"its last words": out}
			err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				places[path], err = os.ReadFile(path)
				return err
			})
			if err != nil || len(places) < 3 {
				t.Fatalf("%d places, %v", len(places), err)
			}
			for place, text := range places {
				for _, secret := range secrets {
					if bytes.Contains(text, []byte(secret)) {
						t.Errorf("%s holds a secret", place)
					}
				}
			}
		})
	}
}

// keySecrets are the texts and the bytes that a key is known by.
func keySecrets(t *testing.T, wif string) []string {
	t.Helper()
	key, err := bitcoin.ParseWIF(wif, bitcoin.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	private := key.Private()
	defer private.Zero()
	raw := private.Serialize()
	return []string{wif, string(raw), hex.EncodeToString(raw), strings.ToUpper(hex.EncodeToString(raw))}
}
