package store

import (
	"fmt"

	"till/protocol"
	"till/server"
)

type journal struct{ rows }

const journalColumns = "terminal, seq, at, kind, body, prev, hash, received, flag"

func scanEntry(row scanner) (server.StoredEntry, error) {
	var e server.StoredEntry
	var body string
	err := row.Scan(&e.Terminal, &e.Seq, &e.At, &e.Kind, &body, &e.Prev, &e.Hash, &e.Received, &e.Flag)
	e.Body = []byte(body)
	return e, err
}

func (r journal) Append(entries []server.StoredEntry) error {
	for _, e := range entries {
		err := r.exec("INSERT INTO journal ("+journalColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
			e.Terminal, e.Seq, e.At, e.Kind, string(e.Body), e.Prev, e.Hash, e.Received, e.Flag)
		if err != nil {
			return fmt.Errorf("store journal entry %d: %w", e.Seq, err)
		}
	}
	return nil
}

func (r journal) Get(id protocol.TerminalID, seq int64) (*server.StoredEntry, error) {
	e, err := first(r.rows, scanEntry, "SELECT "+journalColumns+" FROM journal WHERE terminal = $1 AND seq = $2", id, seq)
	return &e, err
}

func (r journal) After(id protocol.TerminalID, seq int64, most int) ([]server.StoredEntry, error) {
	return all(r.rows, scanEntry, "SELECT "+journalColumns+" FROM journal WHERE terminal = $1 AND seq > $2 ORDER BY seq LIMIT $3 + 0", id, seq, most)
}

func (r journal) Closings(id protocol.TerminalID, below int64, most int) ([]server.StoredEntry, error) {
	return all(r.rows, scanEntry, "SELECT "+journalColumns+` FROM journal WHERE terminal = $1 AND kind = 'shift_closed' AND ($2 = 0 OR seq < $2)
		ORDER BY seq DESC LIMIT $3 + 0`, id, below, most)
}

type alerts struct{ rows }

// keptAlerts is how many alerts stay behind the one a terminal has stored, so
// that it can read them again after its log was changed.
const keptAlerts = 500

func (r alerts) Append(id protocol.TerminalID, at protocol.Time, kind protocol.AlertKind, body []byte) (seq int64, err error) {
	err = r.one("UPDATE terminals SET alert_seq = alert_seq + 1 WHERE id = $1 RETURNING alert_seq", []any{id}, &seq)
	if err != nil {
		return 0, fmt.Errorf("number alert: %w", err)
	}
	return seq, r.exec("INSERT INTO alerts (terminal, seq, at, kind, body) VALUES ($1, $2, $3, $4, $5)", id, seq, at, kind, string(body))
}

func (r alerts) AppendAll(at protocol.Time, kind protocol.AlertKind, body []byte) error {
	if err := r.exec("UPDATE terminals SET alert_seq = alert_seq + 1 WHERE state <> 'revoked'"); err != nil {
		return fmt.Errorf("number alerts: %w", err)
	}
	return r.exec(`INSERT INTO alerts (terminal, seq, at, kind, body)
		SELECT id, alert_seq, CAST($1 AS BIGINT), CAST($2 AS TEXT), CAST($3 AS TEXT) FROM terminals WHERE state <> 'revoked'`, at, kind, string(body))
}

func scanAlert(row scanner) (protocol.Alert, error) {
	var a protocol.Alert
	var body string
	err := row.Scan(&a.Seq, &a.At, &a.Kind, &body)
	a.Body = []byte(body)
	return a, err
}

func (r alerts) After(id protocol.TerminalID, seq int64, most int) ([]protocol.Alert, error) {
	return all(r.rows, scanAlert, "SELECT seq, at, kind, body FROM alerts WHERE terminal = $1 AND seq > $2 ORDER BY seq LIMIT $3 + 0", id, seq, most)
}

func (r alerts) Ack(id protocol.TerminalID, seq int64) error {
	if err := r.exec("UPDATE terminals SET alert_ack = $1 WHERE id = $2 AND alert_ack < $1", seq, id); err != nil {
		return err
	}
	return r.exec("DELETE FROM alerts WHERE terminal = $1 AND seq <= $2", id, seq-keptAlerts)
}
