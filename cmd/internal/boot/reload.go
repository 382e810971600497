package boot

import (
	"context"
	"fmt"
	"slices"

	"till/cmd/internal/config"
)

// Reconfigure takes up a configuration that was read again while the server runs,
// and makes it a new certificate. Keys that a running server cannot take up keep
// their old values, and the log names them. One call at a time.
func (s *Server) Reconfigure(ctx context.Context, c *config.Config, sources config.Sources) error {
	if s.o.Practice {
		c = practiceConfig(*c)
	}
	rules, err := settings(c)
	if err != nil {
		return fmt.Errorf("reload configuration: %w", err)
	}
	if len(c.Server.PublicHost) == 0 {
		rules.PublicHost, rules.Hosts = s.named.PublicHost, s.named.Hosts
	}
	s.setting.Lock()
	s.o.Sources = sources
	s.setting.Unlock()
	if err := s.core.SetSettings(ctx, rules); err != nil {
		return fmt.Errorf("reload configuration: %w", err)
	}
	before := s.o.Config
	if s.taken != nil {
		before = s.taken
	}
	s.taken = c
	only := func(names []string, live bool) []string {
		return slices.DeleteFunc(names, func(name string) bool { return config.Live(name) != live })
	}
	s.o.Log.InfoContext(ctx, "configuration reloaded", "changed", only(config.Changed(before, c), true))
	if later := only(config.Changed(s.o.Config, c), false); len(later) > 0 {
		s.o.Log.WarnContext(ctx, "some keys hold from the next start on", "keys", later)
	}
	return nil
}
