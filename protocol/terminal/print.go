package terminal

import (
	"context"
	"database/sql"
	"fmt"

	"till/protocol"
)

// JobState is how far a print job has got.
type JobState string

// The states. A job found printing at start may be on paper or not: ask before
// it is printed again.
const (
	JobPending  JobState = "pending"
	JobPrinting JobState = "printing"
	JobPrinted  JobState = "printed"
	JobDropped  JobState = "dropped"
)

// JobReceipt is the kind of job that is counted: copy 2 and later say COPY, and
// each that is printed is journaled.
const JobReceipt = "receipt"

// Job is one paper to print. Data is the caller's own and must hold no secret:
// it lies in the database until the job is done.
type Job struct {
	ID     int64
	Kind   string          // [JobReceipt] or another of the caller's
	Sale   protocol.SaleID // "" none
	Copy   int64           // 1 … n of the sale's receipts, 0 for other papers
	Data   []byte
	State  JobState
	Queued protocol.Time
}

// QueueJob keeps a job until it is printed or dropped. It sets the job's ID and,
// for a receipt, its Copy.
func QueueJob(job *Job) Step {
	return func(ctx context.Context, c *change) error {
		job.State, job.Queued, job.Copy = JobPending, c.now, 0
		if job.Kind == JobReceipt {
			err := c.get(ctx, `SELECT 1 + max(coalesce((SELECT max(copy) FROM jobs WHERE sale = $1 AND state <> 'dropped'), 0),
				coalesce((SELECT copies FROM sales WHERE id = $1), 0))`, []any{job.Sale}, &job.Copy)
			if err != nil {
				return fmt.Errorf("count receipts: %w", err)
			}
		}
		data := job.Data
		if data == nil {
			data = []byte{}
		}
		err := c.get(ctx, `INSERT INTO jobs (kind, sale, copy, data, state, queued) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id`,
			[]any{job.Kind, job.Sale, job.Copy, data, job.State, job.Queued}, &job.ID)
		if err != nil {
			return fmt.Errorf("queue %s: %w", job.Kind, err)
		}
		return nil
	}
}

// StartJob notes that bytes of the job may reach the printer from now on.
func StartJob(id int64) Step {
	return func(ctx context.Context, c *change) error {
		if err := c.must(ctx, `UPDATE jobs SET state = 'printing' WHERE id = $1 AND state IN ('pending', 'printing')`, id); err != nil {
			return fmt.Errorf("start print job %d: %w", id, err)
		}
		return nil
	}
}

// FinishJob notes that the job is on paper and journals a receipt. It does
// nothing to a job that is finished.
func FinishJob(id int64) Step {
	return func(ctx context.Context, c *change) error {
		var job Job
		err := c.get(ctx, `SELECT kind, sale, copy, state FROM jobs WHERE id = $1`, []any{id}, &job.Kind, &job.Sale, &job.Copy, &job.State)
		if err != nil {
			return fmt.Errorf("finish print job %d: %w", id, missing(err))
		}
		if job.State == JobPrinted || job.State == JobDropped {
			return nil
		}
		if err := c.must(ctx, `UPDATE jobs SET state = 'printed', data = x'' WHERE id = $1`, id); err != nil {
			return fmt.Errorf("finish print job %d: %w", id, err)
		}
		if job.Kind != JobReceipt {
			return nil
		}
		return Record(protocol.EntryReceiptPrinted, protocol.ReceiptPrinted{Sale: job.Sale, Copy: job.Copy})(ctx, c)
	}
}

// DropJob gives a job up.
func DropJob(id int64) Step {
	return func(ctx context.Context, c *change) error {
		if err := c.must(ctx, `UPDATE jobs SET state = 'dropped', data = x'' WHERE id = $1 AND state IN ('pending', 'printing')`, id); err != nil {
			return fmt.Errorf("drop print job %d: %w", id, err)
		}
		return nil
	}
}

// Jobs gives the jobs that are pending or printing, oldest first.
func (t *Terminal) Jobs(ctx context.Context) ([]Job, error) {
	rows, err := t.reader.QueryContext(ctx, `SELECT id, kind, sale, copy, data, state, queued FROM jobs WHERE state IN ('pending', 'printing') ORDER BY id`)
	found, err := all(rows, err, func(rows *sql.Rows) (j Job, err error) {
		err = rows.Scan(&j.ID, &j.Kind, &j.Sale, &j.Copy, &j.Data, &j.State, &j.Queued)
		return j, err
	})
	if err != nil {
		return nil, fmt.Errorf("read print jobs: %w", storage(err))
	}
	return found, nil
}
