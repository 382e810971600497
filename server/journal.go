package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"till/protocol"
)

// Flags beside a stored entry; several are joined by commas.
const (
	flagTimeRanBack = "time_ran_back" // its time is before an earlier entry's
	flagSums        = "sums"          // its amounts do not add up
	flagUnknownKind = "unknown_kind"
	flagBody        = "body"      // the body is not that of its kind
	flagDuplicate   = "duplicate" // it makes again what exists
	flagStranger    = "stranger"  // it speaks of what is not there or belongs to another terminal
	flagZNumber     = "z_number"  // its Z report does not follow the last
	flagTooLate     = "too_late"  // it speaks of a sale that is over
)

// storeJournal stores what is new of the entries and what follows from it in one
// transaction (terminal.md §4.1).
func (s *Server) storeJournal(ctx context.Context, id protocol.TerminalID, entries []protocol.Entry) error {
	for i := range entries {
		if err := checkEntry(&entries[i]); err != nil {
			return &protocol.Error{Code: protocol.CodeInvalidParams, Member: fmt.Sprintf("journal[%d].%s", i, err.Member), Message: err.Message}
		}
	}
	var refusal error
	err := s.write(ctx, func(w *work) error {
		refusal = nil
		t, err := w.Terminals.Get(id)
		if err != nil {
			return fmt.Errorf("find terminal: %w", err)
		}
		if t.State == TerminalRevoked {
			return ErrRevoked
		}
		fresh, err := freshEntries(t, entries, w.Journal.Get)
		if errors.Is(err, protocol.CodeJournalFork) {
			refusal = err
			return w.fork(t)
		}
		if err != nil || t.Forked || len(fresh) == 0 {
			return err
		}
		return w.storeEntries(t, fresh)
	})
	var known *protocol.Error
	switch {
	case err == nil:
		return refusal
	case errors.As(err, &known) || errors.Is(err, ErrRevoked):
		return err
	}
	return fmt.Errorf("store journal entries: %w", err)
}

// checkEntry judges what an entry says without its neighbours.
func checkEntry(e *protocol.Entry) *protocol.DecodeError {
	text, err := protocol.Encode(e)
	switch {
	case err != nil:
		return &protocol.DecodeError{Member: "body", Message: "is not JSON"}
	case len(text) > protocol.MaxEntry:
		return &protocol.DecodeError{Member: "body", Message: fmt.Sprintf("makes an entry of more than %d bytes", protocol.MaxEntry)}
	case e.Seq < 1:
		return &protocol.DecodeError{Member: "seq", Message: "must be 1 or more"}
	}
	if err := e.Check(); err != nil {
		return &protocol.DecodeError{Member: "hash", Message: "is not that of the entry's content"}
	}
	return nil
}

// freshEntries drops the entries that are stored already. It fails with
// journal_fork when one contradicts what is stored or the one before it, and
// with journal_gap when one is missing.
func freshEntries(t *Terminal, entries []protocol.Entry, stored func(protocol.TerminalID, int64) (*StoredEntry, error)) ([]protocol.Entry, error) {
	var fresh []protocol.Entry
	seq, hash := t.JournalSeq, t.JournalHash
	if seq == 0 {
		hash = protocol.NoHash
	}
	for _, e := range entries {
		switch {
		case e.Seq > seq+1:
			return nil, &protocol.Error{Code: protocol.CodeJournalGap, Journal: &t.JournalSeq}
		case e.Seq == seq+1:
			if e.Prev != hash {
				return nil, forkOf(t)
			}
			fresh = append(fresh, e)
			seq, hash = e.Seq, e.Hash
		default:
			known := protocol.Hash("")
			if n := e.Seq - t.JournalSeq; n > 0 {
				known = fresh[n-1].Hash
			} else {
				old, err := stored(t.ID, e.Seq)
				if err != nil {
					return nil, fmt.Errorf("read journal entry %d: %w", e.Seq, err)
				}
				known = old.Hash
			}
			if e.Hash != known {
				return nil, forkOf(t)
			}
		}
	}
	return fresh, nil
}

func forkOf(t *Terminal) error {
	seq, hash := t.JournalSeq, t.JournalHash
	if seq == 0 {
		hash = protocol.NoHash
	}
	return &protocol.Error{Code: protocol.CodeJournalFork, Journal: &seq, Hash: hash}
}

// fork suspends the terminal; its journal is closed until the owner resumes it.
func (w *work) fork(t *Terminal) error {
	if t.Forked {
		return nil
	}
	t.State, t.Reason, t.Forked, t.Since = TerminalSuspended, SuspendedByFork, true, w.now
	if err := w.Terminals.Update(t); err != nil {
		return fmt.Errorf("suspend terminal: %w", err)
	}
	w.told[t.ID] = struct{}{}
	w.alarm(SuspendedByFork, t.Name, "the journal of %s contradicts what was stored after entry %d: it is suspended; `till terminal resume %s` lets it go on", t.Name, t.JournalSeq, t.Name)
	return nil
}

// storeEntries appends entries that follow the head, acts on them, and moves the head.
func (w *work) storeEntries(t *Terminal, entries []protocol.Entry) error {
	leased, err := w.Addresses.Leased(t.ID)
	if err != nil {
		return fmt.Errorf("list leased addresses: %w", err)
	}
	rows := make([]StoredEntry, 0, len(entries))
	for _, e := range entries {
		a := application{work: w, terminal: t, entry: e, at: e.At, batch: rows}
		if e.At < t.JournalAt {
			a.at = t.JournalAt
			a.flag(flagTimeRanBack)
		}
		if err := w.noteNamed(leased, e); err != nil {
			return err
		}
		if err := a.apply(); err != nil {
			return fmt.Errorf("apply %s entry %d: %w", e.Kind, e.Seq, err)
		}
		rows = append(rows, StoredEntry{Entry: e, Terminal: t.ID, Received: w.now, Flag: strings.Join(a.flags, ",")})
		t.JournalSeq, t.JournalHash, t.JournalAt = e.Seq, e.Hash, max(t.JournalAt, e.At)
	}
	if err := w.Journal.Append(rows); err != nil {
		return err
	}
	for id := range w.sales {
		if err := w.settle(id, w.s.watch.view(), "journal"); err != nil {
			return err
		}
	}
	return w.Terminals.Update(t)
}

// noteNamed marks the leased addresses that the entry names anywhere: they are
// never given back.
func (w *work) noteNamed(leased []*LeasedAddress, e protocol.Entry) error {
	if len(leased) == 0 {
		return nil
	}
	// The canonical form has no escape that could hide an address.
	text, err := protocol.Canonical(e.Body)
	if err != nil {
		return err
	}
	for _, a := range leased {
		if a.Named || !bytes.Contains(text, []byte(a.Text)) {
			continue
		}
		// The row may have changed with an earlier entry of the batch.
		row, err := w.Addresses.Get(a.Text)
		if err != nil {
			return fmt.Errorf("find address: %w", err)
		}
		a.Named, row.Named = true, true
		if err := w.Addresses.Update(row); err != nil {
			return fmt.Errorf("mark address: %w", err)
		}
	}
	return nil
}

// application is one entry being acted on.
type application struct {
	*work
	terminal *Terminal
	entry    protocol.Entry
	at       protocol.Time // its time, or the latest before it where its own ran back
	batch    []StoredEntry // those before it that are not in the store yet
	flags    []string
}

func (a *application) flag(word string) {
	if !slices.Contains(a.flags, word) {
		a.flags = append(a.flags, word)
	}
}

// ignore notes why the entry is not acted on.
func (a *application) ignore(word string) {
	a.flag(word)
	a.s.o.Log.Warn("journal entry not acted on", "terminal", a.terminal.ID, "entry", a.entry.Seq, "kind", string(a.entry.Kind), "reason", word)
}

// read decodes the body; false: it is not that of its kind.
func (a *application) read(body any) bool {
	if err := protocol.DecodeResult(a.entry.Body, body); err != nil {
		a.ignore(flagBody)
		return false
	}
	return true
}

func (a *application) apply() error {
	switch a.entry.Kind {
	case protocol.EntrySaleOpened:
		return a.saleOpened()
	case protocol.EntryTenderAdded:
		return a.tenderAdded()
	case protocol.EntryTenderRemoved:
		return a.tenderRemoved()
	case protocol.EntrySalePaid, protocol.EntrySaleCancelled, protocol.EntrySaleParked:
		return a.saleSaid()
	case protocol.EntryRefund:
		return a.refund()
	case protocol.EntryTabOpened:
		return a.tabOpened()
	case protocol.EntryTabCharged:
		return a.tabCharged()
	case protocol.EntryTabClosed:
		return a.tabClosed()
	case protocol.EntryShiftClosed:
		return a.shiftClosed()
	case protocol.EntrySignedOut:
		a.terminal.SignedIn = ""
	case protocol.EntrySignedIn:
		var body protocol.PersonDid
		if a.read(&body) {
			a.terminal.SignedIn = body.User
		}
	case protocol.EntryTamper:
		var body protocol.Tampered
		if a.read(&body) {
			a.alarm("tamper", a.terminal.Name, "the case of %s was opened (sensor %s)", a.terminal.Name, body.Sensor)
		}
	case protocol.EntryShiftOpened, protocol.EntryPayout, protocol.EntryReceiptPrinted, protocol.EntryDrawerOpened,
		protocol.EntryOverride, protocol.EntrySettings, protocol.EntryTokenReceived, protocol.EntrySignInFailed:
		// Kept for the books; nothing follows from them here.
	default:
		a.ignore(flagUnknownKind)
	}
	return nil
}

// shiftClosed checks that Z numbers have no gap and that what was counted adds up.
func (a *application) shiftClosed() error {
	var body protocol.ShiftClosed
	if !a.read(&body) {
		return nil
	}
	if variance, err := body.Counted.Sub(body.Expected); err != nil || variance != body.Variance {
		a.flag(flagSums)
	}
	last, err := a.lastClosing()
	if err != nil {
		return fmt.Errorf("find last Z report: %w", err)
	}
	var before protocol.ShiftClosed
	if last != nil && protocol.DecodeResult(last.Body, &before) != nil {
		return nil // what it should have been is not known
	}
	if body.ZNumber != before.ZNumber+1 {
		a.flag(flagZNumber)
		a.alarm("z_number", a.terminal.Name, "Z report %d of %s follows %d", body.ZNumber, a.terminal.Name, before.ZNumber)
	}
	return nil
}

// lastClosing is the shift_closed before this entry, nil for none.
func (a *application) lastClosing() (*StoredEntry, error) {
	for i := range slices.Backward(a.batch) {
		if a.batch[i].Kind == protocol.EntryShiftClosed {
			return &a.batch[i], nil
		}
	}
	stored, err := a.Journal.Closings(a.terminal.ID, 0, 1)
	if err != nil || len(stored) == 0 {
		return nil, err
	}
	return &stored[0], nil
}
