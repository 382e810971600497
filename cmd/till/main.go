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
	"time"
)

// stopTime is how long a clean stop may take (cli.md). What is left then is left as
// by a power cut, which loses nothing: a disk that is full or gone must not keep the
// program from ending.
const stopTime = 4500 * time.Millisecond

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
	defer stop()
	context.AfterFunc(ctx, func() {
		time.AfterFunc(stopTime, func() { os.Exit(report(errors.New("stop: something did not end in time"), os.Stderr)) })
	})
	err := run(ctx, os.Args[1:], os.Environ(), stdio{os.Stdin, os.Stdout, os.Stderr})
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
