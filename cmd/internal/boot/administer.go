package boot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"till/protocol"
)

// Administer carries a command out on the data in o.Dir: by the till that runs
// there and takes effect at once, else by opening the data in this process.
// result is a pointer, or nil.
func Administer(ctx context.Context, o ServerOptions, call string, params, result any) error {
	text, err := protocol.Encode(params)
	if err != nil {
		return err
	}
	answer, err := administer(ctx, o, Command{call, text})
	if err != nil || result == nil {
		return err
	}
	if err := json.Unmarshal(answer, result); err != nil {
		return fmt.Errorf("read the answer of %s: %w", call, err)
	}
	return nil
}

func administer(ctx context.Context, o ServerOptions, c Command) (answer json.RawMessage, err error) {
	lock, err := TakeLock(o.Dir)
	var held *HeldError
	if errors.As(err, &held) {
		if answer, err = ask(ctx, o.Dir, c); err != nil {
			var refused *adminError
			if !errors.As(err, &refused) {
				// It runs and has no socket: a till without a server.
				return nil, errors.Join(held, err)
			}
		}
		return answer, err
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	s, err := OpenServer(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return run(ctx, s.core, c)
}

// Ask carries a command out on a server of this process.
func (s *Server) Ask(ctx context.Context, call string, params, result any) error {
	text, err := protocol.Encode(params)
	if err != nil {
		return err
	}
	answer, err := run(ctx, s.core, Command{call, text})
	if err != nil || result == nil {
		return err
	}
	if err := json.Unmarshal(answer, result); err != nil {
		return fmt.Errorf("read the answer of %s: %w", call, err)
	}
	return nil
}

// Shop is the name of the shop.
func (s *Server) Shop() string { return s.core.Config().Shop.Name }
