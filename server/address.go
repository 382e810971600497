package server

import (
	"context"
	"fmt"
	"slices"
	"time"

	"till/protocol"
)

// Settings that count addresses.
const (
	settingNext = "next_address" // the next index of the receiving branch
	settingPaid = "paid_address" // the highest that a confirmed transaction paid, −1 none
)

// restFor is how long a released address rests.
const restFor = 24 * time.Hour

// maxHeld bounds the lists of getaddress.
const maxHeld = 10_000

// GetAddress gives all addresses leased to the terminal that no tender has used,
// filled up to what it wants; those it does not hold yet come first (terminal.md §5).
func (s *Server) GetAddress(ctx context.Context, id protocol.TerminalID, p protocol.GetAddress) (*protocol.GetAddressResult, error) {
	switch {
	case p.Want < 0 || p.Want > protocol.MaxWant:
		return nil, &protocol.Error{Code: protocol.CodeInvalidParams, Member: "want", Message: "must be 0 to 100"}
	case len(p.Held) > maxHeld:
		return nil, &protocol.Error{Code: protocol.CodeInvalidParams, Member: "held", Message: "is too long"}
	case len(p.Release) > maxHeld:
		return nil, &protocol.Error{Code: protocol.CodeInvalidParams, Member: "release", Message: "is too long"}
	}
	var result *protocol.GetAddressResult
	err := s.write(ctx, func(w *work) (err error) {
		if err := w.living(id); err != nil {
			return err
		}
		if err := w.release(id, p.Release); err != nil {
			return err
		}
		result, err = w.lease(id, p)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("lease addresses: %w", err)
	}
	return result, nil
}

// living refuses what a suspended or revoked terminal asks for.
func (tx *Tx) living(id protocol.TerminalID) error {
	t, err := tx.Terminals.Get(id)
	if err != nil {
		return fmt.Errorf("find terminal: %w", err)
	}
	switch t.State {
	case TerminalRevoked:
		return ErrRevoked
	case TerminalSuspended:
		return protocol.Errorf(protocol.CodeTerminalSuspended, "%s", SuspensionMessage(t.Reason))
	case TerminalLiving:
	}
	return nil
}

// release lets addresses rest that were never shown; others are silently kept.
func (w *work) release(id protocol.TerminalID, texts []string) error {
	for _, text := range texts {
		a, err := w.Addresses.Get(text)
		if isNotFound(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("find address: %w", err)
		}
		if a.Terminal != id || a.Tender != "" || a.Named || a.Seen {
			continue
		}
		a.Terminal, a.Rested = "", w.now
		if err := w.Addresses.Update(a); err != nil {
			return fmt.Errorf("release address: %w", err)
		}
	}
	return nil
}

func (w *work) lease(id protocol.TerminalID, p protocol.GetAddress) (*protocol.GetAddressResult, error) {
	leased, err := w.Addresses.Leased(id)
	if err != nil {
		return nil, fmt.Errorf("list leased addresses: %w", err)
	}
	usable := int64(0)
	for _, a := range leased {
		// One that was printed is listed, but does not stand in a fresh one's place.
		if !a.Named && !a.Seen {
			usable++
		}
	}
	result := &protocol.GetAddressResult{}
	for ; usable < p.Want; usable++ {
		a, err := w.another(id)
		if err != nil {
			return nil, err
		}
		if a == nil {
			result.Short = true
			break
		}
		leased = append(leased, a)
	}
	held := map[string]bool{}
	for _, text := range p.Held {
		held[text] = true
	}
	slices.SortStableFunc(leased, func(a, b *LeasedAddress) int {
		if held[a.Text] != held[b.Text] {
			if held[b.Text] {
				return -1
			}
			return 1
		}
		return int(a.Index) - int(b.Index)
	})
	result.Addresses = make([]protocol.Lease, 0, len(leased))
	for _, a := range leased {
		result.Addresses = append(result.Addresses, protocol.Lease{Address: a.Text, Path: a.Path, Leased: a.Leased})
	}
	return result, nil
}

// another leases one more address: the one that rested longest, else the next
// index; nil when the gap limit allows none.
func (w *work) another(id protocol.TerminalID) (*LeasedAddress, error) {
	rested, err := w.Addresses.Rested(w.now.Add(-restFor), 1)
	if err != nil {
		return nil, fmt.Errorf("list resting addresses: %w", err)
	}
	if len(rested) == 1 {
		a := rested[0]
		a.Terminal, a.Leased, a.Rested = id, w.now, 0
		if err := w.Addresses.Update(a); err != nil {
			return nil, fmt.Errorf("lease address: %w", err)
		}
		return a, nil
	}
	a, err := w.fresh(id)
	if a == nil {
		return nil, err
	}
	if err := w.Addresses.Insert(a); err != nil {
		return nil, fmt.Errorf("lease address: %w", err)
	}
	return a, nil
}

// fresh takes the next index of the receiving branch; nil when the gap limit is
// reached. The caller stores the row.
func (w *work) fresh(id protocol.TerminalID) (*LeasedAddress, error) {
	next, err := numberSetting(w.Tx, settingNext, 0)
	if err != nil {
		return nil, err
	}
	paid, err := numberSetting(w.Tx, settingPaid, -1)
	if err != nil || next > paid+w.s.rules().GapLimit {
		return nil, err
	}
	address, err := w.s.o.Wallet.Derive(BranchReceive, uint32(next))
	if err != nil {
		return nil, fmt.Errorf("derive address %d: %w", next, err)
	}
	if err := setNumber(w.Tx, settingNext, next+1); err != nil {
		return nil, fmt.Errorf("count addresses: %w", err)
	}
	w.leased = append(w.leased, address)
	return &LeasedAddress{Address: address, Branch: BranchReceive, Index: uint32(next), Terminal: id, Leased: w.now}, nil
}
