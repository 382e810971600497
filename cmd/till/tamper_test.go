package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"till/cmd/internal/boot"
	"till/cmd/internal/story"
)

// TestATamperedTerminalStaysAwayUntilItIsPairedAnew plays testdata/tampered on two
// machines, with the key in a sealed file and in a TPM.
func TestATamperedTerminalStaysAwayUntilItIsPairedAnew(t *testing.T) {
	if testing.Short() {
		t.Skip("plays whole shops")
	}
	for _, v := range []struct {
		name string
		url  func(*testing.T) string
	}{
		{"file", func(*testing.T) string { return "file:" }},
		{"tpm", startTPM},
	} {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			shop, err := openRemoteStage(t, "TILL_VAULT_URL="+v.url(t), "TILL_VAULT_TAMPER=sim:")
			if err != nil {
				t.Fatal(err)
			}
			r := shop.Clock.(*remoteStage)
			t.Cleanup(func() { _ = r.close() }) // a directory of its own, removed by then
			playOn(t, *shop, "before")

			link, err := r.invite("--replace")
			if err != nil {
				t.Fatal(err)
			}
			refused := r.command("enroll", link, "--data", r.dir)
			if out, err := refused.CombinedOutput(); err == nil || refused.ProcessState.ExitCode() != exitRefused {
				t.Fatalf("paired over the old journal: %v: %s", err, out)
			}
			if link, err = r.invite("--replace"); err != nil {
				t.Fatal(err)
			}
			if out, err := r.command("enroll", "--again", link, "--data", r.dir).CombinedOutput(); err != nil {
				t.Fatalf("pair anew: %v: %s", err, out)
			}
			playOn(t, *shop, "after")

			out, err := exec.Command(r.program, "terminal", "list", "--json", "--data", r.serverDir).Output()
			var terminals []boot.TerminalLine
			if err != nil || json.Unmarshal(out, &terminals) != nil || len(terminals) != 2 || terminals[0].ID == terminals[1].ID {
				t.Errorf("the server knows %s, %v", out, err)
			}
			old, err := filepath.Glob(filepath.Join(r.dir, "terminal-*.db"))
			if err != nil || len(old) != 1 {
				t.Errorf("the old journal is %v, %v", old, err)
			}
		})
	}
}

// playOn plays a story in a shop that lives on.
func playOn(t *testing.T, shop story.Shop, name string) {
	t.Helper()
	shop.Close = func() error { return nil }
	results, err := story.Play(t.Context(), story.Options{
		Open: func(context.Context) (*story.Shop, error) { return &shop, nil },
		Now:  time.Now, Out: t.Output(), Shots: t.TempDir(),
	}, []string{filepath.Join("testdata", "tampered", name+".story")})
	if err != nil {
		t.Fatal(err)
	}
	if r := results[0]; !r.Held {
		_ = story.Report(t.Output(), results) // the log of a test takes all
		t.Fatal(r.Failure)
	}
}

// startTPM runs a software TPM on a socket and gives its vault.url.
func startTPM(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("swtpm")
	if err != nil {
		t.Skip("swtpm is not installed")
	}
	dir, err := os.MkdirTemp("", "till-tpm-") // short: it is a socket's
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	child := exec.Command(program, "socket", "--tpm2", "--tpmstate", "dir="+dir, "--server", "type=unixio,path="+socket, "--flags", "not-need-init")
	var complaints bytes.Buffer
	child.Stderr = &complaints
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = child.Process.Kill()
		_ = child.Wait() // killed, it says so
		_ = os.RemoveAll(dir)
		if t.Failed() {
			t.Logf("%s", complaints.Bytes())
		}
	})
	await(t, "the TPM", func() error {
		conn, err := net.Dial("unix", socket)
		if err != nil {
			return err
		}
		return conn.Close()
	})
	return "tpm:unix:" + socket
}

// TestAMachineWithItsOwnServerIsPairedAnewAtItsNextStart: it needs no link.
func TestAMachineWithItsOwnServerIsPairedAnewAtItsNextStart(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a program")
	}
	t.Parallel()
	dir := t.TempDir()
	enroll := func(args ...string) (int, string) {
		c := exec.CommandContext(t.Context(), tillProgram(t), append([]string{"enroll", "--data", dir}, args...)...)
		c.Env = []string{"HOME=" + dir}
		out, _ := c.CombinedOutput() // the exit code says it
		return c.ProcessState.ExitCode(), string(out)
	}
	if code, out := enroll(); code != exitUsage {
		t.Errorf("without a link: exit %d, %s", code, out)
	}
	if code, out := enroll("--again"); code != 0 || !bytes.Contains([]byte(out), []byte("next start")) {
		t.Errorf("--again: exit %d, %s", code, out)
	}
}

// TestTheVaultTellsHowSafeItIs: a file without a boot secret, and a TPM that is
// provisioned.
func TestTheVaultTellsHowSafeItIs(t *testing.T) {
	if testing.Short() {
		t.Skip("starts programs")
	}
	t.Parallel()
	dir := t.TempDir()
	till := func(env string, args ...string) (int, string) {
		c := exec.CommandContext(t.Context(), tillProgram(t), append(args, "--data", dir)...)
		c.Env = []string{"HOME=" + dir, env}
		out, _ := c.CombinedOutput() // the exit code says it
		return c.ProcessState.ExitCode(), string(out)
	}
	if code, out := till("", "vault", "show", "--json"); code != 0 || out != `{"url":"file:","key":false,"sealed":false,"switch":"none","tampered":""}`+"\n" {
		t.Errorf("file: exit %d, %s", code, out)
	}
	if code, out := till("", "vault", "provision", "--yes"); code != exitRefused {
		t.Errorf("a file is provisioned: exit %d, %s", code, out)
	}
	tpm := "TILL_VAULT_URL=" + startTPM(t)
	if code, out := till(tpm, "vault", "provision"); code != exitUsage {
		t.Errorf("nobody is asked: exit %d, %s", code, out)
	}
	for range 2 { // a second time does nothing
		if code, out := till(tpm, "vault", "provision", "--yes"); code != 0 {
			t.Errorf("provision: exit %d, %s", code, out)
		}
	}
}
