package vault

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// startTPM runs a real swtpm and gives its vault URL.
func startTPM(t testing.TB) string {
	t.Helper()
	return "tpm:unix:" + startSwtpm(t, "type=unixio,path=", filepath.Join(t.TempDir(), "sock"))
}

// startSwtpm runs swtpm on a socket until the test ends.
func startSwtpm(t testing.TB, server, address string) string {
	t.Helper()
	program, err := exec.LookPath("swtpm")
	if err != nil {
		t.Skip("swtpm is not installed")
	}
	cmd := exec.Command(program, "socket", "--tpm2", "--tpmstate", "dir="+t.TempDir(), "--server", server+address, "--flags", "not-need-init")
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s", complaints.Bytes())
		}
	})
	network, target := "unix", address
	if strings.Contains(server, "tcp") {
		network, target = "tcp", "127.0.0.1:"+address
	}
	for began := time.Now(); ; {
		conn, err := net.Dial(network, target)
		if err == nil {
			_ = conn.Close()
			return address
		}
		if time.Since(began) > 10*time.Second {
			t.Fatalf("swtpm does not listen: %v", err)
		}
		time.Sleep(5 * time.Millisecond) // until another process listens
	}
}

func openVault(t testing.TB, url, dir string, secret []byte) Vault {
	t.Helper()
	v, err := Open(url, dir, secret, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() })
	return v
}

func must(t testing.TB, s crypto.Signer, err error) crypto.Signer {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func verify(t testing.TB, s crypto.Signer) {
	t.Helper()
	digest := sha256.Sum256([]byte("till"))
	signature, err := s.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	if !ecdsa.VerifyASN1(s.Public().(*ecdsa.PublicKey), digest[:], signature) {
		t.Error("the signature is not of the key")
	}
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
