package rpc

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"till/protocol"
	"till/server"
)

// maxPairing is how many bytes a pairing or renewal may have: a certificate
// request and two short words. Strangers send it, so it is no more.
const maxPairing = 64 << 10

// enroll makes a terminal of whoever holds a good code. Whatever is wrong is
// refused alike; too many refusals from one address are answered 429.
func (d *Door) enroll(w http.ResponseWriter, r *http.Request) {
	body, ok := d.body(w, r, maxPairing)
	if !ok {
		return
	}
	defer clear(body)
	now := d.o.Clock()
	if wait := d.refusals.take(r.RemoteAddr, now); wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
		refuse(w, http.StatusTooManyRequests, protocol.CodeTooManyRequests.Message())
		return
	}
	var p protocol.Enroll
	var result *protocol.EnrollResult
	err := protocol.Decode(body, &p)
	if err != nil {
		err = server.ErrPairingRefused
	} else {
		result, err = d.o.Server.Enroll(r.Context(), p)
	}
	if err == nil {
		d.refusals.giveBack(r.RemoteAddr)
		answerJSON(w, http.StatusOK, result)
		return
	}
	if !errors.Is(err, server.ErrPairingRefused) && r.Context().Err() == nil {
		d.internal(r.Context(), "enroll", err)
	}
	d.o.Log.WarnContext(r.Context(), "pairing refused", "address", host(r.RemoteAddr))
	refuse(w, http.StatusForbidden, server.ErrPairingRefused.Error())
}

// renew gives a terminal the certificate that follows its present one.
func (d *Door) renew(w http.ResponseWriter, r *http.Request, v visitor) {
	body, ok := d.body(w, r, maxPairing)
	if !ok {
		return
	}
	var p protocol.Renew
	err := invalid(protocol.Decode(body, &p))
	var result *protocol.RenewResult
	if err == nil {
		result, err = d.o.Server.Renew(r.Context(), v.terminal.ID, v.serial, p)
	}
	var known *protocol.Error
	switch {
	case err == nil:
		answerJSON(w, http.StatusOK, result)
	case errors.Is(err, server.ErrRevoked):
		revoked(w)
	case errors.Is(err, protocol.CodeTerminalSuspended):
		barred(w, v.terminal)
	case errors.As(err, &known) && known.Code != protocol.CodeInternal:
		refuse(w, known.Code.HTTP(), known.Error())
	default:
		d.fail(w, r, "renew", err)
	}
}
