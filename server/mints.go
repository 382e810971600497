package server

import (
	"context"
	"fmt"
)

// Mints asks every trusted mint for its keys, each once a minute at most, and
// gives what came of it by its address: nil where it answers.
func (s *Server) Mints(ctx context.Context) map[string]error {
	found := map[string]error{}
	if s.cash == nil {
		return found
	}
	for _, m := range s.cash.o.Mints {
		_, err := m.Client.Refresh(ctx)
		found[m.URL] = err
	}
	return found
}

// Alive reads the database.
func (s *Server) Alive(ctx context.Context) error {
	err := s.o.Store.Read(ctx, func(tx *Tx) error {
		_, err := tx.Settings.Get(settingLog)
		return err
	})
	if err != nil {
		return fmt.Errorf("read the database: %w", err)
	}
	return nil
}
