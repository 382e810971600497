package backoffice

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/ssh"
	"charm.land/wish/v2"
	wishtea "charm.land/wish/v2/bubbletea"
	gossh "golang.org/x/crypto/ssh"
)

// Options are what a back office is made of; all are needed.
type Options struct {
	Title   string
	Pages   []Page
	HostKey string // path of the host's key, made when there is none
	Keys    string // path of the authorized_keys, read at every visit
	Clock   func() time.Time
	Log     *slog.Logger
}

const (
	visitors = 8                // at once
	idleTime = 15 * time.Minute // without a key or a byte
	longest  = 12 * time.Hour
	maxKeys  = 64 << 10 // bytes of authorized_keys
)

// ErrNoKeys: nobody could come in.
var ErrNoKeys = errors.New("there is no key that may come in")

// Serve lets visitors in on the listener until ctx ends.
func Serve(ctx context.Context, l net.Listener, o Options) error {
	seats := make(chan struct{}, visitors)
	s, err := wish.NewServer(
		wish.WithHostKeyPath(o.HostKey), wish.WithIdleTimeout(idleTime), wish.WithMaxTimeout(longest),
		wish.WithPublicKeyAuth(func(v ssh.Context, key ssh.PublicKey) bool {
			name, in := o.authorized(key)
			o.Log.InfoContext(v, "back office", "address", v.RemoteAddr(), "key", gossh.FingerprintSHA256(key), "name", name, "in", in)
			return in
		}),
		wish.WithMiddleware(wishtea.Middleware(func(v ssh.Session) (tea.Model, []tea.ProgramOption) {
			s := &screen{ctx: v.Context(), title: o.Title, clock: o.Clock, pages: o.Pages}
			if pty, _, is := v.Pty(); is {
				s.width, s.height = pty.Window.Width, pty.Window.Height
			}
			return s, []tea.ProgramOption{tea.WithoutSignalHandler()}
		}), seated(seats)),
	)
	if err != nil {
		return fmt.Errorf("open back office: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = s.Close() })
	defer stop()
	if err := s.Serve(l); !errors.Is(err, ssh.ErrServerClosed) && ctx.Err() == nil {
		return fmt.Errorf("serve back office: %w", err)
	}
	return nil
}

// seated turns away who finds no seat, asks for a command or has no terminal.
func seated(seats chan struct{}) wish.Middleware {
	return func(next ssh.Handler) ssh.Handler {
		return func(v ssh.Session) {
			if _, _, is := v.Pty(); !is || len(v.Command()) > 0 || v.Subsystem() != "" {
				wish.Fatalln(v, "till: the back office is a screen; come with a terminal and without a command")
				return
			}
			select {
			case seats <- struct{}{}:
				defer func() { <-seats }()
				next(v)
			default:
				wish.Fatalln(v, "till: too many visitors; come again later")
			}
		}
	}
}

// CheckKeys fails unless somebody may come in.
func CheckKeys(path string) error {
	text, err := readKeys(path)
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	found := false
	eachKey(text, func(gossh.PublicKey, string) { found = true })
	if !found {
		return fmt.Errorf("%w: %s has none without options", ErrNoKeys, path)
	}
	return nil
}

// authorized looks for the key in the owner's list.
func (o Options) authorized(key ssh.PublicKey) (name string, in bool) {
	text, err := readKeys(o.Keys)
	if err != nil {
		o.Log.Error("authorized keys not read", "error", err)
		return "", false
	}
	eachKey(text, func(known gossh.PublicKey, comment string) {
		if ssh.KeysEqual(known, key) {
			name, in = comment, true
		}
	})
	return name, in
}

func readKeys(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKeys+1))
	if err == nil && len(text) > maxKeys {
		err = fmt.Errorf("it has more than %d bytes", maxKeys)
	}
	return text, errors.Join(err, f.Close())
}

// eachKey calls f for the keys of an authorized_keys file. A line with options, such
// as from="…", is left out: they would not be kept to.
func eachKey(text []byte, f func(key gossh.PublicKey, comment string)) {
	for line := range bytes.Lines(text) {
		key, comment, options, _, err := gossh.ParseAuthorizedKey(line)
		if err == nil && len(options) == 0 {
			f(key, comment)
		}
	}
}
