package store

import (
	"till/protocol"
	"till/server"
)

type alarms struct{ rows }

const alarmColumns = "id, kind, terminal, message, at, lasting, ended"

func scanAlarm(row scanner) (*server.Alarm, error) {
	a := &server.Alarm{}
	return a, row.Scan(&a.ID, &a.Kind, &a.Terminal, &a.Message, &a.At, &a.Lasting, &a.Ended)
}

func (r alarms) Insert(a *server.Alarm) error {
	return r.exec("INSERT INTO alarms ("+alarmColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7)",
		a.ID, a.Kind, a.Terminal, a.Message, a.At, bit(a.Lasting), a.Ended)
}

func (r alarms) Get(id protocol.ID) (*server.Alarm, error) {
	return first(r.rows, scanAlarm, "SELECT "+alarmColumns+" FROM alarms WHERE id = $1", id)
}

func (r alarms) End(id protocol.ID, at protocol.Time) error {
	return r.execOne("UPDATE alarms SET ended = $1 WHERE id = $2 AND lasting = 1 AND ended = 0", at, id)
}

func (r alarms) Lasting() ([]*server.Alarm, error) {
	return all(r.rows, scanAlarm, "SELECT "+alarmColumns+" FROM alarms WHERE lasting = 1 AND ended = 0 ORDER BY at, id")
}

func (r alarms) List(since protocol.Time, most int) ([]*server.Alarm, error) {
	return all(r.rows, scanAlarm, "SELECT "+alarmColumns+" FROM alarms WHERE at >= $1 ORDER BY at DESC, id DESC LIMIT $2 + 0", since, most)
}

type letters struct{ rows }

func (r letters) Add(l *server.Letter) error {
	return r.exec("INSERT INTO letters (id, courier, alarm, ending, written, due, tries) VALUES ($1, $2, $3, $4, $5, $6, $7)",
		l.ID, l.Courier, l.Alarm, bit(l.Ending), l.Written, l.Due, l.Tries)
}

func (r letters) Due(courier string, now protocol.Time, most int) ([]*server.Letter, error) {
	scan := func(row scanner) (*server.Letter, error) {
		l := &server.Letter{}
		return l, row.Scan(&l.ID, &l.Courier, &l.Alarm, &l.Ending, &l.Written, &l.Due, &l.Tries)
	}
	return all(r.rows, scan, `SELECT id, courier, alarm, ending, written, due, tries FROM letters
		WHERE courier = $1 AND due <= $2 ORDER BY due, id LIMIT $3 + 0`, courier, now, most)
}

func (r letters) Next(courier string) (due protocol.Time, err error) {
	return due, r.one("SELECT COALESCE(MIN(due), 0) FROM letters WHERE courier = $1", []any{courier}, &due)
}

func (r letters) Later(id protocol.ID, due protocol.Time) error {
	return r.execOne("UPDATE letters SET due = $1, tries = tries + 1 WHERE id = $2", due, id)
}

func (r letters) Done(id protocol.ID) error { return r.exec("DELETE FROM letters WHERE id = $1", id) }
