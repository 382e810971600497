package taler

import (
	"fmt"
	"net/http"
)

// Error is a request that is not served: the HTTP status, the parameter at fault and
// the reason in words. On the wire it is {"error":REASON,"parameter":NAME}.
//
// Status 400 is form (§1: sizes, shapes, unknown words, zero amounts, mixed arrays);
// 403 is verification (points, numbers, signatures, what the contract says) and is
// not to be repeated; 404, 405, 409, 413, 415 and 429 are as in HTTP. Parameter is
// "body" when no single one is at fault.
type Error struct {
	Status    int
	Parameter string
	Reason    string
}

// Error gives parameter and reason.
func (e *Error) Error() string { return e.Parameter + ": " + e.Reason }

// Is makes errors.Is(err, &Error{Status: 403}) true for every refusal of that status,
// and with a Parameter for that parameter alone.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && (t.Status == 0 || t.Status == e.Status) && (t.Parameter == "" || t.Parameter == e.Parameter)
}

func (e *Error) members(m *members) {
	m.need("error", (*text)(&e.Reason))
	m.may("parameter", e.Parameter != "", (*text)(&e.Parameter))
}

// malformed is a refusal of form.
func malformed(parameter, format string, args ...any) *Error {
	return &Error{http.StatusBadRequest, parameter, fmt.Sprintf(format, args...)}
}

func tooLarge(limit int) *Error {
	return &Error{http.StatusRequestEntityTooLarge, "body", fmt.Sprintf("longer than %d bytes", limit)}
}

// refused is a refusal of verification.
func refused(parameter, format string, args ...any) *Error {
	return &Error{http.StatusForbidden, parameter, fmt.Sprintf(format, args...)}
}
