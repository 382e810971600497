package vault

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-tpm/tpm2"
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

func TestATPMKeepsItsKeyUntilItIsErased(t *testing.T) {
	url, dir := startTPM(t), t.TempDir()
	v := openVault(t, url, dir, nil)
	if _, err := v.Signer(); !errors.Is(err, ErrNoKey) {
		t.Fatalf("a new TPM: %v", err)
	}
	s, err := v.Generate()
	made := must(t, s, err)
	verify(t, made)
	if !v.Sealed() {
		t.Error("the disk holds the key")
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	v = openVault(t, url, dir, nil)
	s, err = v.Signer()
	again := must(t, s, err)
	verify(t, again)
	if !made.Public().(*ecdsa.PublicKey).Equal(again.Public()) {
		t.Error("another key came back")
	}
	s, err = v.Generate()
	next := must(t, s, err)
	if next.Public().(*ecdsa.PublicKey).Equal(again.Public()) {
		t.Error("no new key was made")
	}
	if _, err := again.Sign(nil, make([]byte, 32), crypto.SHA256); !errors.Is(err, ErrNoKey) {
		t.Errorf("the signer of a replaced key: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v is stored, %v", left, err)
	}
	for range 2 { // may be repeated
		if err := v.Erase(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := next.Sign(nil, make([]byte, 32), crypto.SHA256); !errors.Is(err, ErrNoKey) {
		t.Errorf("the signer of an erased key: %v", err)
	}
	if _, err := openVault(t, url, dir, nil).Signer(); !errors.Is(err, ErrNoKey) {
		t.Errorf("after an erase: %v", err)
	}
}

func TestATPMKeyAsksForTheBootSecret(t *testing.T) {
	url, dir := startTPM(t), t.TempDir()
	s, err := openVault(t, url, dir, []byte("credential")).Generate()
	made := must(t, s, err)
	s, err = openVault(t, url, dir, []byte("credential")).Signer()
	verify(t, must(t, s, err))
	for _, wrong := range [][]byte{nil, []byte("guess")} {
		for range 40 { // guesses do not lock the TPM
			if _, err := openVault(t, url, dir, wrong).Signer(); !errors.Is(err, ErrSealed) {
				t.Fatalf("with secret %q: %v", wrong, err)
			}
			if wrong != nil {
				break // Argon2id makes each one slow
			}
		}
	}
	verify(t, made)
}

func TestATPMKeySignsSHA256Only(t *testing.T) {
	v := openVault(t, startTPM(t), t.TempDir(), nil)
	s, err := v.Generate()
	made := must(t, s, err)
	digest := sha512.Sum512(nil)
	for _, c := range []struct {
		digest []byte
		hash   crypto.Hash
	}{{digest[:], crypto.SHA512}, {digest[:48], crypto.SHA384}, {digest[:20], crypto.SHA1}, {digest[:31], crypto.SHA256}} {
		if _, err := made.Sign(rand.Reader, c.digest, c.hash); err == nil {
			t.Errorf("it signs %v of %d bytes", c.hash, len(c.digest))
		}
	}
	// The TPM itself refuses what the signer would not ask for.
	tpm := v.(*TPM)
	_, err = tpm2.Sign{
		KeyHandle: tpm2.AuthHandle{Handle: tpm.handle, Name: tpm.key.name, Auth: tpm2.PasswordAuth(nil)},
		Digest:    tpm2.TPM2BDigest{Buffer: digest[:48]},
		InScheme: tpm2.TPMTSigScheme{Scheme: tpm2.TPMAlgECDSA, Details: tpm2.NewTPMUSigScheme(
			tpm2.TPMAlgECDSA, &tpm2.TPMSSchemeHash{HashAlg: tpm2.TPMAlgSHA384})},
		Validation: tpm2.TPMTTKHashCheck{Tag: tpm2.TPMSTHashCheck},
	}.Execute(tpm.tpm)
	if err == nil {
		t.Error("the TPM signs SHA-384 with the key")
	}
}

// authority is a server's CA for the tests.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t testing.TB) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a := authority{key: key}
	a.certificate = a.issue(t, &key.PublicKey, "CA", true)
	return a
}

func (a authority) issue(t testing.TB, public crypto.PublicKey, name string, ca bool) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour), IsCA: ca, BasicConstraintsValid: ca,
	}
	parent := a.certificate
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, a.key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// serve runs a TLS 1.3 server that wants clients of the CA and greets them.
func serve(t testing.TB, a authority) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		MinVersion: tls.VersionTLS13, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, SessionTicketsDisabled: true,
		Certificates: []tls.Certificate{{Certificate: [][]byte{a.issue(t, &key.PublicKey, "server", false).Raw}, PrivateKey: key}},
	})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { _ = l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
			_, _ = conn.Write([]byte("hello"))
			_ = conn.Close()
		}
	}()
	return l.Addr().String()
}

// connect makes a handshake with the signer's key and hears the greeting.
func connect(ctx context.Context, address string, a authority, certificate *x509.Certificate, s crypto.Signer) error {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	d := tls.Dialer{Config: &tls.Config{
		MinVersion: tls.VersionTLS13, RootCAs: pool, ServerName: "server",
		Certificates: []tls.Certificate{{Certificate: [][]byte{certificate.Raw}, PrivateKey: s, Leaf: certificate}},
	}}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	text, err := io.ReadAll(conn)
	if err == nil && string(text) != "hello" {
		err = errors.New("the server said " + string(text))
	}
	return err
}

func TestTheKeyOfATLSConnectionLivesAndDiesInTheVault(t *testing.T) {
	for _, kind := range []string{"file", "TPM", "TPM over TCP"} {
		t.Run(kind, func(t *testing.T) {
			url := "file:"
			switch kind {
			case "TPM":
				url = startTPM(t)
			case "TPM over TCP":
				url = "tpm:tcp://127.0.0.1:" + startSwtpm(t, "type=tcp,port=", freePort(t))
			}
			ca := newAuthority(t)
			address := serve(t, ca)
			dir := t.TempDir()
			v := openVault(t, url, dir, nil)
			s, err := v.Generate()
			signer := must(t, s, err)
			certificate := ca.issue(t, signer.Public(), "terminal", false)
			for range 2 {
				if err := connect(t.Context(), address, ca, certificate, signer); err != nil {
					t.Fatal(err)
				}
			}
			if err := v.Tamper("case switch"); err != nil {
				t.Fatal(err)
			}
			if err := connect(t.Context(), address, ca, certificate, signer); err == nil || !strings.Contains(err.Error(), ErrNoKey.Error()) {
				t.Errorf("with an erased key: %v", err)
			}
			if sensor, found, err := Tampered(dir); sensor != "case-switch" || !found || err != nil {
				t.Errorf("tampered: %q, %v, %v", sensor, found, err)
			}
			// A new key is not the old one: its certificate is refused too.
			s, err = openVault(t, url, dir, nil).Generate()
			if err := connect(t.Context(), address, ca, certificate, must(t, s, err)); err == nil {
				t.Error("another key passes for the erased one")
			}
		})
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

// TestWhatARecordedKeySurvives shows what package vault says: a wrapped key that
// somebody recorded when it was made loads again after it was evicted, and no
// more once the TPM was provisioned and so cleared.
func TestWhatARecordedKeySurvives(t *testing.T) {
	for _, provisioned := range []bool{false, true} {
		v := openVault(t, startTPM(t), t.TempDir(), nil).(*TPM)
		record := &recorder{}
		dial := v.tpm.dial
		v.tpm.dial = func() (tpmConn, error) {
			conn, err := dial()
			record.tpmConn = conn
			return record, err
		}
		if err := v.tpm.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := v.Generate(); err != nil {
			t.Fatal(err)
		}
		if provisioned {
			for range 2 {
				if err := v.Provision(); err != nil {
					t.Fatal(err)
				}
			}
		}
		load := func() error {
			root, err := tpm2.CreatePrimary{PrimaryHandle: tpm2.TPMRHOwner, InPublic: tpm2.New2B(tpm2.ECCSRKTemplate)}.Execute(v.tpm)
			if err != nil {
				t.Fatal(err)
			}
			defer v.flush(root.ObjectHandle)
			command := bytes.Clone(record.load)
			copy(command[10:], []byte{byte(root.ObjectHandle >> 24), byte(root.ObjectHandle >> 16), byte(root.ObjectHandle >> 8), byte(root.ObjectHandle)})
			answer, err := v.tpm.Send(command)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(answer[6:10], make([]byte, 4)) {
				return tpm2.TPMRC(uint32(answer[8])<<8 | uint32(answer[9]))
			}
			v.flush(tpm2.TPMHandle(uint32(answer[10])<<24 | uint32(answer[11])<<16 | uint32(answer[12])<<8 | uint32(answer[13])))
			return nil
		}
		if err := load(); err != nil {
			t.Fatalf("before the erase: %v", err)
		}
		if err := v.Erase(); err != nil {
			t.Fatal(err)
		}
		if err := load(); (err != nil) != provisioned {
			t.Errorf("after the erase, provisioned %v: %v", provisioned, err)
		}
		if left, err := os.ReadDir(v.dir); err != nil || len(left) > 0 {
			t.Errorf("%v is left, %v", left, err)
		}
		if _, err := v.Generate(); err != nil {
			t.Errorf("a new key afterwards: %v", err)
		}
	}
}

// recorder listens on the bus for TPM2_Load.
type recorder struct {
	tpmConn
	load []byte
}

func (r *recorder) Write(p []byte) (int, error) {
	if len(p) > 10 && bytes.Equal(p[6:10], []byte{0, 0, 0x01, 0x57}) {
		r.load = bytes.Clone(p)
	}
	return r.tpmConn.Write(p)
}

func TestAnEraseThatWasCutShortInTheTPMIsFinished(t *testing.T) {
	for _, step := range []string{"mark", "evicted", "cleared"} {
		t.Run(step, func(t *testing.T) {
			url, dir := startTPM(t), t.TempDir()
			v := openVault(t, url, dir, nil).(*TPM)
			if _, err := v.Generate(); err != nil {
				t.Fatal(err)
			}
			if err := v.Provision(); err != nil {
				t.Fatal(err)
			}
			auth, err := readLimited(v.lockoutPath())
			if err != nil {
				t.Fatal(err)
			}
			// The power goes after the mark, after the eviction, after the clearing.
			cut := errors.New("power cut")
			err = erase(dir, "lid", func() error {
				if step != "mark" {
					if err := v.evict(); err != nil {
						t.Error(err)
					}
				}
				if step == "cleared" {
					if err := v.clear(); err != nil {
						t.Error(err)
					}
					if err := replace(v.lockoutPath(), auth); err != nil { // not yet unlinked
						t.Error(err)
					}
				}
				return cut
			})
			if !errors.Is(err, cut) {
				t.Fatal(err)
			}
			if _, found, err := Tampered(dir); found || err != nil {
				t.Errorf("an unfinished erase is told as done: %v", err)
			}
			if _, err := openVault(t, url, dir, nil).Signer(); !errors.Is(err, ErrNoKey) {
				t.Errorf("after the start: %v", err)
			}
			if sensor, found, err := Tampered(dir); sensor != "lid" || !found || err != nil {
				t.Errorf("tampered: %q, %v, %v", sensor, found, err)
			}
			if err := Acknowledge(dir); err != nil {
				t.Error(err)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("%v is left, %v", left, err)
			}
		})
	}
}

func TestAProvisioningThatWasCutShortDoesNoHarm(t *testing.T) {
	v := openVault(t, startTPM(t), t.TempDir(), nil).(*TPM)
	if _, err := v.Generate(); err != nil {
		t.Fatal(err)
	}
	if err := replace(v.lockoutPath(), bytes.Repeat([]byte{7}, lockoutSize)); err != nil {
		t.Fatal(err)
	}
	if err := v.Erase(); err != nil {
		t.Errorf("erase with an authorization the TPM never got: %v", err)
	}
}

func TestAForeignLockoutIsNotTaken(t *testing.T) {
	v := openVault(t, startTPM(t), t.TempDir(), nil).(*TPM)
	_, err := tpm2.HierarchyChangeAuth{AuthHandle: tpm2.TPMRHLockout, NewAuth: tpm2.TPM2BAuth{Buffer: []byte("theirs")}}.Execute(v.tpm)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Provision(); err == nil {
		t.Error("the TPM was provisioned")
	}
	if _, err := os.Stat(v.lockoutPath()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something is stored: %v", err)
	}
}

func TestAForeignObjectAtTheHandleIsLeftAlone(t *testing.T) {
	url, dir := startTPM(t), t.TempDir()
	v := openVault(t, url, dir, nil).(*TPM)
	root, err := tpm2.CreatePrimary{PrimaryHandle: tpm2.TPMRHOwner, InPublic: tpm2.New2B(tpm2.ECCSRKTemplate)}.Execute(v.tpm)
	if err != nil {
		t.Fatal(err)
	}
	_, err = tpm2.EvictControl{Auth: tpm2.TPMRHOwner, ObjectHandle: tpm2.NamedHandle{Handle: root.ObjectHandle, Name: root.Name}, PersistentHandle: v.handle}.Execute(v.tpm)
	if err != nil {
		t.Fatal(err)
	}
	v.flush(root.ObjectHandle)
	if _, err := v.Signer(); !errors.Is(err, ErrTaken) {
		t.Errorf("signer: %v", err)
	}
	if _, err := v.Generate(); !errors.Is(err, ErrTaken) {
		t.Errorf("generate: %v", err)
	}
	if err := v.Erase(); err != nil {
		t.Errorf("erase: %v", err)
	}
	if _, err := (tpm2.ReadPublic{ObjectHandle: v.handle}).Execute(v.tpm); err != nil {
		t.Errorf("it is gone: %v", err)
	}
	// Another handle is free.
	s, err := openVault(t, url+"?handle=0x81710002", dir, nil).Generate()
	verify(t, must(t, s, err))
}

func TestATPMThatComesBackIsUsedAgain(t *testing.T) {
	v := openVault(t, startTPM(t), t.TempDir(), nil).(*TPM)
	s, err := v.Generate()
	signer := must(t, s, err)
	dial := v.tpm.dial
	v.tpm.dial = func() (tpmConn, error) { return nil, io.ErrClosedPipe }
	if _, err := signer.Sign(nil, make([]byte, 32), crypto.SHA256); !errors.Is(err, io.ErrClosedPipe) {
		t.Fatalf("without a TPM: %v", err)
	}
	if err := v.Erase(); !errors.Is(err, io.ErrClosedPipe) {
		t.Fatalf("erase without a TPM: %v", err)
	}
	v.tpm.dial = dial
	if _, err := signer.Sign(nil, make([]byte, 32), crypto.SHA256); !errors.Is(err, ErrNoKey) {
		t.Errorf("a key whose erase has begun signs: %v", err)
	}
	if unfinished, err := begun(v.dir); !unfinished || err != nil {
		t.Errorf("the erase is not marked: %v", err)
	}
	if err := v.Erase(); err != nil {
		t.Error(err)
	}
}

func TestVaultURLsAreStrict(t *testing.T) {
	for _, url := range []string{
		"", "tpm:", "tpm:dev/tpm0", "tpm:/dev/../tpm0", "tpm:/", "tpm:unix:", "tpm:unix:sock", "tpm:tcp://", "tpm:tcp://host", "tpm:tcp://host:0", "tpm:tcp://:1",
		"tpm:tcp://h:1/x", "tpm:/dev/tpm0?", "tpm:/dev/tpm0?handle=1", "tpm:/dev/tpm0?handle=0x81800000", "tpm:/dev/tpm0?handle=0x81000000&x=1", "file:/x", "http://x", "tpm:" + strings.Repeat("x", 2000),
	} {
		if _, err := Open(url, t.TempDir(), nil, rand.Reader); err == nil || strings.Contains(err.Error(), "open TPM") {
			t.Errorf("%q: %v", url, err)
		}
	}
	for _, url := range []string{"tpm:/dev/tpmrm0", "tpm:unix:/run/x", "tpm:tcp://[::1]:2321", "tpm:/dev/tpm0?handle=0x8100abcd"} {
		if _, _, err := parseTPM(url); err != nil {
			t.Errorf("%q: %v", url, err)
		}
	}
	file := filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(file, []byte("data"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open("tpm:"+file, t.TempDir(), nil, rand.Reader); err == nil {
		t.Error("a file passes for a TPM")
	}
	if text, err := os.ReadFile(file); string(text) != "data" || err != nil {
		t.Errorf("the file holds %q, %v", text, err)
	}
}

// FuzzRoundTrip: an answer is taken only as long as its header says.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte{0x80, 1, 0, 0, 0, 10, 0, 0, 1, 0}, 3)
	f.Add([]byte{0x80, 1, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0}, 12)
	f.Add([]byte{0x80, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0}, 10)
	f.Fuzz(func(t *testing.T, answer []byte, piece int) {
		got, err := roundTrip(&script{answer, max(piece, 1)}, nil)
		if err == nil && (len(got) < headerSize || int(binary.BigEndian.Uint32(got[2:])) != len(got) || !bytes.HasPrefix(answer, got)) {
			t.Errorf("% x was taken for % x", got, answer)
		}
	})
}

// script is a TPM that says the same in pieces.
type script struct {
	rest  []byte
	piece int
}

func (s *script) Write(p []byte) (int, error) { return len(p), nil }

func (s *script) Read(p []byte) (int, error) {
	n := copy(p, s.rest[:min(s.piece, len(s.rest))])
	s.rest = s.rest[n:]
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func BenchmarkSignTPM(b *testing.B)       { benchmarkSign(b, startTPM(b), nil) }
func BenchmarkSignTPMSecret(b *testing.B) { benchmarkSign(b, startTPM(b), []byte("secret")) }
func BenchmarkSignFile(b *testing.B)      { benchmarkSign(b, "file:", nil) }

func benchmarkSign(b *testing.B, url string, secret []byte) {
	s, err := openVault(b, url, b.TempDir(), secret).Generate()
	signer := must(b, s, err)
	digest := sha256.Sum256(nil)
	for b.Loop() {
		if _, err := signer.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHandshake is a whole TLS 1.3 connection with a client's certificate.
func BenchmarkHandshakeTPM(b *testing.B)  { benchmarkHandshake(b, startTPM(b)) }
func BenchmarkHandshakeFile(b *testing.B) { benchmarkHandshake(b, "file:") }

func benchmarkHandshake(b *testing.B, url string) {
	ca := newAuthority(b)
	address := serve(b, ca)
	s, err := openVault(b, url, b.TempDir(), nil).Generate()
	signer := must(b, s, err)
	certificate := ca.issue(b, signer.Public(), "terminal", false)
	for b.Loop() {
		if err := connect(b.Context(), address, ca, certificate, signer); err != nil {
			b.Fatal(err)
		}
	}
}
