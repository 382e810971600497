package server

import (
	"context"
	"fmt"
	"strings"

	"till/protocol"
)

// JournalReport is what verifying one terminal's journal found.
type JournalReport struct {
	Terminal protocol.TerminalID `json:"terminal"`
	Name     string              `json:"name"`
	Entries  int64               `json:"entries"`
	Bad      int64               `json:"bad,omitempty"`   // the first bad entry, 0 none
	Fault    string              `json:"fault,omitempty"` // what is wrong with it
	Flagged  int64               `json:"flagged"`         // entries stored with a flag
}

// perRead is how many entries verifying holds at once.
const perRead = 1000

// VerifyJournals reads every terminal's journal from the start: the hash chain,
// the numbering, the sums. report is called once a terminal, by creation. It
// returns an error only when the store fails.
func (s *Server) VerifyJournals(ctx context.Context, report func(JournalReport)) error {
	return VerifyJournals(ctx, s.o.Store, report)
}

// VerifyJournals is [Server.VerifyJournals] of a store that no server serves.
func VerifyJournals(ctx context.Context, store Store, report func(JournalReport)) error {
	var all []*Terminal
	err := store.Read(ctx, func(tx *Tx) (err error) {
		all, err = tx.Terminals.List()
		return err
	})
	if err != nil {
		return fmt.Errorf("list terminals: %w", err)
	}
	for _, t := range all {
		r, err := verifyJournal(ctx, store, t)
		if err != nil {
			return fmt.Errorf("verify journal of %s: %w", t.Name, err)
		}
		report(r)
	}
	return nil
}

func verifyJournal(ctx context.Context, store Store, t *Terminal) (JournalReport, error) {
	r := JournalReport{Terminal: t.ID, Name: t.Name}
	hash, zNumber := protocol.NoHash, int64(0)
	for r.Bad == 0 {
		var entries []StoredEntry
		err := store.Read(ctx, func(tx *Tx) (err error) {
			entries, err = tx.Journal.After(t.ID, r.Entries, perRead)
			return err
		})
		if err != nil {
			return r, err
		}
		if len(entries) == 0 {
			break
		}
		for _, e := range entries {
			if r.Fault = faultOf(e, r.Entries, hash, &zNumber); r.Fault != "" {
				r.Bad = e.Seq
				return r, nil
			}
			if e.Flag != "" {
				r.Flagged++
			}
			r.Entries, hash = e.Seq, e.Hash
		}
	}
	if r.Entries != t.JournalSeq || r.Entries > 0 && hash != t.JournalHash {
		r.Bad, r.Fault = r.Entries+1, fmt.Sprintf("the journal ends at entry %d, not at %d as the terminal was told", r.Entries, t.JournalSeq)
	}
	return r, nil
}

// faultOf judges an entry behind the one with seq and hash; zNumber is that of
// the last closed shift.
func faultOf(e StoredEntry, seq int64, hash protocol.Hash, zNumber *int64) string {
	if err := e.Follows(seq, hash); err != nil {
		return err.Error()
	}
	if err := e.Check(); err != nil {
		return err.Error()
	}
	for flag := range strings.SplitSeq(e.Flag, ",") {
		if flag == flagSums {
			return fmt.Sprintf("the amounts of entry %d (%s) do not add up", e.Seq, e.Kind)
		}
	}
	if e.Kind != protocol.EntryShiftClosed {
		return ""
	}
	var closed protocol.ShiftClosed
	if err := protocol.DecodeResult(e.Body, &closed); err != nil {
		return "" // stored with a flag
	}
	if *zNumber != 0 && closed.ZNumber != *zNumber+1 {
		return fmt.Sprintf("Z report %d follows %d", closed.ZNumber, *zNumber)
	}
	*zNumber = closed.ZNumber
	return ""
}
