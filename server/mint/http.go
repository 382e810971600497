package mint

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"time"

	"till/protocol/taler"
)

// Handler serves the routes of §6. /admin/add/incoming answers loopback alone.
func (m *Mint) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/keys", taler.Methods(http.HandlerFunc(m.serveKeys), http.MethodGet))
	mux.Handle("/withdraw/status", taler.Methods(http.HandlerFunc(m.serveReserve), http.MethodGet))
	mux.Handle("/withdraw/sign", post(m, func(ctx context.Context, w *taler.Withdrawal) (taler.Message, error) { return m.withdraw(ctx, w) }))
	mux.Handle("/deposit", post(m, func(ctx context.Context, d *taler.DepositRequest) (taler.Message, error) { return m.deposit(ctx, d) }))
	mux.Handle("/lock", post(m, func(ctx context.Context, l *taler.Lock) (taler.Message, error) { return m.lock(ctx, l) }))
	mux.Handle("/unlock", post(m, func(ctx context.Context, u *taler.Unlock) (taler.Message, error) {
		return new(taler.UnlockAnswer), m.unlock(ctx, u)
	}))
	mux.Handle("/admin/add/incoming", loopback(m, post(m, func(ctx context.Context, in *taler.Incoming) (taler.Message, error) {
		if err := m.Fund(ctx, *in); err != nil {
			return nil, err
		}
		return m.reserve(ctx, in.Reserve)
	})))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		m.answer(w, r, nil, unknown("body", "there is nothing here"))
	})
	return m.faulty(mux)
}

// post serves one request that is a message.
func post[T any, M interface {
	*T
	taler.Message
}](m *Mint, do func(context.Context, M) (taler.Message, error)) http.Handler {
	return taler.Methods(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := taler.ReadBody(w, r)
		q := M(new(T))
		if err == nil {
			err = taler.Decode(body, q)
		}
		if err != nil {
			m.answer(w, r, nil, err)
			return
		}
		message, err := do(r.Context(), q)
		m.answer(w, r, message, err)
	}), http.MethodPost)
}

func (m *Mint) serveKeys(w http.ResponseWriter, r *http.Request) {
	ring, err := m.keys(r.Context())
	if err != nil {
		m.answer(w, r, nil, err)
		return
	}
	m.wrote(r, taler.WriteJSON(w, http.StatusOK, ring.text))
}

func (m *Mint) serveReserve(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	pub, err := taler.ParsePublicKey(query.Get("reserve_pub"))
	if err != nil || len(query) != 1 || len(query["reserve_pub"]) != 1 {
		m.answer(w, r, nil, &taler.Error{Status: http.StatusBadRequest, Parameter: "reserve_pub", Reason: "one public key is needed"})
		return
	}
	status, err := m.reserve(r.Context(), pub)
	m.answer(w, r, status, err)
}

// answer writes the message, or what went wrong.
func (m *Mint) answer(w http.ResponseWriter, r *http.Request, message taler.Message, err error) {
	var refused *taler.Error
	var proven *proofError
	switch {
	case err == nil:
		m.wrote(r, taler.WriteMessage(w, http.StatusOK, message))
	case errors.As(err, &proven):
		m.wrote(r, taler.WriteMessage(w, http.StatusForbidden, &proven.proof))
	case errors.As(err, &refused):
		m.wrote(r, taler.WriteMessage(w, refused.Status, refused))
	default:
		m.o.Log.ErrorContext(r.Context(), "request not served", "path", r.URL.Path, "error", err)
		m.wrote(r, taler.WriteMessage(w, http.StatusInternalServerError,
			&taler.Error{Parameter: "body", Reason: "the mint failed; ask the same again"}))
	}
}

func (m *Mint) wrote(r *http.Request, err error) {
	if err != nil {
		m.o.Log.DebugContext(r.Context(), "answer not written", "path", r.URL.Path, "error", err)
	}
}

// loopback lets in who calls from this machine.
func loopback(m *Mint, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		ip, err2 := netip.ParseAddr(host)
		if err != nil || err2 != nil || !ip.Unmap().IsLoopback() {
			m.answer(w, r, nil, forbidden("body", "reserves are funded from this machine alone"))
			return
		}
		h.ServeHTTP(w, r)
	})
}

// faulty misbehaves as it was told.
func (m *Mint) faulty(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := m.Fault()
		if f.Down {
			w.Header().Set("Retry-After", "1")
			m.wrote(r, taler.WriteMessage(w, http.StatusServiceUnavailable, &taler.Error{Parameter: "body", Reason: "the mint is down"}))
			return
		}
		if f.Delay > 0 {
			w = &slow{ResponseWriter: w, request: r, delay: f.Delay}
		}
		h.ServeHTTP(w, r)
	})
}

// slow holds an answer back: what was asked for is done by then.
type slow struct {
	http.ResponseWriter
	request *http.Request
	delay   time.Duration
}

func (s *slow) WriteHeader(status int) {
	timer := time.NewTimer(s.delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.request.Context().Done():
	}
	s.ResponseWriter.WriteHeader(status)
}
