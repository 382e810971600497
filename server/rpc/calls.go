package rpc

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"till/protocol"
	"till/server"
)

const (
	// skew is how far the clock of whoever moves money may be off.
	skew = 3 * time.Minute
	// payoutTime bounds a sweep or dispense.
	payoutTime = 30 * time.Second
)

// errLeft answers a caller that has left; nobody reads it.
var errLeft = &protocol.Error{Code: protocol.CodeInternal}

// request is one POST /rpc.
type request struct {
	d       *Door
	t       *server.Terminal
	dates   []string // the Date headers
	revoked bool     // the terminal was revoked meanwhile
	waits   bool     // the present call is a check-in that may wait
}

// rpc runs the calls of a body. The body may hold keys: it is wiped.
func (d *Door) rpc(w http.ResponseWriter, r *http.Request, t *server.Terminal) {
	body, ok := d.body(w, r, protocol.MaxRequest)
	if !ok {
		return
	}
	defer clear(body)
	if t.State == server.TerminalSuspended && !checkInOnly(r.Context(), body) {
		barred(w, t)
		return
	}
	q := &request{d: d, t: t, dates: r.Header["Date"]}
	text := protocol.Serve(r.Context(), body, q.call)
	switch {
	case q.revoked:
		revoked(w)
	case text == nil:
		w.WriteHeader(http.StatusNoContent)
	default:
		answer(w, http.StatusOK, text)
	}
}

// checkInOnly reports whether a body calls nothing but checkin. It runs nothing.
func checkInOnly(ctx context.Context, body []byte) bool {
	only := true
	protocol.Serve(ctx, body, func(_ context.Context, c protocol.Call) (any, error) {
		only = only && c.Method == protocol.CallCheckIn
		return nil, nil
	})
	return only
}

// call runs one call. A fault of the server gets a reference; where it hit a
// payout nobody knows how far that came, and the same id asks.
func (q *request) call(ctx context.Context, c protocol.Call) (result any, err error) {
	if q.revoked {
		return nil, errLeft
	}
	defer func() {
		if v := recover(); v != nil {
			result, err = nil, q.fault(ctx, c.Method, panicked(v))
		}
	}()
	ended := q.d.o.Began()
	result, err = q.dispatch(ctx, c)
	ended(q.timedAs(c.Method))
	var known *protocol.Error
	switch {
	case err == nil:
		return result, nil
	case errors.Is(err, server.ErrRevoked):
		q.revoked = true // HTTP 403 takes the answer's place
		return nil, errLeft
	case errors.As(err, &known) && known.Code != protocol.CodeInternal:
		return nil, known
	case ctx.Err() != nil && c.Method != protocol.CallSweep && c.Method != protocol.CallDispense:
		return nil, errLeft // which is why it failed; a payout does not end with its caller
	}
	return nil, q.fault(ctx, c.Method, err)
}

// timedAs is the name a call is timed under: its method's, "unknown" or [Waiting].
func (q *request) timedAs(method string) string {
	switch method {
	case protocol.CallCheckIn:
		if q.waits {
			return Waiting
		}
	case protocol.CallGetAddress, protocol.CallQueryAddress, protocol.CallSweep, protocol.CallDispense, protocol.CallQueryNonce, protocol.CallDiscover:
	default:
		return "unknown"
	}
	return method
}

func (q *request) fault(ctx context.Context, method string, cause error) error {
	e := &protocol.Error{Code: protocol.CodeInternal, Ref: q.d.internal(ctx, method, cause)}
	switch method {
	case protocol.CallSweep, protocol.CallDispense, protocol.CallQueryNonce:
		e.Retry = protocol.RetrySameID
	}
	return e
}

func (q *request) dispatch(ctx context.Context, c protocol.Call) (any, error) {
	s, id := q.d.o.Server, q.t.ID
	switch c.Method {
	case protocol.CallCheckIn:
		var p protocol.CheckIn
		if err := decode(c, &p); err != nil {
			return nil, err
		}
		if ahead, said := q.ahead(); said {
			s.NoteClock(id, ahead)
		}
		q.waits = p.Wait > 0 && len(p.Journal) == 0 && !c.Batch
		r, err := s.CheckIn(ctx, id, p, c.Batch)
		if err != nil {
			return nil, err
		}
		return q.d.encode(r)
	case protocol.CallGetAddress:
		var p protocol.GetAddress
		if err := decode(c, &p); err != nil {
			return nil, err
		}
		return s.GetAddress(ctx, id, p)
	case protocol.CallQueryAddress:
		var p protocol.QueryAddress
		if err := decode(c, &p); err != nil {
			return nil, err
		}
		return s.QueryAddress(ctx, id, p)
	case protocol.CallSweep:
		return q.sweep(ctx, c)
	case protocol.CallDispense:
		return q.dispense(ctx, c)
	case protocol.CallQueryNonce:
		var p protocol.QueryNonce
		if err := decode(c, &p); err != nil {
			return nil, err
		}
		return s.QueryNonce(ctx, id, p)
	case protocol.CallDiscover:
		if err := decode(c, &struct{}{}); err != nil {
			return nil, err
		}
		return json.RawMessage(q.d.openrpc), nil
	}
	return nil, &protocol.Error{Code: protocol.CodeNoMethod}
}

// sweep wipes what it decoded of the keys, whatever comes of it. It does not end
// with its caller: half a payout is worse than one nobody waits for.
func (q *request) sweep(ctx context.Context, c protocol.Call) (any, error) {
	if err := q.fresh(); err != nil {
		return nil, err
	}
	var p protocol.Sweep
	defer func() {
		for _, key := range p.Keys {
			key.Wipe()
		}
	}()
	if err := decode(c, &p); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), payoutTime)
	defer cancel()
	return q.d.o.Server.Sweep(ctx, q.t.ID, p)
}

// dispense is to the authcode what sweep is to keys.
func (q *request) dispense(ctx context.Context, c protocol.Call) (any, error) {
	if err := q.fresh(); err != nil {
		return nil, err
	}
	var p protocol.Dispense
	defer func() { p.Authcode.Wipe() }()
	if err := decode(c, &p); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), payoutTime)
	defer cancel()
	return q.d.o.Server.Dispense(ctx, q.t.ID, p)
}

// decode reads params strictly; what is wrong with them is invalid_params.
func decode(c protocol.Call, p any) error { return invalid(c.Decode(p)) }

// invalid makes invalid_params with the member of what decoding found wrong.
func invalid(err error) error {
	var wrong *protocol.DecodeError
	if errors.As(err, &wrong) {
		return &protocol.Error{Code: protocol.CodeInvalidParams, Member: wrong.Member, Message: wrong.Message}
	}
	return err
}

// ahead is how far the clock of the caller is ahead of the server's by its Date
// (IMF-fixdate, RFC 9110 §5.6.7); false where that is absent or unreadable.
func (q *request) ahead() (time.Duration, bool) {
	if len(q.dates) != 1 {
		return 0, false
	}
	sent, err := time.Parse(http.TimeFormat, q.dates[0])
	return sent.Sub(q.d.o.Clock().Time()), err == nil
}

// fresh refuses a call whose Date is absent, unreadable or too far off.
func (q *request) fresh() error {
	if ahead, said := q.ahead(); said && ahead <= skew && ahead >= -skew {
		return nil
	}
	return &protocol.Error{Code: protocol.CodeStaleRequest, Time: q.d.o.Clock()}
}
