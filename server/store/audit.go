package store

import (
	"context"
	"fmt"
	"strings"
)

// invariants are questions that a sound database answers with no row; each row
// names what breaks it. They hold after every commit, whatever died before it.
var invariants = []struct{ name, question string }{
	{"a journal has no gap and ends at its head", `SELECT t.id FROM terminals t
		WHERE t.journal_seq <> (SELECT COUNT(*) FROM journal j WHERE j.terminal = t.id)
		OR t.journal_seq <> (SELECT COALESCE(MAX(j.seq), 0) FROM journal j WHERE j.terminal = t.id)
		OR t.journal_seq > 0 AND t.journal_hash <> (SELECT j.hash FROM journal j WHERE j.terminal = t.id AND j.seq = t.journal_seq)`},
	{"an entry follows the one before it", `SELECT j.terminal FROM journal j JOIN journal p ON p.terminal = j.terminal AND p.seq = j.seq - 1
		WHERE j.prev <> p.hash`},
	{"alerts are numbered without gaps up to the head", `SELECT t.id FROM terminals t
		WHERE EXISTS (SELECT 1 FROM alerts a WHERE a.terminal = t.id)
		AND (t.alert_seq <> (SELECT MAX(a.seq) FROM alerts a WHERE a.terminal = t.id)
			OR (SELECT MAX(a.seq) - MIN(a.seq) + 1 - COUNT(*) FROM alerts a WHERE a.terminal = t.id) <> 0)`},
	{"an address serves one tender", `SELECT address FROM tenders WHERE address <> '' AND refused = '' GROUP BY address HAVING COUNT(*) > 1`},
	{"a tender's address is the shop's and knows its tender", `SELECT t.id FROM tenders t LEFT JOIN addresses a ON a.address = t.address
		WHERE t.address <> '' AND t.refused = '' AND (a.tender IS NULL OR a.tender <> t.id)`},
	{"the next address was never lent", `SELECT a.address FROM addresses a JOIN settings s ON s.name = 'next_address'
		WHERE a.branch = 0 AND a.idx >= CAST(TEXT(s.value) AS BIGINT)`},
	{"a sale's last event says its state", `SELECT s.id FROM sales s JOIN sale_events e ON e.sale = s.id
		AND e.version = (SELECT MAX(x.version) FROM sale_events x WHERE x.sale = s.id) WHERE e.to_state <> s.state`},
	{"a sale's events lead from one to the next", `SELECT e.sale FROM sale_events e JOIN sale_events p ON p.sale = e.sale
		AND p.version = (SELECT MAX(x.version) FROM sale_events x WHERE x.sale = e.sale AND x.version < e.version) WHERE e.from_state <> p.to_state`},
	{"a sale was opened by one entry", `SELECT s.id FROM sales s WHERE s.entry > 0 AND NOT EXISTS
		(SELECT 1 FROM journal j WHERE j.terminal = s.terminal AND j.seq = s.entry AND j.kind IN ('sale_opened', 'tab_opened'))`},
	{"money is seen at the shop's addresses only", `SELECT p.txid FROM payments p LEFT JOIN addresses a ON a.address = p.address WHERE a.address IS NULL`},
	{"a payout's last event says its state", `SELECT p.id FROM payouts p JOIN payout_events e ON e.payout = p.id
		AND e.version = (SELECT MAX(x.version) FROM payout_events x WHERE x.payout = p.id) WHERE e.to_state <> p.state`},
	{"a refused payout holds no coin and others hold theirs", `SELECT p.id FROM payouts p WHERE p.kind IN ('sweep', 'dispense')
		AND (p.state = 'refused') = EXISTS (SELECT 1 FROM payout_spends s WHERE s.payout = p.id)`},
	{"what is to be broadcast is a payout", `SELECT o.id FROM outbox o WHERE o.kind = 'broadcast' AND NOT EXISTS (SELECT 1 FROM payouts p WHERE p.id = o.ref)`},
	{"a payout under way is in the outbox or was sent", `SELECT p.id FROM payouts p WHERE p.state = 'signed'
		AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.ref = p.id)`},
	{"a code approves once", `SELECT person FROM approval_steps GROUP BY person HAVING COUNT(*) > 1`},
	{"a paid deposit has a paid bill", `SELECT d.id FROM deposits d JOIN bills b ON b.id = d.bill WHERE d.state = 'paid' AND b.state <> 'paid'`},
	{"a bill is paid by one deposit and no other is kept unowed", `SELECT d.bill FROM deposits d JOIN bills b ON b.id = d.bill
		WHERE d.state = 'paid' AND d.id <> b.deposit AND NOT EXISTS (SELECT 1 FROM debts x WHERE x.bill = d.bill)`},
	{"a debt is not paid twice", `SELECT id FROM debts WHERE sat > 0 AND paid > sat`},
	{"a mint's reserve is what came less what went", `SELECT r.reserve FROM mint_reserves r WHERE r.balance <>
		(SELECT COALESCE(SUM(CASE WHEN e.taken = 1 THEN -e.amount ELSE e.amount END), 0) FROM mint_reserve_events e WHERE e.reserve = r.reserve)`},
	{"an alarm's letters have an alarm", `SELECT l.id FROM letters l LEFT JOIN alarms a ON a.id = l.alarm WHERE a.id IS NULL`},
}

// dialect reads the bytes of a setting as text, TEXT(x), in the database's own way.
func (db *DB) dialect(question string) string {
	if db.peers != nil {
		return strings.ReplaceAll(question, "TEXT(s.value)", "convert_from(s.value, 'UTF8')")
	}
	return strings.ReplaceAll(question, "TEXT(s.value)", "CAST(s.value AS TEXT)")
}

// Audit tells what breaks an invariant of money and journals, at one moment; nothing
// of a sound database. The sums within entries are the server's to judge.
func (db *DB) Audit(ctx context.Context) (breaches []string, err error) {
	s, err := db.take(ctx, db.read)
	if err != nil {
		return nil, err
	}
	defer func() { db.read <- s }()
	err = s.transaction(ctx, db.look, func() error {
		for _, i := range invariants {
			found, err := all(rows{ctx, s}, func(row scanner) (id string, err error) { return id, row.Scan(&id) }, db.dialect(i.question))
			if err != nil {
				return fmt.Errorf("audit that %s: %w", i.name, err)
			}
			for _, id := range found {
				breaches = append(breaches, fmt.Sprintf("not so: %s: %s", i.name, id))
			}
		}
		return nil
	})
	return breaches, err
}
