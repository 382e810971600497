package backoffice

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	gossh "golang.org/x/crypto/ssh"
)

// owner has a key.
func owner(t *testing.T) (gossh.Signer, string) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := gossh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return signer, string(gossh.MarshalAuthorizedKey(signer.PublicKey()))
}

// open serves a back office of two pages for who is in keys.
func open(t *testing.T, keys string) (address, keysFile string) {
	t.Helper()
	dir := t.TempDir()
	keysFile = filepath.Join(dir, "authorized_keys")
	if err := os.WriteFile(keysFile, []byte(keys), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- Serve(ctx, l, Options{
			Title: "Corner Café", HostKey: filepath.Join(dir, "host"), Keys: keysFile, Clock: time.Now, Log: slog.New(slog.DiscardHandler),
			Pages: []Page{
				{"terminals", func(context.Context) (string, error) {
					return "bar  living\n\x1b[31mred\x07\n" + strings.Repeat("x", 500), nil
				}},
				{"sales", func(context.Context) (string, error) { return "", errors.New("the disk is gone") }},
			},
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String(), keysFile
}

func visit(address string, auth ...gossh.AuthMethod) (*gossh.Client, error) {
	return gossh.Dial("tcp", address, &gossh.ClientConfig{User: "owner", Auth: auth, HostKeyCallback: gossh.InsecureIgnoreHostKey(), Timeout: 10 * time.Second})
}

// window is what a terminal received.
type window struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (w *window) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

func (w *window) shows(t *testing.T, text string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		w.mu.Lock()
		said := w.b.String()
		w.mu.Unlock()
		if strings.Contains(said, text) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("no %q in %q", text, said)
		}
	}
}

func TestTheOwnerLooksAtThePages(t *testing.T) {
	t.Parallel()
	signer, line := owner(t)
	address, _ := open(t, "# the owner's\n"+line)
	client, err := visit(address, gossh.PublicKeys(signer))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	session, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	w := &window{}
	session.Stdout = w
	keys, err := session.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(session.RequestPty("xterm-256color", 24, 80, gossh.TerminalModes{}), session.Shell()); err != nil {
		t.Fatal(err)
	}
	w.shows(t, "Corner Café")
	w.shows(t, "bar  living")
	w.shows(t, "read ")
	w.mu.Lock()
	if strings.Contains(w.b.String(), "red\x07") || strings.Contains(w.b.String(), strings.Repeat("x", 81)) {
		t.Errorf("a page writes on the terminal: %q", w.b.String())
	}
	w.mu.Unlock()
	if _, err := io.WriteString(keys, "2"); err != nil {
		t.Fatal(err)
	}
	w.shows(t, "the disk is gone")
	if _, err := io.WriteString(keys, "q"); err != nil {
		t.Fatal(err)
	}
	if err := session.Wait(); err != nil {
		t.Errorf("leaving: %v", err)
	}
}

func TestOnlyKeysOfTheListComeIn(t *testing.T) {
	t.Parallel()
	signer, line := owner(t)
	stranger, _ := owner(t)
	address, file := open(t, line)
	for name, auth := range map[string]gossh.AuthMethod{"stranger": gossh.PublicKeys(stranger), "password": gossh.Password(""), "keyboard": gossh.KeyboardInteractive(
		func(string, string, []string, []bool) ([]string, error) { return nil, nil })} {
		if client, err := visit(address, auth); err == nil {
			_ = client.Close()
			t.Errorf("a %s comes in", name)
		}
	}
	// The list is read at every visit, and options are not kept to: such a key stays out.
	for _, keys := range []string{"", `from="10.0.0.1" ` + line} {
		if err := os.WriteFile(file, []byte(keys), 0o600); err != nil {
			t.Fatal(err)
		}
		if client, err := visit(address, gossh.PublicKeys(signer)); err == nil {
			_ = client.Close()
			t.Errorf("comes in by %q", keys)
		}
		if err := CheckKeys(file); !errors.Is(err, ErrNoKeys) {
			t.Errorf("%q: %v", keys, err)
		}
	}
}

func TestTheBackOfficeIsAScreenAndNothingElse(t *testing.T) {
	t.Parallel()
	signer, line := owner(t)
	address, _ := open(t, line)
	client, err := visit(address, gossh.PublicKeys(signer))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	for name, ask := range map[string]func(*gossh.Session) error{
		"command":   func(s *gossh.Session) error { return s.Run("cat /etc/passwd") },
		"sftp":      func(s *gossh.Session) error { return errors.Join(s.RequestSubsystem("sftp"), s.Wait()) },
		"no screen": func(s *gossh.Session) error { return errors.Join(s.Shell(), s.Wait()) },
	} {
		session, err := client.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		w := &window{}
		session.Stdout = w
		if err := ask(session); err == nil {
			t.Errorf("%s: it is given", name)
		}
		if strings.Contains(w.b.String(), "bar") {
			t.Errorf("%s: %q", name, w.b.String())
		}
		_ = session.Close()
	}
	if _, err := client.Dial("tcp", address); err == nil {
		t.Error("a port is forwarded")
	}
	if _, err := client.Listen("tcp", "127.0.0.1:0"); err == nil {
		t.Error("a port is opened")
	}
}
