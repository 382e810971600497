package device

import (
	"context"
	"errors"
	"time"
)

// The patience of a conversation. Times are counted in waits, so that no clock
// is read.
const (
	answerWait   = time.Second            // for one real-time answer
	byteWait     = time.Millisecond       // for each byte before it, at 9600 baud
	namesWait    = 300 * time.Millisecond // devices.md section 2
	pollEvery    = time.Second            // while a job is not done
	idleEvery    = 3 * time.Second        // while there is no job
	writeSlice   = 250 * time.Millisecond
	silentWaits  = 5    // answers missed in a row: five seconds
	stuckSlices  = 20   // writes without progress: five seconds
	mendPolls    = 10   // polls between two attempts to recover
	lostPolls    = 15   // polls without the job's answer, beside its bytes' time
	bytesPerPoll = 500  // a second's worth of bytes on the slowest line, halved
	blindBytes   = 1024 // sent at most without knowing how the printer is
)

// errLost: the printer restarted and forgot what it had been sent.
var errLost = errors.New("printer restarted during a receipt")

// conversation is one open link to a printer. One goroutine reads; all else is
// done by the goroutine that runs it.
type conversation struct {
	printer  *Printer
	link     Link
	language Language
	report   func(Status)

	replies chan Reply
	broken  chan error // the reader's last word
	failed  error      // that word, once heard

	now        Condition // the latest word on each condition
	automatic  Condition // what automatic status said last
	automated  bool      // automatic status has come
	names      []string
	answered   bool      // this link has answered
	mute       bool      // this link is not expected to answer
	silent     int       // answers missed in a row
	unanswered int       // bytes written since the last reply
	asked      *Question // waiting for its answer
	awaited    bool      // waiting for the job's answer
	introduced bool      // the language has been adapted
	greeted    bool      // the status is worth telling
	mended     bool      // no half command stands in the printer
}

// converse is what the Printer's supervisor does with an open link.
func (p *Printer) converse(ctx context.Context, link Link, report func(Status)) error {
	reading, stop := context.WithCancel(ctx)
	c := &conversation{
		printer: p, link: link, language: p.language, report: report,
		replies: make(chan Reply, 64), broken: make(chan error, 1),
	}
	parse := p.language.NewParser()
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.read(reading, parse)
	}()
	err := c.run(ctx)
	stop()
	<-done
	if ctx.Err() == nil {
		p.interrupted(statusOf(err).Fault)
	}
	return err
}

// read parses what the printer says until the link or the context ends.
func (c *conversation) read(ctx context.Context, parse func([]byte) []Reply) {
	buffer := make([]byte, 512)
	for {
		n, err := c.link.Read(ctx, buffer)
		for _, r := range parse(buffer[:n]) {
			select {
			case c.replies <- r:
			case <-ctx.Done():
				return
			}
		}
		if err != nil {
			c.broken <- err
			return
		}
	}
}

func (c *conversation) run(ctx context.Context) error {
	if err := c.greet(ctx); err != nil {
		return err
	}
	for {
		if job, waiting := c.printer.next(); waiting {
			if err := c.print(ctx, job); err != nil {
				return err
			}
			continue
		}
		came := func() bool { _, waiting := c.printer.next(); return waiting }
		if err := c.pump(ctx, idleEvery, came); err != nil {
			return err
		}
		if !came() {
			if err := c.poll(ctx, true); err != nil {
				return err
			}
		}
	}
}

// greet finds out whether the printer answers, what it is called and how it is.
func (c *conversation) greet(ctx context.Context) error {
	if c.printer.resumes() {
		if err := c.mend(ctx); err != nil {
			return err
		}
	}
	questions, _ := c.language.Questions()
	for try := 0; try < 2 && len(questions) > 0 && !c.answered; try++ {
		if err := c.ask(ctx, questions[0]); err != nil {
			return err
		}
	}
	if !c.answered && c.printer.answersAlways() {
		return ErrMute
	}
	if c.mute = !c.answered; !c.mute {
		if err := c.poll(ctx, true); err != nil {
			return err
		}
	}
	if c.now&blocking == 0 {
		if err := c.introduce(ctx); err != nil {
			return err
		}
	}
	c.greeted = true
	c.tell()
	return nil
}

// mend ends a command that an earlier link broke off in. A question in the
// middle of one would be taken for its length or its data.
func (c *conversation) mend(ctx context.Context) error {
	mend, _ := c.language.Greeting()
	c.mended = true
	return c.write(ctx, mend)
}

// introduce asks a printer that is well what it is called and what it answers,
// and settles on the language for it.
func (c *conversation) introduce(ctx context.Context) error {
	_, hello := c.language.Greeting()
	if err := c.write(ctx, hello); err != nil {
		return err
	}
	c.awaited = true // the greeting's last question is a job's end
	if !c.mute {
		if err := c.pump(ctx, namesWait, func() bool { return !c.awaited }); err != nil {
			return err
		}
	}
	c.language = c.language.Adapt(c.names, !c.awaited)
	c.awaited, c.introduced = false, true
	c.tell()
	return nil
}

// print brings one copy of a job on paper.
func (c *conversation) print(ctx context.Context, job Job) error {
	if c.printer.exhausted() {
		c.printer.fail(job.ID)
		return nil
	}
	if err := c.untilClear(ctx, job, false); err != nil {
		return err
	}
	if !c.introduced {
		if err := c.introduce(ctx); err != nil {
			return err
		}
	}
	if job.Copies > 0 && !c.mended {
		if err := c.mend(ctx); err != nil {
			return err
		}
	}
	chunks, end, err := c.language.Job(job.Document.Copy(job.Copies + 1))
	if err != nil {
		c.printer.fail(job.ID)
		return nil
	}
	job, ok := c.printer.begin(job.ID)
	if !ok {
		return nil
	}
	size, blind := 0, 0
	for _, chunk := range chunks {
		// A printer without automatic status that stops with a full buffer
		// can not be asked why any more.
		if c.now&blocking != 0 || !c.automated && blind+len(chunk) > blindBytes {
			if err := c.untilClear(ctx, job, true); err != nil {
				return err
			}
			blind = 0
		}
		if err := c.write(ctx, chunk); err != nil {
			return err
		}
		size, blind = size+len(chunk), blind+len(chunk)
	}
	err = c.settle(ctx, job, end, size)
	// Once may be a restart. A printer that is well and stays silent twice does
	// not answer for jobs: more copies would tell no more.
	silent := errors.Is(err, errLost) && c.printer.lose() >= 2
	if err != nil && !silent {
		return err
	}
	c.printer.finish(job, JobDone, !c.mute && !silent)
	return nil
}

// settle waits until what was sent is on paper.
func (c *conversation) settle(ctx context.Context, job Job, end []byte, size int) error {
	if c.mute || len(end) == 0 {
		return c.untilClear(ctx, job, true)
	}
	c.awaited = true
	defer func() { c.awaited = false }()
	if err := c.write(ctx, end); err != nil {
		return err
	}
	for range lostPolls + size/bytesPerPoll {
		if err := c.pump(ctx, pollEvery, func() bool { return !c.awaited || c.now&blocking != 0 }); err != nil {
			return err
		}
		if !c.awaited {
			return nil
		}
		if err := c.untilClear(ctx, job, true); err != nil {
			return err
		}
	}
	return errLost
}

// untilClear waits until nothing needs a person, the job's answer has come, or
// a job that has not begun is cancelled. With a job begun, a printer that turns
// out to have restarted meanwhile fails it.
func (c *conversation) untilClear(ctx context.Context, job Job, begun bool) error {
	ending := begun && c.awaited
	over := func() bool {
		next, ok := c.printer.next()
		return c.now&blocking == 0 || ending && !c.awaited || !begun && (!ok || next.ID != job.ID)
	}
	for polls := 1; ; polls++ {
		if err := c.poll(ctx, false); err != nil {
			return err
		}
		if c.silent > 0 && !c.mute {
			continue // not an answer is no news, good or bad
		}
		if over() {
			break
		}
		c.show(job, c.now.Fault())
		if err := c.pump(ctx, pollEvery, over); err != nil {
			return err
		}
		if polls%mendPolls == 0 && c.now&(IsRecoverable|IsCutterJam|IsMechanical) != 0 && c.now&IsCoverOpen == 0 {
			if err := c.write(ctx, c.language.Recover()); err != nil {
				return err
			}
		}
	}
	if begun {
		c.show(job, NoFault)
		return c.stillAutomatic(ctx)
	}
	return nil
}

// stillAutomatic fails when the printer is well by its answers but never said
// so by itself: it has restarted, and with automatic status it lost the job.
func (c *conversation) stillAutomatic(ctx context.Context) error {
	agrees := func() bool { return c.now&blocking != 0 || c.automatic&blocking == 0 }
	if err := c.pump(ctx, pollEvery, agrees); err != nil {
		return err
	}
	if !agrees() {
		return errLost
	}
	return nil
}

// show tells where the job stands.
func (c *conversation) show(job Job, fault Fault) {
	r := JobReport{ID: job.ID, State: JobPrinting, Copies: job.Copies, Fault: fault}
	if fault != NoFault {
		r.State = JobWaiting
	}
	c.printer.tell(r)
}
