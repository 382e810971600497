package store

import (
	"strings"

	"till/protocol"
	"till/server"
)

type sales struct{ rows }

const saleColumns = "s.id, s.terminal, s.opened, s.currency, s.total, s.state, s.flags, s.said, s.said_at, s.status, s.description, s.version, s.number, s.person, s.entry"

func scanSale(row scanner) (*server.Sale, error) {
	s := &server.Sale{}
	var flags string
	err := row.Scan(&s.ID, &s.Terminal, &s.Opened, &s.Total.Currency, &s.Total.Minor, &s.State, &flags, &s.Said, &s.SaidAt, &s.Status, &s.Description, &s.Version,
		&s.Number, &s.User, &s.Entry)
	if err != nil {
		return nil, err
	}
	return s, unpack(flags, &s.Flags)
}

func (r sales) Insert(s *server.Sale) error {
	flags, err := pack(s.Flags)
	if err != nil {
		return err
	}
	err = r.exec(`INSERT INTO sales (id, terminal, opened, currency, total, state, flags, said, said_at, status, description, version, number, person, entry)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
		s.ID, s.Terminal, s.Opened, s.Total.Currency, s.Total.Minor, s.State, flags, s.Said, s.SaidAt, s.Status, s.Description, s.Version,
		s.Number, s.User, s.Entry)
	if err != nil {
		return err
	}
	words := strings.Join(s.Words, " ")
	if r.s.postgres {
		return r.exec("UPDATE sales SET words = array_to_tsvector(string_to_array(CAST($1 AS TEXT), ' ')) WHERE id = $2", words, s.ID)
	}
	if err := r.s.addWords(r.ctx, s.Words); err != nil {
		return err
	}
	return r.exec("INSERT INTO sale_words (words, sale) VALUES ($1, $2)", words, s.ID)
}

func (r sales) Get(id protocol.SaleID) (*server.Sale, error) {
	return first(r.rows, scanSale, "SELECT "+saleColumns+" FROM sales s WHERE s.id = $1", id)
}

func (r sales) Update(s *server.Sale, at protocol.Time, cause string) error {
	flags, err := pack(s.Flags)
	if err != nil {
		return err
	}
	var oldState protocol.SaleState
	var oldFlags string
	if err := r.one("SELECT state, flags FROM sales WHERE id = $1", []any{s.ID}, &oldState, &oldFlags); err != nil {
		return err
	}
	err = r.execOne(`UPDATE sales SET state = $1, flags = $2, said = $3, said_at = $4, status = $5, total = $6,
		version = version + 1 WHERE id = $7 AND version = $8`, s.State, flags, s.Said, s.SaidAt, s.Status, s.Total.Minor, s.ID, s.Version)
	if err != nil {
		return err
	}
	s.Version++
	if oldState == s.State && oldFlags == flags {
		return nil
	}
	return r.exec("INSERT INTO sale_events (sale, version, at, from_state, to_state, flags, cause) VALUES ($1, $2, $3, $4, $5, $6, $7)",
		s.ID, s.Version, at, oldState, s.State, flags, cause)
}

func (r sales) Live() ([]protocol.SaleID, error) {
	scan := func(row scanner) (id protocol.SaleID, err error) { return id, row.Scan(&id) }
	return all(r.rows, scan, "SELECT id FROM sales WHERE state IN ('open', 'seen', 'accepted') ORDER BY opened, id")
}

type tenders struct{ rows }

const tenderColumns = `id, sale, terminal, kind, currency, amount, added, quote, address, script, due, ends, steps, refused, removed, accepted, replaced, waiting, short, raised`

func scanTender(row scanner) (*server.Tender, error) {
	t := &server.Tender{}
	var script []byte
	err := row.Scan(&t.ID, &t.Sale, &t.Terminal, &t.Kind, &t.Amount.Currency, &t.Amount.Minor, &t.Added, &t.Quote, &t.Address, &script,
		&t.DueSat, &t.Ends, &t.Steps, &t.Refused, &t.Removed, &t.Accepted, &t.Replaced, &t.Waiting, &t.Short, &t.Raised)
	t.Script = server.Script(script)
	return t, err
}

func (r tenders) Insert(t *server.Tender) error {
	return r.exec("INSERT INTO tenders ("+tenderColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)`,
		t.ID, t.Sale, t.Terminal, t.Kind, t.Amount.Currency, t.Amount.Minor, t.Added, t.Quote, t.Address, []byte(t.Script),
		t.DueSat, t.Ends, t.Steps, t.Refused, bit(t.Removed), t.Accepted, bit(t.Replaced), bit(t.Waiting), bit(t.Short), t.Raised)
}

func (r tenders) Get(id protocol.TenderID) (*server.Tender, error) {
	return first(r.rows, scanTender, "SELECT "+tenderColumns+" FROM tenders WHERE id = $1", id)
}

func (r tenders) Update(t *server.Tender) error {
	return r.execOne(`UPDATE tenders SET address = $1, script = $2, due = $3, ends = $4, steps = $5,
		refused = $6, removed = $7, accepted = $8, replaced = $9, waiting = $10, amount = $11, short = $12, raised = $13 WHERE id = $14`,
		t.Address, []byte(t.Script), t.DueSat, t.Ends, t.Steps, t.Refused, bit(t.Removed), t.Accepted, bit(t.Replaced),
		bit(t.Waiting), t.Amount.Minor, bit(t.Short), t.Raised, t.ID)
}

func (r tenders) Of(sale protocol.SaleID) ([]*server.Tender, error) {
	return all(r.rows, scanTender, "SELECT "+tenderColumns+" FROM tenders WHERE sale = $1 ORDER BY added, id", sale)
}

func (r tenders) ByAddress(address string) (*server.Tender, error) {
	return first(r.rows, scanTender, "SELECT "+tenderColumns+" FROM tenders WHERE address = $1 ORDER BY added, id LIMIT 1", address)
}
