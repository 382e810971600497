package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"till/cmd/internal/boot"
)

// screenTime is how often a screen that is not there yet is looked for.
const screenTime = 50 * time.Millisecond

// underManager tells the service manager, where one started this program, that the
// screen is there, and gives it signs of life while the screen answers, until ctx
// ends.
func (p *program) underManager(ctx context.Context, alive func(context.Context) error, log *slog.Logger) {
	if p.getenv("NOTIFY_SOCKET") == "" {
		return
	}
	tell := func(err error) {
		if err != nil {
			log.Warn("service manager not told", "error", err)
		}
	}
	above := boot.NewSupervisor(p.getenv, os.Getpid())
	for alive(ctx) != nil {
		select {
		case <-time.After(screenTime):
		case <-ctx.Done():
			return
		}
	}
	tell(above.Ready("the screen is there"))
	above.Watch(ctx, alive, log)
	<-ctx.Done()
	tell(above.Stopping())
}
