package store

import (
	"fmt"
	"strings"

	"till/protocol"
	"till/server"
)

// books reads what the records are made of, in order and in pages.
type books struct{ rows }

// clauses gathers conditions with their arguments.
type clauses struct {
	where []string
	args  []any
}

// and adds a condition in which each ? is an argument.
func (c *clauses) and(condition string, args ...any) {
	for _, arg := range args {
		c.args = append(c.args, arg)
		condition = strings.Replace(condition, "?", fmt.Sprintf("$%d", len(c.args)), 1)
	}
	c.where = append(c.where, condition)
}

func (c *clauses) text() string {
	if len(c.where) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.where, " AND ")
}

func (r books) Sales(f server.SaleFilter) ([]*server.Sale, error) {
	from, order := "sales s", "s.opened DESC, s.id DESC"
	c := &clauses{}
	switch {
	case f.Text == "":
	case named(f.Text):
		c.and(`s.id IN (SELECT ? UNION SELECT sale FROM tenders WHERE address <> '' AND address = ?
			UNION SELECT t.sale FROM payments p JOIN tenders t ON t.address = p.address AND t.address <> '' WHERE p.txid = ?)`,
			strings.ToLower(f.Text), address(f.Text), strings.ToLower(f.Text))
	default:
		words := protocol.SearchWords(f.Text)
		if len(words) == 0 {
			return nil, nil
		}
		if r.s.postgres {
			c.and("s.words @@ CAST(? AS tsquery)", "'"+strings.Join(words, "':* & '")+"':*")
		} else {
			from, order = "sale_words w JOIN sales s ON s.id = w.sale", "w.rowid DESC"
			query, err := protocol.MatchWords(words, r.complete)
			if err != nil {
				return nil, err
			}
			c.and("w.sale_words MATCH ?", query)
		}
	}
	if f.Terminal != "" {
		c.and("s.terminal = ?", f.Terminal)
	}
	if f.State != "" {
		c.and("s.state = ?", f.State)
	}
	if f.Since != 0 {
		c.and("s.opened >= ?", f.Since)
	}
	if f.Until != 0 {
		c.and("s.opened < ?", f.Until)
	}
	if f.Oldest {
		order = "s.opened, s.id"
		if f.After.ID != "" {
			c.and("(s.opened, s.id) > (?, ?)", f.After.At, f.After.ID)
		}
	} else if f.After.ID != "" {
		c.and("(s.opened, s.id) < (?, ?)", f.After.At, f.After.ID)
	}
	c.args = append(c.args, f.Most)
	return all(r.rows, scanSale, "SELECT "+saleColumns+" FROM "+from+c.text()+fmt.Sprintf(" ORDER BY %s LIMIT $%d + 0", order, len(c.args)), c.args...)
}

// complete gives the words of SQLite's dictionary that begin so.
func (r books) complete(prefix string) ([]string, error) {
	scan := func(row scanner) (word string, err error) { return word, row.Scan(&word) }
	return all(r.rows, scan, "SELECT word FROM words WHERE word >= $1 AND word < $1 || char(0x10FFFF) LIMIT $2", prefix, protocol.MaxCompletions)
}

// named reports whether a text is a whole id, address or transaction id.
func named(text string) bool { return len(text) >= 26 && !strings.ContainsAny(text, " .,") }

// address is as the chain writes it: those of bech32 in small letters.
func address(text string) string {
	if text == strings.ToUpper(text) {
		return strings.ToLower(text)
	}
	return text
}

func (c *clauses) page(column string, p server.Page) {
	if p.Since != 0 {
		c.and(column+" >= ?", p.Since)
	}
	if p.Until != 0 {
		c.and(column+" < ?", p.Until)
	}
	if p.After.ID != "" {
		c.and("("+column+", id) > (?, ?)", p.After.At, p.After.ID)
	}
	c.args = append(c.args, p.Most)
}

func (r books) Refunds(p server.Page) ([]*server.Refund, error) {
	c := &clauses{}
	c.page("at", p)
	return all(r.rows, scanRefund, "SELECT terminal, at, body FROM refunds"+c.text()+fmt.Sprintf(" ORDER BY at, id LIMIT $%d + 0", len(c.args)), c.args...)
}

func (r books) Payouts(p server.Page) ([]*server.Payout, error) {
	c := &clauses{}
	c.and("kind <> ?", poisoned)
	c.page("created", p)
	return all(r.rows, scanPayout, "SELECT "+payoutColumns+" FROM payouts"+c.text()+fmt.Sprintf(" ORDER BY created, id LIMIT $%d + 0", len(c.args)), c.args...)
}

func (r books) Steps(sale protocol.SaleID) ([]server.SaleStep, error) {
	scan := func(row scanner) (s server.SaleStep, err error) {
		var flags string
		if err := row.Scan(&s.At, &s.From, &s.To, &flags, &s.Cause); err != nil {
			return s, err
		}
		return s, unpack(flags, &s.Flags)
	}
	return all(r.rows, scan, "SELECT at, from_state, to_state, flags, cause FROM sale_events WHERE sale = $1 ORDER BY version", sale)
}

// perList is how many things one statement asks for: a statement is prepared for
// each length, and a short list is filled up with its last.
const perList = 50

// lists calls f with pieces of a list as arguments $1 … of perList places.
func lists[T any](all []T, arg func(T) any, f func(args []any) error) error {
	for len(all) > 0 {
		n := min(len(all), perList)
		args := make([]any, perList)
		for i := range args {
			args[i] = arg(all[min(i, n-1)])
		}
		if err := f(args); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

// places are $first … of a list.
func places(first int) string {
	var b strings.Builder
	for i := range perList {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d", first+i)
	}
	return b.String()
}

func (r books) Openings(sales []*server.Sale) (map[protocol.SaleID]*server.StoredEntry, error) {
	type place struct {
		terminal protocol.TerminalID
		seq      int64
	}
	at, of := map[place]protocol.SaleID{}, map[protocol.TerminalID][]int64{}
	for _, s := range sales {
		if s.Entry > 0 {
			at[place{s.Terminal, s.Entry}] = s.ID
			of[s.Terminal] = append(of[s.Terminal], s.Entry)
		}
	}
	openings := make(map[protocol.SaleID]*server.StoredEntry, len(sales))
	query := "SELECT " + journalColumns + " FROM journal WHERE seq IN (" + places(1) + fmt.Sprintf(") AND terminal = $%d", perList+1)
	for terminal, seqs := range of {
		err := lists(seqs, func(seq int64) any { return seq }, func(args []any) error {
			found, err := all(r.rows, scanEntry, query, append(args, terminal)...)
			for i := range found {
				openings[at[place{terminal, found[i].Seq}]] = &found[i]
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return openings, nil
}

func (r books) Parts(sales []*server.Sale) (tenders []*server.Tender, refunds []*server.Refund, err error) {
	id := func(s *server.Sale) any { return s.ID }
	err = lists(sales, id, func(args []any) error {
		found, err := all(r.rows, scanTender, "SELECT "+tenderColumns+" FROM tenders WHERE sale IN ("+places(1)+") ORDER BY added, id", args...)
		tenders = append(tenders, found...)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	err = lists(sales, id, func(args []any) error {
		found, err := all(r.rows, scanRefund, "SELECT terminal, at, body FROM refunds WHERE sale IN ("+places(1)+") ORDER BY at, id", args...)
		refunds = append(refunds, found...)
		return err
	})
	return tenders, refunds, err
}
