package store

import (
	"encoding/json"

	"till/protocol"
	"till/server"
)

type payments struct{ rows }

const paymentColumns = "txid, vout, address, script, amount, height, fee_rate, conflict, spent, spent_at, first_seen, gone, told"

func scanPayment(row scanner) (*server.SeenPayment, error) {
	p := &server.SeenPayment{}
	var script []byte
	err := row.Scan(&p.TxID, &p.Vout, &p.Address, &script, &p.Amount, &p.Height, &p.FeeRate, &p.Conflict, &p.Spent, &p.SpentHeight, &p.FirstSeen, &p.Gone, &p.Told)
	p.Script = server.Script(script)
	return p, err
}

func (r payments) Of(address string) ([]*server.SeenPayment, error) {
	return all(r.rows, scanPayment, "SELECT "+paymentColumns+" FROM payments WHERE address = $1 ORDER BY first_seen, txid, vout", address)
}

func (r payments) At(o server.Outpoint) (*server.SeenPayment, error) {
	return first(r.rows, scanPayment, "SELECT "+paymentColumns+" FROM payments WHERE txid = $1 AND vout = $2", o.TxID, o.Vout)
}

func (r payments) Put(p *server.SeenPayment) error {
	return r.exec("INSERT INTO payments ("+paymentColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		ON CONFLICT (txid, vout) DO UPDATE SET height = EXCLUDED.height, fee_rate = EXCLUDED.fee_rate, conflict = EXCLUDED.conflict,
		spent = EXCLUDED.spent, spent_at = EXCLUDED.spent_at, gone = EXCLUDED.gone, told = EXCLUDED.told`,
		p.TxID, p.Vout, p.Address, []byte(p.Script), p.Amount, p.Height, p.FeeRate, bit(p.Conflict), p.Spent, p.SpentHeight, p.FirstSeen, bit(p.Gone), p.Told)
}

func (r payments) Unspent() ([]*server.SeenPayment, error) {
	return all(r.rows, scanPayment, "SELECT "+paymentColumns+" FROM payments WHERE gone = 0 AND spent = '' ORDER BY amount DESC, txid, vout")
}

type debts struct{ rows }

const debtColumns = "id, sale, address, reason, sat, currency, amount, bill, since, settled, paid"

func scanDebt(row scanner) (*server.Debt, error) {
	d := &server.Debt{}
	return d, row.Scan(&d.ID, &d.Sale, &d.Address, &d.Reason, &d.Sat, &d.Amount.Currency, &d.Amount.Minor, &d.Bill, &d.Since, &d.Settled, &d.Paid)
}

func (r debts) Put(d *server.Debt) error {
	return r.exec("INSERT INTO debts ("+debtColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (id) DO UPDATE SET reason = EXCLUDED.reason, sat = EXCLUDED.sat, settled = EXCLUDED.settled, paid = EXCLUDED.paid`,
		d.ID, d.Sale, d.Address, d.Reason, d.Sat, d.Amount.Currency, d.Amount.Minor, d.Bill, d.Since, d.Settled, d.Paid)
}

func (r debts) Get(id protocol.ID) (*server.Debt, error) {
	return first(r.rows, scanDebt, "SELECT "+debtColumns+" FROM debts WHERE id = $1", id)
}

func (r debts) OfSale(id protocol.SaleID) ([]*server.Debt, error) {
	return all(r.rows, scanDebt, "SELECT "+debtColumns+" FROM debts WHERE sale = $1 ORDER BY since, id", id)
}

func (r debts) OfAddress(address string) ([]*server.Debt, error) {
	return all(r.rows, scanDebt, "SELECT "+debtColumns+" FROM debts WHERE address = $1 ORDER BY since, id", address)
}

func (r debts) Open() ([]*server.Debt, error) {
	return all(r.rows, scanDebt, "SELECT "+debtColumns+" FROM debts WHERE settled = 0 ORDER BY since, id")
}

type refunds struct{ rows }

func scanRefund(row scanner) (*server.Refund, error) {
	r := &server.Refund{}
	var body string
	if err := row.Scan(&r.Terminal, &r.At, &body); err != nil {
		return nil, err
	}
	return r, json.Unmarshal([]byte(body), &r.Refund)
}

func (r refunds) Insert(f *server.Refund) error {
	body, err := protocol.Encode(f.Refund)
	if err != nil {
		return err
	}
	return r.exec("INSERT INTO refunds (id, sale, terminal, at, body) VALUES ($1, $2, $3, $4, $5)",
		f.Refund.Refund, f.Sale, f.Terminal, f.At, string(body))
}

func (r refunds) Get(id protocol.RefundID) (*server.Refund, error) {
	return first(r.rows, scanRefund, "SELECT terminal, at, body FROM refunds WHERE id = $1", id)
}

func (r refunds) OfSale(id protocol.SaleID) ([]*server.Refund, error) {
	return all(r.rows, scanRefund, "SELECT terminal, at, body FROM refunds WHERE sale = $1 ORDER BY at, id", id)
}
