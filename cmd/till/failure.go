package main

import (
	"errors"
	"fmt"

	"till/cmd/internal/boot"
	"till/cmd/internal/config"
)

// The exit codes (cli.md).
const (
	exitNo          = 1 // the answer is no
	exitUsage       = 2 // wrong usage or configuration
	exitUnreachable = 3 // the other side cannot be reached
	exitRefused     = 4 // refused; also: another till holds the data directory
)

// failure is an error with its exit code and what to do about it. A nil err
// says nothing more: the command has told all.
type failure struct {
	code int
	err  error
	try  string
}

func (f *failure) Error() string {
	if f.err == nil {
		return fmt.Sprintf("exit %d", f.code)
	}
	return f.err.Error()
}

func (f *failure) Unwrap() error { return f.err }

// fail gives an error its exit code by what it wraps.
func fail(what string, err error) error {
	if err == nil {
		return nil
	}
	var done *failure
	if errors.As(err, &done) {
		return err
	}
	err = fmt.Errorf("%s: %w", what, err)
	var held *boot.HeldError
	var faults config.Faults
	switch {
	case errors.As(err, &held):
		return &failure{exitRefused, err, "stop that process, or name another directory with --data"}
	case errors.As(err, &faults):
		return &failure{exitUsage, err, "till config init writes a whole file with every key explained"}
	case errors.Is(err, boot.ErrUnreachable):
		return &failure{exitUnreachable, err, "till doctor tells what is missing"}
	case errors.Is(err, boot.ErrInput), errors.Is(err, boot.ErrPIN):
		return &failure{exitUsage, err, "correct that and try again; nothing was changed"}
	case errors.Is(err, boot.ErrRefused):
		return &failure{exitRefused, err, ""}
	}
	return &failure{exitNo, err, ""}
}

func usage(try, format string, args ...any) error {
	return &failure{exitUsage, fmt.Errorf(format, args...), try}
}
