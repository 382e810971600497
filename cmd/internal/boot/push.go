package boot

import (
	"context"

	"till/cmd/internal/config"
	"till/protocol"
	"till/server"
)

// pushed reads the text of a pushed configuration over the server's own.
func (s *Server) pushed(text string) (server.Settings, error) {
	s.setting.Lock()
	sources := s.o.Sources
	s.setting.Unlock()
	sources.Push = text
	c, err := config.Load(sources)
	if err != nil {
		return server.Settings{}, err
	}
	if s.o.Practice {
		c = practiceConfig(*c)
	}
	return settings(c)
}

// PushParams is the params of config.push.
type PushParams struct {
	Text  string   `json:"text"`
	Stage []string `json:"stage"` // names of terminals; none: all
}

// PushLine is one pushed configuration.
type PushLine struct {
	Push  int64            `json:"push"`
	At    protocol.Time    `json:"at"`
	State server.PushState `json:"state"`
	Stage []string         `json:"stage"` // names of the terminals it is tried on; none: all
	Text  string           `json:"text"`
}

func pushConfig(ctx context.Context, s *server.Server, p PushParams) (any, error) {
	push, err := s.Push(ctx, p.Text, p.Stage)
	return pushLine(ctx, s, push, err)
}

func promoteConfig(ctx context.Context, s *server.Server, _ struct{}) (any, error) {
	push, err := s.Promote(ctx)
	return pushLine(ctx, s, push, err)
}

func rollBackConfig(ctx context.Context, s *server.Server, _ struct{}) (any, error) {
	push, err := s.RollBack(ctx)
	return pushLine(ctx, s, push, err)
}

func pushLine(ctx context.Context, s *server.Server, p *server.Push, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	lines, err := pushLines(ctx, s, []*server.Push{p})
	if err != nil {
		return nil, err
	}
	return lines[0], nil
}

func listPushes(ctx context.Context, s *server.Server, _ struct{}) (any, error) {
	list, err := s.Pushes(ctx)
	if err != nil {
		return nil, err
	}
	return pushLines(ctx, s, list)
}

// pushLines names the terminals.
func pushLines(ctx context.Context, s *server.Server, list []*server.Push) ([]PushLine, error) {
	terminals, err := s.Terminals(ctx)
	if err != nil {
		return nil, err
	}
	names := map[protocol.TerminalID]string{}
	for _, t := range terminals {
		names[t.ID] = t.Name
	}
	lines := []PushLine{}
	for _, p := range list {
		line := PushLine{Push: p.Seq, At: p.At, State: p.State, Stage: []string{}, Text: p.Text}
		for _, id := range p.Stage {
			line.Stage = append(line.Stage, names[id])
		}
		lines = append(lines, line)
	}
	return lines, nil
}
