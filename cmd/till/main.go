// Command till is a point of sale for bitcoin and e-cash in the terminal.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// version is set by the linker.
var version = "dev"

// stdio is what a command talks through.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

func main() { os.Exit(start()) }

// start runs the program of this process and gives its exit code.
func start() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Environ(), stdio{os.Stdin, os.Stdout, os.Stderr})
	stop()
	if restarts(err) {
		err = again()
	}
	return report(err, os.Stderr)
}

// report writes what failed and what to do about it, and gives the exit code.
func report(err error, to io.Writer) int {
	var f *failure
	switch {
	case err == nil:
		return 0
	case !errors.As(err, &f):
		f = &failure{code: exitNo, err: err}
	}
	if f.err != nil {
		_, _ = fmt.Fprintf(to, "till: %v\n", err)
	}
	if f.try != "" {
		_, _ = fmt.Fprintf(to, "try: %s\n", f.try)
	}
	return f.code
}
