package rpc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path"
	"runtime"
	"strconv"
	"strings"

	"till/protocol"
	"till/server"
)

// refusal is what is answered before JSON-RPC.
type refusal struct {
	Error string `json:"error"`
}

// refuse answers {"error":TEXT}.
func refuse(w http.ResponseWriter, status int, text string) { answerJSON(w, status, refusal{text}) }

// revoked tells a terminal that it is no longer one.
func revoked(w http.ResponseWriter) { refuse(w, http.StatusForbidden, server.ErrRevoked.Error()) }

// barred tells a suspended terminal why all but its check-in is refused.
func barred(w http.ResponseWriter, t *server.Terminal) {
	answerJSON(w, http.StatusForbidden, struct {
		Error   protocol.Code `json:"error"`
		Reason  string        `json:"reason"`
		Message string        `json:"message"`
	}{protocol.CodeTerminalSuspended, t.Reason, server.SuspensionMessage(t.Reason)})
}

// fail answers a fault of the server with its reference.
func (d *Door) fail(w http.ResponseWriter, r *http.Request, what string, cause error) {
	if r.Context().Err() != nil {
		return // the caller has left
	}
	refuse(w, http.StatusInternalServerError, "reference "+string(d.internal(r.Context(), what, cause)))
}

// internal logs the cause of a fault under a fresh reference.
func (d *Door) internal(ctx context.Context, what string, cause error) protocol.ID {
	ref, err := protocol.NewID(d.o.Clock().Time(), d.o.Random)
	d.o.Log.ErrorContext(ctx, "request failed", "ref", ref, "what", what, "error", errors.Join(cause, err))
	return ref
}

// recover turns a panic outside a call into an internal error.
func (d *Door) recover(w http.ResponseWriter, r *http.Request) {
	if v := recover(); v != nil {
		refuse(w, http.StatusInternalServerError, "reference "+string(d.internal(r.Context(), r.URL.Path, panicked(v))))
	}
}

// panicked tells of a panic what holds no secret: the type of its value and the
// functions below it on the stack, without their arguments.
func panicked(v any) error {
	callers := make([]uintptr, 32)
	frames := runtime.CallersFrames(callers[:runtime.Callers(4, callers)])
	var b strings.Builder
	for {
		f, more := frames.Next()
		fmt.Fprintf(&b, " < %s %s:%d", f.Function, path.Base(f.File), f.Line)
		if !more {
			return fmt.Errorf("panic of type %T in%s", v, strings.TrimPrefix(b.String(), " <"))
		}
	}
}

func answerJSON(w http.ResponseWriter, status int, v any) {
	text, err := protocol.Encode(v)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	answer(w, status, text)
}

func answer(w http.ResponseWriter, status int, text []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write(text) // the client may have left
}
