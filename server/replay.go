package server

import (
	"bytes"
	"context"
	"fmt"

	"till/protocol"
)

// ReplayStep is an entry of the journal about a sale, or a change of its state.
type ReplayStep struct {
	Entry *StoredEntry
	State *SaleStep
}

// replayMost bounds how many entries behind the opening are looked through: a
// sale is over, but for refunds and reprints, long before.
const (
	replayMost = 20_000
	replayRead = 500
)

// Replay tells step by step what happened to a sale, named by its id or its
// number (the newest of that number): the terminal's entries about it as they
// stand in the journal, and the changes of its state in between. No such sale:
// [ErrNotFound].
func (s *Server) Replay(ctx context.Context, name string) (record SaleRecord, steps []ReplayStep, err error) {
	err = s.o.Store.Read(ctx, func(tx *Tx) error {
		steps = nil
		sale, err := tx.namedSale(name)
		if err != nil {
			return err
		}
		if record, err = tx.record(sale); err != nil {
			return err
		}
		states, err := tx.Books.Steps(sale.ID)
		if err != nil {
			return fmt.Errorf("read states: %w", err)
		}
		entries, err := tx.entriesOf(sale)
		if err != nil {
			return fmt.Errorf("read entries: %w", err)
		}
		for len(entries)+len(states) > 0 {
			// An entry is the cause of the state that was stored with it.
			if len(states) == 0 || len(entries) > 0 && entries[0].Received <= states[0].At {
				steps, entries = append(steps, ReplayStep{Entry: &entries[0]}), entries[1:]
			} else {
				steps, states = append(steps, ReplayStep{State: &states[0]}), states[1:]
			}
		}
		return nil
	})
	if err != nil {
		return record, nil, fmt.Errorf("replay sale: %w", err)
	}
	return record, steps, nil
}

func (tx *Tx) namedSale(name string) (*Sale, error) {
	if protocol.ID(name).Valid() {
		return tx.Sales.Get(protocol.SaleID(name))
	}
	found, err := tx.Books.Sales(SaleFilter{Text: name, Most: 50})
	if err != nil {
		return nil, err
	}
	for _, sale := range found {
		if sale.Number == name || trimNoughts(sale.Number) == trimNoughts(name) {
			return sale, nil
		}
	}
	return nil, fmt.Errorf("sale %q: %w", name, ErrNotFound)
}

func trimNoughts(number string) string {
	for len(number) > 1 && number[0] == '0' {
		number = number[1:]
	}
	return number
}

// entriesOf gives the entries that name the sale, from its opening on.
func (tx *Tx) entriesOf(sale *Sale) (about []StoredEntry, err error) {
	if sale.Entry == 0 {
		return nil, nil
	}
	for after := sale.Entry - 1; after < sale.Entry+replayMost; {
		read, err := tx.Journal.After(sale.Terminal, after, replayRead)
		if err != nil {
			return nil, err
		}
		for _, e := range read {
			if bytes.Contains(e.Body, []byte(sale.ID)) {
				about = append(about, e)
			}
		}
		if len(read) < replayRead {
			break
		}
		after = read[len(read)-1].Seq
	}
	return about, nil
}
