package terminal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	"till/protocol"
)

// Verification is what a reading of the journal found.
type Verification struct {
	Entries int64
	Bad     int64  // seq of the first bad entry, 0 when all are good
	Why     string // what is wrong with it, a sentence
	Joints  int64  // forks that were resumed: the chain goes on from the server's entry
}

// VerifyJournal reads the whole journal and checks its hashes, links, numbers
// and the sums of its sales. A journal that is not right is no error.
func (t *Terminal) VerifyJournal(ctx context.Context) (Verification, error) {
	return verify(ctx, t.reader)
}

// VerifyFile checks the journal of a database that another process may be
// writing.
func VerifyFile(ctx context.Context, path string) (Verification, error) {
	if _, err := os.Stat(path); err != nil {
		return Verification{}, fmt.Errorf("verify journal: %w", err)
	}
	db, err := openReader(path)
	if err != nil {
		return Verification{}, err
	}
	v, err := verify(ctx, db)
	return v, errors.Join(err, db.Close())
}

func verify(ctx context.Context, db *sql.DB) (v Verification, err error) {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return v, fmt.Errorf("verify journal: %w", storage(err))
	}
	defer func() { _ = tx.Rollback() }() // it only read
	joints, err := loadJoints(ctx, tx)
	if err != nil {
		return v, fmt.Errorf("verify journal: %w", storage(err))
	}
	rows, err := tx.QueryContext(ctx, `SELECT `+entryColumns+` FROM journal ORDER BY seq`)
	if err != nil {
		return v, fmt.Errorf("verify journal: %w", storage(err))
	}
	defer func() { _ = rows.Close() }()
	last := protocol.Entry{Hash: protocol.NoHash}
	for rows.Next() {
		e, err := scanEntry(rows)
		if err != nil {
			return v, fmt.Errorf("verify journal: %w", err)
		}
		v.Entries++
		if e.Seq != last.Seq+1 {
			if joint, ok := joints[e.Seq-1]; ok {
				v.Joints++
				last.Seq, last.Hash = e.Seq-1, joint
			}
		} else if joint, ok := joints[e.Seq-1]; ok && e.Prev == joint {
			v.Joints++
			last.Hash = joint
		}
		if why := fault(last, e); why != "" {
			v.Bad, v.Why = e.Seq, why
			return v, nil
		}
		last = e
	}
	if err := rows.Err(); err != nil {
		return v, fmt.Errorf("verify journal: %w", storage(err))
	}
	return v, nil
}

// fault says what is wrong with an entry after the one before it.
func fault(last, e protocol.Entry) string {
	switch err := e.Follows(last.Seq, last.Hash); {
	case e.Seq != last.Seq+1:
		return fmt.Sprintf("entry %d is missing", last.Seq+1)
	case err != nil:
		return err.Error()
	case e.At < last.At:
		return fmt.Sprintf("its time is before that of entry %d", last.Seq)
	}
	if err := e.Check(); err != nil {
		return err.Error()
	}
	if e.Kind == protocol.EntrySaleOpened {
		var o protocol.SaleOpened
		if err := protocol.DecodeResult(e.Body, &o); err != nil {
			return "its body is not understood: " + err.Error()
		}
		if err := o.CheckSums(); err != nil {
			return err.Error()
		}
	}
	return ""
}

func loadJoints(ctx context.Context, q querier) (map[int64]protocol.Hash, error) {
	rows, err := q.QueryContext(ctx, `SELECT seq, hash FROM joints`)
	joints := map[int64]protocol.Hash{}
	_, err = all(rows, err, func(rows *sql.Rows) (struct{}, error) {
		var seq int64
		var hash protocol.Hash
		err := rows.Scan(&seq, &hash)
		joints[seq] = hash
		return struct{}{}, err
	})
	return joints, err
}

// loadHead gives what the next entry follows, nil for the first: the last entry,
// which must be as it was written, or the server's entry after a fork.
func loadHead(ctx context.Context, q querier) (*protocol.Entry, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+entryColumns+` FROM journal ORDER BY seq DESC LIMIT 1`)
	last, err := all(rows, err, scanEntry)
	if err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	var head *protocol.Entry
	if len(last) > 0 {
		if head = &last[0]; head.Check() != nil {
			return nil, fmt.Errorf("%w: journal entry %d is not as it was written; run till journal verify --terminal", ErrDamaged, head.Seq)
		}
	}
	var joint protocol.Entry
	err = q.QueryRowContext(ctx, `SELECT seq, hash, at FROM joints ORDER BY seq DESC LIMIT 1`).Scan(&joint.Seq, &joint.Hash, &joint.At)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("read joints: %w", err)
	}
	if joint.Seq > 0 && (head == nil || joint.Seq > head.Seq) {
		head = &joint
	}
	return head, nil
}
