package store

import (
	"encoding/json"
	"fmt"

	"till/protocol"
	"till/server"
)

type settings struct{ rows }

func (r settings) Get(name string) (value []byte, err error) {
	err = r.one("SELECT value FROM settings WHERE name = $1", []any{name}, &value)
	return value, err
}

func (r settings) Set(name string, value []byte) error {
	return r.exec("INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value", name, value)
}

type terminals struct{ rows }

const terminalColumns = `id, name, state, reason, since, forked, created, last_seen, signed_in, software, devices, held,
	journal_seq, journal_hash, journal_at, alert_seq, alert_ack, replaces, version`

func scanTerminal(row scanner) (*server.Terminal, error) {
	t := &server.Terminal{}
	var devices string
	err := row.Scan(&t.ID, &t.Name, &t.State, &t.Reason, &t.Since, &t.Forked, &t.Created, &t.LastSeen, &t.SignedIn, &t.Software, &devices, &t.Held,
		&t.JournalSeq, &t.JournalHash, &t.JournalAt, &t.AlertSeq, &t.AlertAck, &t.Replaces, &t.Version)
	if err != nil {
		return nil, err
	}
	return t, unpack(devices, &t.Devices)
}

func (r terminals) Insert(t *server.Terminal) error {
	devices, err := pack(t.Devices)
	if err != nil {
		return err
	}
	return r.exec(`INSERT INTO terminals (`+terminalColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`,
		t.ID, t.Name, t.State, t.Reason, t.Since, bit(t.Forked), t.Created, t.LastSeen, t.SignedIn, t.Software, devices, t.Held,
		t.JournalSeq, t.JournalHash, t.JournalAt, t.AlertSeq, t.AlertAck, t.Replaces, t.Version)
}

func (r terminals) Get(id protocol.TerminalID) (*server.Terminal, error) {
	return first(r.rows, scanTerminal, "SELECT "+terminalColumns+" FROM terminals WHERE id = $1", id)
}

func (r terminals) Named(name string) (*server.Terminal, error) {
	return first(r.rows, scanTerminal, "SELECT "+terminalColumns+" FROM terminals WHERE name = $1 AND state <> 'revoked'", name)
}

func (r terminals) List() ([]*server.Terminal, error) {
	return all(r.rows, scanTerminal, "SELECT "+terminalColumns+" FROM terminals ORDER BY created, id")
}

// Update leaves the alert cursors alone: alerts move them.
func (r terminals) Update(t *server.Terminal) error {
	devices, err := pack(t.Devices)
	if err != nil {
		return err
	}
	err = r.execOne(`UPDATE terminals SET name = $1, state = $2, reason = $3, since = $4, forked = $5, last_seen = $6, software = $7,
		devices = $8, held = $9, journal_seq = $10, journal_hash = $11, journal_at = $12, signed_in = $13, version = version + 1 WHERE id = $14 AND version = $15`,
		t.Name, t.State, t.Reason, t.Since, bit(t.Forked), t.LastSeen, t.Software, devices,
		t.Held, t.JournalSeq, t.JournalHash, t.JournalAt, t.SignedIn, t.ID, t.Version)
	if err == nil {
		t.Version++
	}
	return err
}

func (r terminals) See(id protocol.TerminalID, p server.Presence) error {
	devices, err := pack(p.Devices)
	if err != nil {
		return err
	}
	return r.exec("UPDATE terminals SET last_seen = $1, software = $2, devices = $3, held = $4 WHERE id = $5 AND last_seen < $1",
		p.At, p.Software, devices, p.Held, id)
}

type keys struct{ rows }

const keyColumns = "serial, hash, terminal, not_after, until"

func scanKey(row scanner) (*server.TerminalKey, error) {
	k := &server.TerminalKey{}
	return k, row.Scan(&k.Serial, &k.Hash, &k.Terminal, &k.NotAfter, &k.Until)
}

func (r keys) Insert(k *server.TerminalKey) error {
	return r.exec("INSERT INTO terminal_keys ("+keyColumns+") VALUES ($1, $2, $3, $4, $5)",
		k.Serial, k.Hash, k.Terminal, k.NotAfter, k.Until)
}

func (r keys) BySerial(serial string) (*server.TerminalKey, error) {
	return first(r.rows, scanKey, "SELECT "+keyColumns+" FROM terminal_keys WHERE serial = $1", serial)
}

func (r keys) Of(id protocol.TerminalID) ([]*server.TerminalKey, error) {
	return all(r.rows, scanKey, "SELECT "+keyColumns+" FROM terminal_keys WHERE terminal = $1 ORDER BY not_after DESC, serial", id)
}

func (r keys) Retire(serial string, until protocol.Time) error {
	return r.execOne("UPDATE terminal_keys SET until = $1 WHERE serial = $2", until, serial)
}

type pairings struct{ rows }

func (r pairings) Put(p *server.Pairing) error {
	return r.exec(`INSERT INTO pairings (name, code_hash, expires, tries, replaces) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (name) DO UPDATE SET code_hash = EXCLUDED.code_hash, expires = EXCLUDED.expires,
		tries = EXCLUDED.tries, replaces = EXCLUDED.replaces`, p.Name, p.CodeHash, p.Expires, p.Tries, bit(p.Replace))
}

func (r pairings) Get(name string) (*server.Pairing, error) {
	p := &server.Pairing{}
	err := r.one("SELECT name, code_hash, expires, tries, replaces FROM pairings WHERE name = $1", []any{name},
		&p.Name, &p.CodeHash, &p.Expires, &p.Tries, &p.Replace)
	return p, err
}

func (r pairings) Delete(name string) error {
	return r.exec("DELETE FROM pairings WHERE name = $1", name)
}

// pack writes a list as JSON text, nil as [].
func pack[T any](list []T) (string, error) {
	if list == nil {
		return "[]", nil
	}
	text, err := json.Marshal(list)
	if err != nil {
		return "", fmt.Errorf("pack %T: %w", list, err)
	}
	return string(text), nil
}

// unpack reads what pack wrote, [] as nil.
func unpack[T any](text string, list *[]T) error {
	if text == "[]" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), list); err != nil {
		return fmt.Errorf("unpack %T: %w", *list, err)
	}
	return nil
}
