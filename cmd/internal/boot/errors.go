package boot

import "errors"

// Errors that decide how a command exits.
var (
	// ErrUnreachable: a database, node or server that is needed does not answer.
	ErrUnreachable = errors.New("cannot be reached")
	// ErrRefused: the other side said no.
	ErrRefused = errors.New("refused")
	// ErrInput: what was given is wrong; the error lists all faults.
	ErrInput = errors.New("wrong input")
)
