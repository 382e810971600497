package main

import (
	"bufio"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"till/protocol"
)

// isTerminal reports whether a stream is a tty.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// noEcho hides what is typed until restore is called.
func noEcho(in io.Reader) (restore func(), err error) {
	fd := int(in.(*os.File).Fd())
	old, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil, err
	}
	quiet := *old
	quiet.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &quiet); err != nil {
		return nil, err
	}
	return func() { _ = unix.IoctlSetTermios(fd, unix.TCSETS, old) }, nil
}

// askOnce asks for something secret on the tty, unseen.
func (p *program) askOnce(lines *bufio.Reader, prompt string) (protocol.Secret, error) {
	restore, err := noEcho(p.in)
	if err != nil {
		return protocol.Secret{}, err
	}
	defer restore()
	p.say("%s", prompt)
	line, err := lines.ReadString('\n')
	p.say("\n")
	return protocol.NewSecret(strings.TrimRight(line, "\r\n")), err
}

// echo switches on and off whether the tty shows what is typed; nil without one.
func (p *program) echo() func(bool) {
	if !isTerminal(p.in) {
		return nil
	}
	restore := func() {}
	return func(on bool) {
		restore()
		restore = func() {}
		if !on {
			if r, err := noEcho(p.in); err == nil {
				restore = r
			}
		}
	}
}

// askTwice asks for something secret on the tty, unseen, and again.
func (p *program) askTwice(lines *bufio.Reader, prompt string) (typed protocol.Secret, same bool, err error) {
	restore, err := noEcho(p.in)
	if err != nil {
		return protocol.Secret{}, false, err
	}
	defer restore()
	var text [2]string
	for i, prompt := range []string{prompt, "\nonce more: "} {
		p.say("%s", prompt)
		line, err := lines.ReadString('\n')
		if err != nil {
			return protocol.Secret{}, false, err
		}
		text[i] = strings.TrimRight(line, "\r\n")
	}
	p.say("\n")
	return protocol.NewSecret(text[0]), text[0] == text[1], nil
}
