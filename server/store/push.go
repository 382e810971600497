package store

import "till/server"

type pushes struct{ rows }

func (r pushes) Insert(p *server.Push) error {
	stage, err := pack(p.Stage)
	if err != nil {
		return err
	}
	if err := r.one("SELECT COALESCE(MAX(seq), 0) + 1 FROM pushes", nil, &p.Seq); err != nil {
		return err
	}
	return r.exec("INSERT INTO pushes (seq, at, state, body, stage) VALUES ($1, $2, $3, $4, $5)", p.Seq, p.At, p.State, p.Text, stage)
}

func (r pushes) SetState(seq int64, state server.PushState) error {
	return r.execOne("UPDATE pushes SET state = $1 WHERE seq = $2", state, seq)
}

func (r pushes) List() ([]*server.Push, error) {
	scan := func(row scanner) (*server.Push, error) {
		p := &server.Push{}
		var stage string
		if err := row.Scan(&p.Seq, &p.At, &p.State, &p.Text, &stage); err != nil {
			return nil, err
		}
		return p, unpack(stage, &p.Stage)
	}
	return all(r.rows, scan, "SELECT seq, at, state, body, stage FROM pushes ORDER BY seq DESC")
}
