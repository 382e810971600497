package device

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Step is one thing that a check tried.
type Step struct {
	What   string `json:"what"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

// Check is what `till devices check` says of a device (cli.md): it is made on
// real devices and on simulators alike.
type Check struct {
	Device string `json:"device"`
	URL    string `json:"url"`
	State  State  `json:"state"`
	Steps  []Step `json:"steps"`
}

// The patience of a check: opening takes at most 3 s (cli.md).
const (
	checkOpen  = openTimeout
	checkPrint = 30 * time.Second
	checkHand  = 15 * time.Second
)

func (c *Check) step(what string, err error, detail string) bool {
	if err != nil {
		detail = err.Error()
	}
	c.Steps = append(c.Steps, Step{What: what, OK: err == nil, Detail: detail})
	return err == nil
}

// fault is a status as an error, nil when the device is ready.
func (s Status) fault() error {
	if s.State == Ready {
		return nil
	}
	if s.Fault == NoFault {
		return errors.New(NotFound.Sentence())
	}
	return errors.New(s.Fault.Sentence())
}

// CheckPrinter opens a printer and asks it how it is and what it is called. With
// a person there it prints a slip and opens the drawer too.
func CheckPrinter(ctx context.Context, url string, open Dialer, language Language, drawer Pulse, unattended bool) Check {
	c := Check{Device: "printer", URL: url}
	ctx, cancel := context.WithCancel(ctx)
	statuses := make(chan Status, 16)
	ends := make(chan JobReport, 16)
	tried, opened := watchOpen(open)
	p, err := NewPrinter(PrinterConfig{
		Open: tried, Language: language,
		Report: func(s Status) { offer(statuses, s) },
		Progress: func(r JobReport) {
			if r.State >= JobWaiting {
				offer(ends, r)
			}
		},
	})
	if err != nil {
		c.step("open", err, "")
		cancel()
		return c
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.Run(ctx)
	}()
	defer func() { cancel(); <-done }()
	err = await(ctx, checkOpen, opened)
	if c.State = statusOf(err).State; !c.step("open", err, "") {
		return c
	}
	status, err := first(ctx, checkOpen, statuses)
	if err == nil {
		c.State, err = status.State, status.fault()
	} else {
		c.State = Faulted
	}
	detail := "answers"
	if status.Unconfirmed {
		detail = "never answers: printing cannot be confirmed"
	}
	c.step("status", err, detail)
	if status.Model != "" {
		c.step("model", nil, status.Model)
	}
	if unattended || err != nil {
		return c
	}
	c.print(ctx, p, ends)
	opening, stop := context.WithTimeout(ctx, checkOpen)
	defer stop()
	c.step("drawer", p.Send(opening, Document{drawer}), "pulse sent")
	return c
}

// print prints a slip and waits for what becomes of it.
func (c *Check) print(ctx context.Context, p *Printer, ends <-chan JobReport) {
	slip := Document{
		Line{Text: "TEST", Align: Center, Style: Style{Bold: true, Double: true}},
		Line{Text: "äöüß é ñ € – ABC 0123456789"},
		Columns{Left: "left", Right: "right"},
		Rule{}, QR{Content: "TEST"}, Feed{Lines: 1}, Cut{},
	}
	err := p.Print(Job{ID: "check", Document: slip})
	if err != nil {
		c.step("print", err, "")
		return
	}
	r, err := first(ctx, checkPrint, ends)
	switch {
	case err != nil:
	case r.State == JobWaiting:
		err = errors.New(r.Fault.Sentence())
	case r.State != JobDone:
		err = fmt.Errorf("test slip: %s", r.State)
	}
	detail := "confirmed by the printer"
	if !r.Confirmed {
		detail = "sent; look whether it is on paper"
	}
	c.step("print", err, detail)
}

// CheckDisplay opens a display and shows text on it.
func CheckDisplay(ctx context.Context, url string, open Dialer, language DisplayLanguage) Check {
	c := Check{Device: "display", URL: url}
	link, err := opening(ctx, open)
	if !c.step("open", err, "") {
		c.State = statusOf(err).State
		return c
	}
	defer link.Close()
	writing, cancel := context.WithTimeout(ctx, displayWait)
	defer cancel()
	_, err = link.Write(writing, append(language.Start(), language.Show("TEST 1234567890", "left           right")...))
	c.State = Ready
	if !c.step("write", err, "sent; displays cannot answer") {
		c.State = Faulted
	}
	return c
}

// CheckScanner opens a scanner. With a person there it waits for a code.
func CheckScanner(ctx context.Context, url string, open Dialer, suffix Suffix, trigger Trigger, unattended bool) Check {
	c := Check{Device: "scanner", URL: url}
	if unattended {
		link, err := opening(ctx, open)
		if c.State = Ready; !c.step("open", err, "") {
			c.State = statusOf(err).State
			return c
		}
		_ = link.Close()
		return c
	}
	ctx, cancel := context.WithCancel(ctx)
	scans := make(chan scanned, 1)
	tried, opened := watchOpen(open)
	s := NewScanner(tried, suffix, trigger, func(text string, err error) { offer(scans, scanned{text, err}) }, func(Status) {})
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Run(ctx)
	}()
	defer func() { cancel(); <-done }()
	if err := await(ctx, checkOpen, opened); !c.step("open", err, "") {
		c.State = statusOf(err).State
		return c
	}
	c.State = Ready
	if trigger != NoTrigger {
		c.step("trigger", s.Trigger(ctx), "sent")
	}
	got, err := first(ctx, checkHand, scans)
	if err == nil {
		err = got.err
	}
	c.step("scan", err, fmt.Sprintf("%d bytes", len(got.text)))
	return c
}

type scanned struct {
	text string
	err  error
}

// opening opens a link within the time of a check.
func opening(ctx context.Context, open Dialer) (Link, error) {
	ctx, cancel := context.WithTimeout(ctx, checkOpen)
	defer cancel()
	return open(ctx)
}

// watchOpen tells the outcome of the first opening.
func watchOpen(open Dialer) (Dialer, <-chan error) {
	opened := make(chan error, 1)
	return func(ctx context.Context) (Link, error) {
		link, err := open(ctx)
		offer(opened, err)
		return link, err
	}, opened
}

// await is the error that comes, or that none came in time.
func await(ctx context.Context, wait time.Duration, outcome <-chan error) error {
	err, late := first(ctx, wait, outcome)
	if late != nil {
		return late
	}
	return err
}

// first is the first value that comes in time.
func first[T any](ctx context.Context, wait time.Duration, values <-chan T) (T, error) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	var none T
	select {
	case v := <-values:
		return v, nil
	case <-timer.C:
		return none, errors.New(NoAnswer.Sentence())
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// offer hands a value on unless the channel is full.
func offer[T any](values chan<- T, v T) {
	select {
	case values <- v:
	default:
	}
}
