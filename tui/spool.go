package tui

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"till/device"
	"till/protocol"
	"till/protocol/terminal"
	"till/tui/register"
)

// Spool stands between the journal and the printer: a paper is queued in the
// terminal's database, handed to the printer, and struck off when the printer
// says that it is on paper. Give its Progress and Report to the printer as
// hooks, then the printer to Attach.
type Spool struct {
	books   Books
	log     *slog.Logger
	printer Printer
	changed chan struct{} // of one place: the printer's state is another

	mu    sync.Mutex
	asked map[string]chan device.JobReport // papers that are waited for, by id
}

// NewSpool makes a spool without a printer.
func NewSpool(books Books, log *slog.Logger) *Spool {
	return &Spool{books: books, log: log, changed: make(chan struct{}, 1), asked: map[string]chan device.JobReport{}}
}

// Attach gives the spool its printer; before the program runs.
func (s *Spool) Attach(p Printer) { s.printer = p }

// Report hears the printer's state.
func (s *Spool) Report(device.Status) { s.tell() }

// Progress hears each step of a job and stores it: that it may be on paper
// before its first byte leaves, that it is when the printer says so.
func (s *Spool) Progress(r device.JobReport) {
	defer s.tell()
	id, err := strconv.ParseInt(r.ID, 10, 64)
	if err != nil { // not of the journal
		s.answer(r)
		return
	}
	var step terminal.Step
	switch r.State {
	case device.JobPrinting:
		step = terminal.StartJob(id)
	case device.JobDone:
		step = terminal.FinishJob(id)
	case device.JobFailed, device.JobCancelled:
		step = terminal.DropJob(id)
	default:
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), writeTime)
	defer cancel()
	if _, err := s.books.Commit(ctx, step); err != nil {
		s.log.Error("store print job", "job", id, "state", r.State.String(), "error", err)
	}
}

// Why a paper that is kept nowhere did not come out whole.
var (
	errNotPrinted = errors.New("the printer did not print it")
	errTwice      = errors.New("the printer began anew: two papers may carry it")
)

// printNow prints a paper that is kept nowhere, such as one with a key, and
// waits until it is on paper. unsure: the printer never says so. When ctx ends
// the paper is taken back; it may have come out all the same.
func (s *Spool) printNow(ctx context.Context, id string, d device.Document) (unsure bool, err error) {
	reports := make(chan device.JobReport, 16)
	s.mu.Lock()
	s.asked[id] = reports
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.asked, id)
		s.mu.Unlock()
	}()
	if err := s.printer.Print(device.Job{ID: id, Document: d}); err != nil {
		return false, fmt.Errorf("print %s: %w", id, err)
	}
	for {
		select {
		case r := <-reports:
			switch {
			case r.State == device.JobFailed, r.State == device.JobCancelled:
				return false, errNotPrinted
			case r.Copies > 1:
				return false, errTwice
			case r.State == device.JobDone:
				return !r.Confirmed, nil
			}
		case <-ctx.Done():
			s.printer.Cancel(id)
			return false, ctx.Err()
		}
	}
}

// answer tells who waits for a paper; a report that nobody takes is dropped.
func (s *Spool) answer(r device.JobReport) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.asked[r.ID] <- r:
	default:
	}
}

func (s *Spool) tell() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// print hands a job to the printer.
func (s *Spool) print(job terminal.Job, paper register.Paper, style register.Style) error {
	if s.printer == nil {
		return fmt.Errorf("print %s: no printer is attached", job.Kind)
	}
	return s.printer.Print(device.Job{
		ID: strconv.FormatInt(job.ID, 10), Document: paper.Document(style), Copies: int(max(0, job.Copy-1)),
	})
}

// jobOf is a paper as a print job.
func jobOf(paper register.Paper, sale protocol.SaleID) *terminal.Job {
	text, err := json.Marshal(paper)
	if err != nil {
		panic(err) // a paper is strings and integers: it always encodes
	}
	kind := string(paper.Kind)
	if paper.Kind == register.PaperReceipt {
		kind = terminal.JobReceipt
	}
	return &terminal.Job{Kind: kind, Sale: sale, Data: text}
}

// paperOf reads a job back.
func paperOf(job terminal.Job) (register.Paper, error) {
	var paper register.Paper
	if err := json.Unmarshal(job.Data, &paper); err != nil {
		return paper, fmt.Errorf("read print job %d: %w", job.ID, err)
	}
	return paper, nil
}

// style is how papers speak in a language.
func (w *Words) style(zone *time.Location) register.Style {
	w = w.onPaper()
	return register.Style{
		Word: func(l register.Label) string {
			if text := w.Staff.Report[l]; text != "" {
				return text
			}
			return w.Paper[l]
		},
		Money:   w.money,
		Bitcoin: w.bitcoin,
		Number:  w.number,
		Moment: func(t protocol.Time) string {
			return t.Time().In(zone).Format(w.Date + " " + w.Clock + " MST")
		},
		State: func(state protocol.SaleState, flags []protocol.Flag, reason, message string) string {
			if text := w.sentence(reason, message); text != "" {
				return w.stateWords(state, flags) + ": " + text
			}
			return w.stateWords(state, flags)
		},
		Tender: func(k protocol.TenderKind) string { return w.Tenders[k] },
		Payout: func(state protocol.PayoutState, message string) string {
			if message != "" {
				return w.PayoutStates[state] + ": " + message
			}
			return w.PayoutStates[state]
		},
	}
}
