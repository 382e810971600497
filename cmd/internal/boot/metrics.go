package boot

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"till/server"
)

// healthTime is how long the parts of a server have to answer.
const healthTime = 5 * time.Second

// metricsHandler serves /healthz (the process answers), /readyz (database and
// chain answer, 503 and the reason otherwise) and /metrics in the text format of
// Prometheus. It tells counts and heights, no amounts and no names.
func (s *Server) metricsHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if _, err := s.gauges(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintln(w, "ready")
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		text, err := s.gauges(r.Context())
		ready := 1
		if err != nil {
			ready = 0
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = fmt.Fprintf(w, "# HELP till_ready Whether database and chain answer.\n# TYPE till_ready gauge\ntill_ready %d\n%s", ready, text)
	})
	return mux
}

// gauges asks every part once; what could be told is told beside an error.
func (s *Server) gauges(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, healthTime)
	defer cancel()
	var b strings.Builder
	terminals, err := s.core.Terminals(ctx)
	if err != nil {
		return "", fmt.Errorf("database: %w", err)
	}
	count := map[server.TerminalState]int{}
	for _, t := range terminals {
		count[t.State]++
	}
	b.WriteString("# HELP till_terminals Terminals by state.\n# TYPE till_terminals gauge\n")
	for _, state := range []server.TerminalState{server.TerminalLiving, server.TerminalSuspended, server.TerminalRevoked} {
		fmt.Fprintf(&b, "till_terminals{state=%q} %d\n", state, count[state])
	}
	tip, err := s.shop.chain.Tip(ctx)
	if err != nil {
		return b.String(), fmt.Errorf("chain: %w", err)
	}
	fmt.Fprintf(&b, "# HELP till_chain_height Height of the best block.\n# TYPE till_chain_height gauge\ntill_chain_height %d\n", tip.Height)
	fmt.Fprintf(&b, "# HELP till_chain_tip_age_seconds Age of the best block.\n# TYPE till_chain_tip_age_seconds gauge\ntill_chain_tip_age_seconds %d\n",
		int64(s.o.Clock.Time().Sub(tip.Time).Seconds()))
	return b.String(), nil
}
