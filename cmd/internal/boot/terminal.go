package boot

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"till/cmd/internal/config"
	"till/protocol"
	"till/protocol/terminal"
)

// embeddedHost is what the embedded server's certificate names for the terminal
// of the same process.
const embeddedHost = "localhost:8443"

// TerminalOptions are what a terminal is made of.
type TerminalOptions struct {
	Dir      string
	Config   *config.Config
	Clock    *Clock
	Random   io.Reader
	Log      *slog.Logger
	Software string
	// Embedded: the server lives in this process and is reached through Line.
	Embedded bool
	Line     *Line
	Cable    *Cable // to a server elsewhere; nil: one that nobody cuts
	Safe     *Safe  // nil: the configured one is opened, its switch not watched
}

// OpenTerminal opens the terminal's half. It calls nobody; see [terminal.Terminal.Run].
func OpenTerminal(ctx context.Context, o TerminalOptions) (*terminal.Terminal, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	if o.Safe == nil {
		var err error
		if o.Safe, err = OpenSafe(o.Config, o.Dir, o.Random, true); err != nil {
			return nil, err
		}
	}
	options := terminal.Options{
		Path: filepath.Join(o.Dir, "terminal.db"), Clock: o.Clock.Now, Random: o.Random, Log: o.Log,
		Software: o.Software, Vault: o.Safe,
	}
	if o.Embedded {
		options.Dial = o.Line.Dial
	} else {
		if o.Config.Server.URL != "" {
			options.Server = o.Config.Server.URL[len("https://"):]
		}
		if o.Cable != nil {
			options.Dial = o.Cable.Dial
		}
	}
	return terminal.Open(ctx, options)
}

// PairEmbedded pairs a new terminal with the embedded server, through the same
// link and enrolment as any other.
func (s *Server) PairEmbedded(ctx context.Context, t *terminal.Terminal) error {
	if _, paired := t.Identity(); paired {
		return nil
	}
	invitation, err := s.core.AddTerminal(ctx, s.o.Config.Terminal.Name, true, embeddedHost)
	if err != nil {
		return fmt.Errorf("pair with the embedded server: %w", err)
	}
	link, err := protocol.ParseLink(invitation.Link)
	if err != nil {
		return fmt.Errorf("pair with the embedded server: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return t.Pair(ctx, link, invitation.Name)
}

func bootSecret(c *config.Config) ([]byte, error) {
	if c.Vault.SecretFile == "" {
		return nil, nil
	}
	secret, err := readFile(c.Vault.SecretFile)
	if err != nil {
		return nil, fmt.Errorf("read boot secret: %w", err)
	}
	return secret, nil
}
