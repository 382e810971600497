package device

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// JobState is how far a receipt has come.
type JobState int

const (
	// JobQueued: others are before it, or the printer is not there.
	JobQueued JobState = iota
	// JobPrinting: its bytes go out; from here on paper may carry it.
	JobPrinting
	// JobWaiting: the printer needs a person first; Fault says what for.
	JobWaiting
	// JobDone: it is on paper.
	JobDone
	// JobCancelled: it was taken out of the queue before it began.
	JobCancelled
	// JobFailed: the printer gave up. Either the document cannot be printed at
	// all, or five copies were begun and none came to its end. Paper may carry
	// Copies of them; a person decides what is next.
	JobFailed
)

// String is one lower-case word.
func (s JobState) String() string {
	return [...]string{"queued", "printing", "waiting", "done", "cancelled", "failed"}[s]
}

// Job is one receipt to print.
type Job struct {
	// ID is the caller's name for it; it comes back in reports.
	ID string
	// Document is the receipt as its first copy; the printer heads later
	// copies with Document.Copy.
	Document Document
	// Copies is how many times it was begun before: 0 for a new receipt, the
	// last reported Copies when a job is handed in again after a restart; best
	// before Run, so that the printer is first freed of what broke off.
	Copies int
}

// JobReport is a step in a job's life, worth storing.
type JobReport struct {
	ID    string
	State JobState
	// Copies counts the copies begun, the present one included: each may be
	// on paper, whole or in part. The n-th is headed COPY n from 2 on.
	Copies int
	// Confirmed, with JobDone: the printer said so. Otherwise it is a printer
	// that never answers, and all that is known is that the bytes were written.
	Confirmed bool
	// Fault, with JobWaiting: what the printer waits for.
	Fault Fault
}

// maxQueue is how many receipts wait at most: a shop that prints nothing for
// that long has seen the fault on the screen.
const maxQueue = 256

// maxAttempts bounds the paper that one receipt may waste on a broken printer.
const maxAttempts = 5

// ErrQueueFull says that too many receipts wait for the printer.
var ErrQueueFull = errors.New("too many receipts wait for the printer")

// Polarity is the level of the drawer's sense pin when the drawer is open.
type Polarity int

// The polarities. NoSense: the pin is not wired.
const (
	NoSense Polarity = iota
	OpenHigh
	OpenLow
)

// Printer prints one receipt after another and knows which of them are on
// paper (devices.md section 2). It outlives its device: a receipt that was under
// way when the link broke is printed again from its beginning, headed COPY.
//
// While the printer says that it needs a person, nothing is sent again: what it
// holds comes by itself afterwards, and the answer to the job's end ends the
// job.
type Printer struct {
	supervisor *Supervisor
	language   Language
	polarity   Polarity
	progress   func(JobReport)
	asides     chan aside

	telling sync.Mutex // held while progress is called
	told    JobReport

	mu       sync.Mutex
	queue    []Job
	current  *Job          // begun and not yet done
	attempts int           // copies of it begun here
	lost     int           // times the printer restarted with it
	arrived  chan struct{} // a job came
	heard    bool          // the printer has answered once in its life
}

// aside is something small to send between the commands of a job.
type aside struct {
	document Document
	sent     chan error
}

// PrinterConfig is what a Printer needs; Polarity may be left out.
type PrinterConfig struct {
	// Open opens the link, again and again.
	Open Dialer
	// Language is the printer's profile.
	Language Language
	// Polarity tells an open drawer from a closed one.
	Polarity Polarity
	// Report hears every change of the printer's status, Progress every step
	// of every job. Each is called by one goroutine at a time, in order, and
	// must return soon: Progress with JobPrinting is called before the first
	// byte of a copy leaves, so that it can be stored first. Progress must
	// not call Cancel.
	Report   func(Status)
	Progress func(JobReport)
}

// NewPrinter makes a printer; Run brings it to life.
func NewPrinter(c PrinterConfig) (*Printer, error) {
	if c.Open == nil || c.Language == nil || c.Report == nil || c.Progress == nil {
		return nil, errors.New("make printer: needs Open, Language, Report and Progress")
	}
	p := &Printer{
		language: c.Language,
		polarity: c.Polarity,
		progress: c.Progress,
		asides:   make(chan aside),
		arrived:  make(chan struct{}, 1),
	}
	p.supervisor = NewSupervisor(c.Open, p.converse, c.Report)
	return p, nil
}

// Run works until the context ends.
func (p *Printer) Run(ctx context.Context) { p.supervisor.Run(ctx) }

// Status is the printer's status now.
func (p *Printer) Status() Status { return p.supervisor.Status() }

// Reopen closes and opens the device at once.
func (p *Printer) Reopen() { p.supervisor.Reopen() }

// Print puts a receipt into the queue. A job whose ID already waits is not
// added again. What becomes of it is told to Progress.
func (p *Printer) Print(job Job) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	same := func(other Job) bool { return other.ID == job.ID }
	if p.current != nil && same(*p.current) || slices.ContainsFunc(p.queue, same) {
		return nil
	}
	if len(p.queue) >= maxQueue {
		return fmt.Errorf("print %s: %w", job.ID, ErrQueueFull)
	}
	p.queue = append(p.queue, job)
	select {
	case p.arrived <- struct{}{}:
	default:
	}
	return nil
}

// Cancel takes a receipt that has not begun out of the queue, and tells whether
// it did. A receipt that has begun may be on paper and is seen to its end.
func (p *Printer) Cancel(id string) bool {
	p.mu.Lock()
	i := slices.IndexFunc(p.queue, func(j Job) bool { return j.ID == id })
	if i < 0 {
		p.mu.Unlock()
		return false
	}
	job := p.queue[i]
	p.queue = slices.Delete(p.queue, i, i+1)
	p.mu.Unlock()
	p.tell(JobReport{ID: id, State: JobCancelled, Copies: job.Copies})
	return true
}

// Waiting is how many receipts are not done yet.
func (p *Printer) Waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current != nil {
		return len(p.queue) + 1
	}
	return len(p.queue)
}

// Send sends something small past the queue: a drawer's pulse, a display's
// bytes. It returns when the bytes are written, or with the context's error
// when the printer cannot take them in time.
func (p *Printer) Send(ctx context.Context, d Document) error {
	a := aside{document: d, sent: make(chan error, 1)}
	select {
	case p.asides <- a:
	case <-ctx.Done():
		return fmt.Errorf("send to printer: %w", ctx.Err())
	}
	select {
	case err := <-a.sent:
		return err
	case <-ctx.Done():
		return fmt.Errorf("send to printer: %w", ctx.Err())
	}
}

// tell reports a job's step; steps are told one at a time, and only once.
func (p *Printer) tell(r JobReport) {
	p.telling.Lock()
	defer p.telling.Unlock()
	if r != p.told {
		p.told = r
		p.progress(r)
	}
}

// next is the job to print: the one under way, else the oldest.
func (p *Printer) next() (Job, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.current != nil:
		return *p.current, true
	case len(p.queue) > 0:
		return p.queue[0], true
	}
	return Job{}, false
}

// begin counts a copy of the next job and tells so. It fails when the job was
// cancelled meanwhile.
func (p *Printer) begin(id string) (Job, bool) {
	p.mu.Lock()
	if p.current == nil {
		if len(p.queue) == 0 || p.queue[0].ID != id {
			p.mu.Unlock()
			return Job{}, false
		}
		job := p.queue[0]
		p.queue = p.queue[1:]
		p.current, p.attempts, p.lost = &job, 0, 0
	}
	p.current.Copies++
	p.attempts++
	job := *p.current
	p.mu.Unlock()
	p.tell(JobReport{ID: job.ID, State: JobPrinting, Copies: job.Copies})
	return job, true
}

// finish ends the job under way.
func (p *Printer) finish(job Job, state JobState, confirmed bool) {
	p.mu.Lock()
	p.current = nil
	p.mu.Unlock()
	p.tell(JobReport{ID: job.ID, State: state, Copies: job.Copies, Confirmed: confirmed})
}

// resumes tells whether the next job broke off before.
func (p *Printer) resumes() bool {
	job, waiting := p.next()
	return waiting && job.Copies > 0
}

// exhausted tells whether the job under way has had all its attempts.
func (p *Printer) exhausted() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current != nil && p.attempts >= maxAttempts
}

// lose counts a receipt that the printer never answered for, though it was well.
func (p *Printer) lose() (times int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lost++
	return p.lost
}

// fail drops the next job.
func (p *Printer) fail(id string) {
	p.mu.Lock()
	var job Job
	switch {
	case p.current != nil:
		job, p.current = *p.current, nil
	case len(p.queue) > 0 && p.queue[0].ID == id:
		job, p.queue = p.queue[0], p.queue[1:]
	default:
		p.mu.Unlock()
		return
	}
	p.mu.Unlock()
	p.tell(JobReport{ID: job.ID, State: JobFailed, Copies: job.Copies})
}

// interrupted tells that the job under way waits for its printer to come back.
func (p *Printer) interrupted(why Fault) {
	p.mu.Lock()
	job := p.current
	p.mu.Unlock()
	if job != nil {
		p.tell(JobReport{ID: job.ID, State: JobWaiting, Copies: job.Copies, Fault: why})
	}
}

// hasAnswered remembers that this printer is one that answers.
func (p *Printer) hasAnswered() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard = true
}

func (p *Printer) answersAlways() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, must := p.language.Questions()
	return must || p.heard
}
