package store

import (
	"errors"

	"till/protocol"
	"till/server"
)

type approvals struct{ rows }

func (r approvals) Get(user string, terminal protocol.TerminalID) (*server.Approval, error) {
	a := &server.Approval{User: user, Terminal: terminal}
	err := r.one("SELECT wrong, locked FROM approvals WHERE person = $1 AND terminal = $2", []any{user, terminal}, &a.Wrong, &a.Locked)
	if errors.Is(err, server.ErrNotFound) {
		err = nil
	}
	return a, err
}

func (r approvals) Put(a *server.Approval) error {
	return r.exec(`INSERT INTO approvals (person, terminal, wrong, locked) VALUES ($1, $2, $3, $4)
		ON CONFLICT (person, terminal) DO UPDATE SET wrong = EXCLUDED.wrong, locked = EXCLUDED.locked`, a.User, a.Terminal, a.Wrong, a.Locked)
}

func (r approvals) Use(user string, step int64) (bool, error) {
	result, err := r.s.exec(r.ctx, `INSERT INTO approval_steps (person, step) VALUES ($1, $2)
		ON CONFLICT (person) DO UPDATE SET step = EXCLUDED.step WHERE approval_steps.step < EXCLUDED.step`, user, step)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

func (r approvals) Wrong(user string, at protocol.Time) error {
	return r.exec("INSERT INTO approval_failures (person, at) VALUES ($1, $2)", user, at)
}

func (r approvals) WrongSince(since protocol.Time) (n int64, err error) {
	err = r.one("SELECT COUNT(*) FROM approval_failures WHERE at >= $1", []any{since}, &n)
	return n, err
}

func (r approvals) Unlock(user string) error {
	return r.exec("UPDATE approvals SET wrong = 0, locked = 0 WHERE person = $1", user)
}

type outbox struct{ rows }

func (r outbox) Add(e *server.Effect) error {
	return r.exec("INSERT INTO outbox (id, kind, ref, due, tries) VALUES ($1, $2, $3, $4, $5)", e.ID, e.Kind, e.Ref, e.Due, e.Tries)
}

func (r outbox) Due(now protocol.Time, most int) ([]*server.Effect, error) {
	scan := func(row scanner) (*server.Effect, error) {
		e := &server.Effect{}
		return e, row.Scan(&e.ID, &e.Kind, &e.Ref, &e.Due, &e.Tries)
	}
	return all(r.rows, scan, "SELECT id, kind, ref, due, tries FROM outbox WHERE due <= $1 ORDER BY due, id LIMIT $2 + 0", now, most)
}

func (r outbox) Later(id protocol.ID, due protocol.Time) error {
	return r.execOne("UPDATE outbox SET due = $1, tries = tries + 1 WHERE id = $2", due, id)
}

func (r outbox) Done(id protocol.ID) error { return r.exec("DELETE FROM outbox WHERE id = $1", id) }
