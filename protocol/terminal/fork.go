package terminal

import (
	"context"
	"encoding/json"
	"fmt"

	"till/protocol"
)

// goBack makes the next check-in go on after the entry seq: a server that was
// restored from a backup has forgotten the later ones (journal_gap).
func (t *Terminal) goBack(ctx context.Context, seq int64) error {
	t.mu.Lock()
	sent := t.cursor
	t.mu.Unlock()
	if seq >= sent.Journal {
		return fmt.Errorf("the server misses entries after %d, which is all it was not sent", seq)
	}
	own, err := t.ownHash(ctx, seq)
	if err != nil {
		return err
	}
	if seq > 0 && own == "" {
		// The entry was never ours. A link that the server refuses will make it
		// tell the right one.
		return t.graft(ctx, seq, protocol.NoHash)
	}
	return t.rewind(ctx, seq)
}

// rewind counts the entries after seq as not sent.
func (t *Terminal) rewind(ctx context.Context, seq int64) error {
	t.mu.Lock()
	at := t.cursor
	t.mu.Unlock()
	at.Journal = seq
	c, err := t.write(ctx, func(ctx context.Context, c *change) error {
		value, err := text(at)
		if err != nil {
			return err
		}
		return c.set(ctx, "cursor", value)
	})
	if err != nil {
		return fmt.Errorf("go back to journal entry %d: %w", seq, err)
	}
	t.setCursor(at, c.head)
	return nil
}

// ownHash gives the hash of our entry seq, "" when we have none; that of 0 is
// NoHash.
func (t *Terminal) ownHash(ctx context.Context, seq int64) (protocol.Hash, error) {
	if seq == 0 {
		return protocol.NoHash, nil
	}
	rows, err := t.reader.QueryContext(ctx, `SELECT `+entryColumns+` FROM journal WHERE seq = $1`, seq)
	found, err := all(rows, err, scanEntry)
	if err != nil {
		return "", fmt.Errorf("read journal entry %d: %w", seq, storage(err))
	}
	if len(found) == 0 {
		return "", nil
	}
	return found[0].Hash, nil
}

// graft continues the journal after the server's last good entry: our entries
// that it has not stored are appended again after it, each with the hash it had
// as "was" (terminal.md §4.1, journal_fork). As they were they stay in a table
// of their own. Nothing is sent before somebody resumes the terminal. Grafting
// where the journal continues already changes nothing.
func (t *Terminal) graft(ctx context.Context, seq int64, hash protocol.Hash) error {
	if !hash.Valid() || seq < 0 {
		return fmt.Errorf("continue journal after entry %d: the server names no hash", seq)
	}
	own, err := t.ownHash(ctx, seq)
	if err != nil {
		return err
	}
	t.mu.Lock()
	at := t.cursor
	t.mu.Unlock()
	cut := min(at.Journal, seq)
	if own == hash {
		cut = seq // the server has ours up to here
	}
	at.Journal = seq
	c, err := t.write(ctx, func(ctx context.Context, c *change) error {
		value, err := text(at)
		if err != nil {
			return err
		}
		if err := c.set(ctx, "cursor", value); err != nil {
			return err
		}
		return c.appendAgain(ctx, cut, &protocol.Entry{Seq: seq, Hash: hash}, own == hash)
	})
	if err != nil {
		return fmt.Errorf("continue journal after entry %d: %w", seq, err)
	}
	t.setCursor(at, c.head)
	return nil
}

// appendAgain moves the entries after cut behind base, the server's last good
// entry, which may be our own.
func (c *change) appendAgain(ctx context.Context, cut int64, base *protocol.Entry, own bool) error {
	rows, err := c.tx.QueryContext(ctx, `SELECT `+entryColumns+` FROM journal WHERE seq > $1 ORDER BY seq`, cut)
	entries, err := all(rows, err, scanEntry)
	if err != nil {
		return fmt.Errorf("read journal: %w", err)
	}
	if len(entries) > 0 && entries[0].Seq == base.Seq+1 && entries[0].Prev == base.Hash {
		return nil // it continues there already
	}
	if err := c.get(ctx, `SELECT coalesce(max(at), 0) FROM journal WHERE seq <= $1`, []any{cut}, &base.At); err != nil {
		return fmt.Errorf("read journal: %w", err)
	}
	for _, step := range []string{
		`INSERT INTO forked SELECT (SELECT 1 + coalesce(max(fork), 0) FROM forked), ` + entryColumns + ` FROM journal WHERE seq > $1`,
		`DELETE FROM journal WHERE seq > $1`,
		`DELETE FROM joints WHERE seq > $1`,
	} {
		if err := c.exec(ctx, step, cut); err != nil {
			return fmt.Errorf("set entries aside: %w", err)
		}
	}
	if !own {
		err := c.exec(ctx, `INSERT INTO joints (seq, hash, at) VALUES ($1, $2, $3)
			ON CONFLICT (seq) DO UPDATE SET hash = excluded.hash, at = excluded.at`, base.Seq, base.Hash, base.At)
		if err != nil {
			return fmt.Errorf("store joint: %w", err)
		}
	}
	if c.head = base; base.Seq == 0 {
		c.head = nil
	}
	for _, e := range entries {
		body, err := withWas(e.Body, e.Hash)
		if err != nil {
			return fmt.Errorf("append entry %d again: %w", e.Seq, err)
		}
		again, err := protocol.NewEntry(c.head, e.At, e.Kind, body)
		if err != nil {
			return fmt.Errorf("append entry %d again: %w", e.Seq, err)
		}
		if err := c.insert(ctx, again); err != nil {
			return err
		}
	}
	return nil
}

// withWas adds the hash that an entry had to its body.
func withWas(body json.RawMessage, was protocol.Hash) (json.RawMessage, error) {
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal(body, &members); err != nil {
		return nil, err
	}
	hash, err := protocol.Encode(was)
	if err != nil {
		return nil, err
	}
	members["was"] = hash
	return protocol.Encode(members)
}
