package tui

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"till/protocol"
	"till/protocol/terminal"
	"till/tui/register"
	"till/tui/widget"
)

// handOver gives a queued paper to the printer.
func (m *model) handOver(job terminal.Job, paper register.Paper) tea.Cmd {
	spool, style := m.o.Spool, m.w.style(m.o.Zone)
	if spool == nil {
		return nil
	}
	return func() tea.Msg { return failed{"print", spool.print(job, paper, style)} }
}

// queuePaper queues a paper in the journal, then hands it over.
func (m *model) queuePaper(paper register.Paper, sale protocol.SaleID) tea.Cmd {
	if m.o.Spool == nil {
		return nil
	}
	paper.At, paper.Terminal, paper.Practice = protocol.TimeOf(m.now), m.terminalName(), m.o.Practice
	paper.Shop, paper.User = m.reg.Config.Shop, m.userName()
	job := jobOf(paper, sale)
	return m.queue(writeTime, func(ctx context.Context) tea.Msg {
		if _, err := m.o.Terminal.Commit(ctx, terminal.QueueJob(job)); err != nil {
			return failed{"queue paper", err}
		}
		return queued{*job, paper}
	})
}

// queued is a paper that waits for the printer.
type queued struct {
	job   terminal.Job
	paper register.Paper
}

func (q queued) apply(m *model) tea.Cmd {
	if q.paper.Kind != register.PaperIncoming {
		m.say(widget.Good, m.w.Printing)
	}
	return m.handOver(q.job, q.paper)
}

// whyNoPaper is why nothing can be printed.
func (m *model) whyNoPaper() string {
	if m.o.Spool == nil || m.o.Spool.printer == nil {
		return m.w.NoPrinter
	}
	return ""
}

// paperNames are what papers without a sale are called.
var paperNames = map[register.PaperKind]register.Label{
	register.PaperReceipt: register.LabelSale, register.PaperRequest: register.LabelScanToPay, register.PaperAddress: register.LabelOurAddress,
	register.PaperSweep: register.LabelRedeemed, register.PaperPayout: register.LabelPaidOut, register.PaperIncoming: register.LabelArrived, register.PaperTest: register.LabelTest,
}

// again takes up a paper from before the restart. One that was being printed may
// have come out: a person is asked before it comes out twice.
func (m *model) again(job terminal.Job) tea.Cmd {
	paper, err := paperOf(job)
	if err != nil {
		return m.queue(writeTime, func(ctx context.Context) tea.Msg {
			_, drop := m.o.Terminal.Commit(ctx, terminal.DropJob(job.ID))
			m.o.Log.Error("drop print job", "error", err)
			return failed{"drop print job", drop}
		})
	}
	if job.State != terminal.JobPrinting {
		return m.handOver(job, paper)
	}
	settle := func(step terminal.Step) tea.Cmd {
		return m.queue(writeTime, func(ctx context.Context) tea.Msg {
			_, err := m.o.Terminal.Commit(ctx, step)
			return failed{"settle print job", err}
		})
	}
	what := m.w.Paper[paperNames[paper.Kind]]
	if paper.Opening.Number != "" {
		what = m.w.Paper[register.LabelSale] + " " + paper.Opening.Number
	}
	m.open(&dialog{
		name: "print-again", role: widget.Warn, title: m.w.PrintAgainTitle, text: m.w.f(m.w.PrintAgainText, what), itself: true,
		keys: []key{
			yes("y", func(m *model) tea.Cmd {
				job.Copy = max(job.Copy, 1) + 1 // headed COPY: the first may be on paper
				return m.handOver(job, paper)
			}),
			{action: ActBack, keys: []string{"esc"}, do: func(m *model) tea.Cmd {
				m.close()
				return settle(terminal.FinishJob(job.ID))
			}},
		},
	})
	return nil
}
