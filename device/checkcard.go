package device

import "context"

// CardCheck is what a check of a card reader uses; msr605.Reader has it.
type CardCheck interface {
	Run(ctx context.Context)
	TestMemory(ctx context.Context) error
	TestSensor(ctx context.Context) error
}

// CheckCard opens a card reader, made by driver for its address, and lets it
// test its memory. With a person there it waits for a card to pass its sensor.
func CheckCard(ctx context.Context, url string, open Dialer, driver func(Dialer, func(Status)) CardCheck, unattended bool) Check {
	c := Check{Device: "card", URL: url}
	ctx, cancel := context.WithCancel(ctx)
	statuses := make(chan Status, 16)
	tried, opened := watchOpen(open)
	r := driver(tried, func(s Status) { offer(statuses, s) })
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.Run(ctx)
	}()
	defer func() { cancel(); <-done }()
	err := await(ctx, checkOpen, opened)
	if c.State = statusOf(err).State; !c.step("open", err, "") {
		return c
	}
	status, err := first(ctx, checkOpen, statuses)
	if err == nil {
		c.State, err = status.State, status.fault()
	} else {
		c.State = Faulted
	}
	if !c.step("status", err, "answers") {
		return c
	}
	c.step("model", nil, status.Model)
	testing, stop := context.WithTimeout(ctx, checkHand)
	defer stop()
	c.step("memory", r.TestMemory(testing), "good")
	if !unattended {
		c.step("sensor", r.TestSensor(testing), "felt a card")
	}
	return c
}
