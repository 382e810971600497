package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"unsafe"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/sys/unix"
)

// lockdown keeps a kiosk on its terminal whatever signal comes (product.md §6):
// none but TERM ends it, the modes of the tty are put back after CONT, and on a
// Linux console no key changes to another one.
type lockdown struct {
	tty   *os.File
	stops context.CancelCauseFunc

	mu  sync.Mutex
	raw *unix.Termios // as the program set it, nil before
}

// errHungUp: the terminal of a kiosk is gone; whoever started it starts it anew.
var errHungUp = errors.New("the terminal is gone")

// ignored are the signals that mean nothing to a kiosk. HUP and CONT are looked
// at, USR1 is the console's (see vtMode).
var ignored = []os.Signal{
	unix.SIGINT, unix.SIGQUIT, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU, unix.SIGPIPE, unix.SIGALRM, unix.SIGUSR2,
}

// lockDown takes the signals and the console. redraw paints the screen anew.
// The context ends when the tty is gone; free gives everything back.
func lockDown(ctx context.Context, tty *os.File, redraw func()) (inner context.Context, l *lockdown, free func()) {
	inner, stops := context.WithCancelCause(ctx)
	l = &lockdown{tty: tty, stops: stops}
	signal.Ignore(ignored...)
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, unix.SIGHUP, unix.SIGCONT, unix.SIGUSR1)
	console := isConsole(tty)
	if console {
		l.holdConsole(vtProcess)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case s := <-signals:
				l.take(s, redraw)
			case <-inner.Done():
				return
			}
		}
	}()
	return inner, l, func() {
		stops(nil)
		<-ended
		if console {
			l.holdConsole(vtAuto)
		}
		signal.Stop(signals)
		signal.Reset(append(ignored, unix.SIGHUP, unix.SIGCONT, unix.SIGUSR1)...)
	}
}

// take answers a signal.
func (l *lockdown) take(s os.Signal, redraw func()) {
	switch s {
	case unix.SIGHUP:
		if _, err := unix.IoctlGetTermios(int(l.tty.Fd()), unix.TCGETS); err != nil {
			l.stops(fmt.Errorf("%w: %w", errHungUp, err))
		}
	case unix.SIGCONT:
		l.mu.Lock()
		raw := l.raw
		l.mu.Unlock()
		if raw != nil {
			_ = unix.IoctlSetTermios(int(l.tty.Fd()), unix.TCSETS, raw) // a tty that is gone is HUP's
		}
		redraw()
	case unix.SIGUSR1: // the console asks whether it may change: no
		_ = unix.IoctlSetInt(int(l.tty.Fd()), vtRelDisp, 0) // nobody asks when it was only sent
	}
}

// filter notes how the program set the tty: its first message comes after that.
func (l *lockdown) filter(next func(tea.Model, tea.Msg) tea.Msg) func(tea.Model, tea.Msg) tea.Msg {
	return func(m tea.Model, msg tea.Msg) tea.Msg {
		l.mu.Lock()
		if l.raw == nil {
			if t, err := unix.IoctlGetTermios(int(l.tty.Fd()), unix.TCGETS); err == nil && t.Lflag&unix.ICANON == 0 {
				l.raw = t
			}
		}
		l.mu.Unlock()
		if next == nil {
			return msg
		}
		return next(m, msg)
	}
}

// From linux/vt.h and linux/kd.h.
const (
	vtSetMode = 0x5602 // VT_SETMODE
	vtRelDisp = 0x5605 // VT_RELDISP; 0 refuses to leave
	vtAuto    = 0
	vtProcess = 1

	kdGKBType = 0x4B33 // KDGKBTYPE: only a console answers
	gioUnimap = 0x4B66 // GIO_UNIMAP
)

// vtMode is struct vt_mode: with VT_PROCESS the kernel sends relsig and waits for
// an answer before it changes to another console.
type vtMode struct {
	mode, waitv           uint8
	relsig, acqsig, frsig int16
}

// holdConsole takes the change of consoles into our hands, or gives it back.
func (l *lockdown) holdConsole(mode uint8) {
	m := vtMode{mode: mode, relsig: int16(unix.SIGUSR1), acqsig: int16(unix.SIGUSR1)}
	_, _, _ = unix.Syscall(unix.SYS_IOCTL, l.tty.Fd(), vtSetMode, uintptr(unsafe.Pointer(&m))) // a console that is not ours stays as it is
}

// isConsole reports whether a tty is a Linux console.
func isConsole(tty *os.File) bool {
	var kind uint8
	_, _, e := unix.Syscall(unix.SYS_IOCTL, tty.Fd(), kdGKBType, uintptr(unsafe.Pointer(&kind)))
	return e == 0
}

// unimap is struct unimapdesc, unipair struct unipair.
type (
	unimap struct {
		count uint16
		pairs *unipair
	}
	unipair struct{ unicode, _ uint16 } // the other is its place in the font
)

// fontHolds reports whether the font of a Linux console has all the runes; of
// what is no console, or does not answer, it is not known: no.
func fontHolds(tty *os.File, runes string) bool {
	pairs := make([]unipair, 1<<16-1)
	m := unimap{count: uint16(len(pairs)), pairs: &pairs[0]}
	if _, _, e := unix.Syscall(unix.SYS_IOCTL, tty.Fd(), gioUnimap, uintptr(unsafe.Pointer(&m))); e != 0 {
		return false
	}
	held := map[rune]bool{}
	for _, p := range pairs[:min(int(m.count), len(pairs))] {
		held[rune(p.unicode)] = true
	}
	for _, r := range runes {
		if !held[r] {
			return false
		}
	}
	return true
}
