package store

import (
	"till/protocol"
	"till/server"
)

type bills struct{ rows }

const billColumns = `id, kind, state, sale, tender, terminal, currency, amount, most, ends, description, contract,
	lock_id, lock_text, lock_answer, signed, deposit, closed, secret, release, version`

func scanBill(row scanner) (*server.Bill, error) {
	b := &server.Bill{}
	err := row.Scan(&b.ID, &b.Kind, &b.State, &b.Sale, &b.Tender, &b.Terminal, &b.Amount.Currency, &b.Amount.Minor, &b.Most.Minor, &b.Ends,
		&b.Description, &b.Contract, &b.LockID, &b.Lock, &b.LockAnswer, &b.Signed, &b.Deposit, &b.Closed, &b.Secret, &b.Release, &b.Version)
	b.Most.Currency = b.Amount.Currency
	return b, err
}

func (r bills) Insert(b *server.Bill) error {
	return r.exec("INSERT INTO bills ("+billColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)`,
		b.ID, b.Kind, b.State, b.Sale, b.Tender, b.Terminal, b.Amount.Currency, b.Amount.Minor, b.Most.Minor, b.Ends,
		b.Description, b.Contract, b.LockID, b.Lock, b.LockAnswer, b.Signed, b.Deposit, bit(b.Closed), b.Secret, bit(b.Release), b.Version)
}

func (r bills) Get(id string) (*server.Bill, error) {
	return first(r.rows, scanBill, "SELECT "+billColumns+" FROM bills WHERE id = $1", id)
}

func (r bills) OfTender(id protocol.TenderID) (*server.Bill, error) {
	return first(r.rows, scanBill, "SELECT "+billColumns+" FROM bills WHERE tender = $1 AND tender <> ''", id)
}

func (r bills) Update(b *server.Bill) error {
	err := r.execOne(`UPDATE bills SET state = $1, amount = $2, most = $3, ends = $4, description = $5, contract = $6, lock_id = $7,
		lock_text = $8, lock_answer = $9, signed = $10, deposit = $11, closed = $12, secret = $13, release = $14,
		version = version + 1 WHERE id = $15 AND version = $16`,
		b.State, b.Amount.Minor, b.Most.Minor, b.Ends, b.Description, b.Contract, b.LockID,
		b.Lock, b.LockAnswer, b.Signed, b.Deposit, bit(b.Closed), b.Secret, bit(b.Release), b.ID, b.Version)
	if err == nil {
		b.Version++
	}
	return err
}

func (r bills) Todo(now protocol.Time) ([]*server.Bill, error) {
	return all(r.rows, scanBill, "SELECT "+billColumns+` FROM bills
		WHERE state = 'open' AND (kind = 'tab' OR contract = '' AND ends > $1) OR release = 1 ORDER BY ends, id`, now)
}

type contracts struct{ rows }

func (r contracts) Put(c *server.StoredContract) error {
	return r.exec("INSERT INTO contracts (hash, bill, body) VALUES ($1, $2, $3) ON CONFLICT (hash) DO NOTHING", c.Hash, c.Bill, c.Text)
}

func (r contracts) Get(hash string) (*server.StoredContract, error) {
	c := &server.StoredContract{Hash: hash}
	return c, r.one("SELECT bill, body FROM contracts WHERE hash = $1", []any{hash}, &c.Bill, &c.Text)
}

type deposits struct{ rows }

const depositColumns = "id, bill, contract, state, body, currency, amount, at, until, told, status, answer, version"

func scanDeposit(row scanner) (*server.Deposit, error) {
	d := &server.Deposit{}
	return d, row.Scan(&d.ID, &d.Bill, &d.Contract, &d.State, &d.Body, &d.Amount.Currency, &d.Amount.Minor, &d.At, &d.Until,
		&d.Told, &d.Status, &d.Answer, &d.Version)
}

func (r deposits) Insert(d *server.Deposit) error {
	return r.exec("INSERT INTO deposits ("+depositColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
		d.ID, d.Bill, d.Contract, d.State, d.Body, d.Amount.Currency, d.Amount.Minor, d.At, d.Until, d.Told, d.Status, d.Answer, d.Version)
}

func (r deposits) Get(id string) (*server.Deposit, error) {
	return first(r.rows, scanDeposit, "SELECT "+depositColumns+" FROM deposits WHERE id = $1", id)
}

func (r deposits) Update(d *server.Deposit) error {
	err := r.execOne("UPDATE deposits SET state = $1, told = $2, status = $3, answer = $4, version = version + 1 WHERE id = $5 AND version = $6",
		d.State, d.Told, d.Status, d.Answer, d.ID, d.Version)
	if err == nil {
		d.Version++
	}
	return err
}

func (r deposits) OfBill(id string) ([]*server.Deposit, error) {
	return all(r.rows, scanDeposit, "SELECT "+depositColumns+" FROM deposits WHERE bill = $1 ORDER BY at, id", id)
}

func (r deposits) Waiting() ([]*server.Deposit, error) {
	return all(r.rows, scanDeposit, "SELECT "+depositColumns+" FROM deposits WHERE state = 'waiting' ORDER BY at, id")
}
