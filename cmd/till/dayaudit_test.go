package main

import (
	"bytes"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"till/cmd/internal/purse"
	"till/protocol/taler"
)

// purseFile is a purse's file, as far as the audit reads it.
type purseFile struct {
	Drafts []json.RawMessage `json:"drafts"`
	Coins  []struct {
		Key   string `json:"key"`
		Value uint64 `json:"value"`
		Left  uint64 `json:"left"`
	} `json:"coins"`
	Payments []struct {
		Link   string          `json:"link"`
		State  string          `json:"state"`
		Sent   json.RawMessage `json:"sent"`
		Answer json.RawMessage `json:"answer"`
	} `json:"payments"`
	Tabs []struct {
		Over bool   `json:"over"`
		Sent []byte `json:"sent"`
	} `json:"tabs"`
	tab bool // of a customer with a tab; others hold coins for lots there
}

// audit compares what customers, shop and mint hold.
func (d *day) audit() {
	var wallets []purseFile
	for _, pattern := range []string{"purse-*.json", "tab.*"} {
		names, err := filepath.Glob(filepath.Join(d.dir, pattern))
		if err != nil {
			d.Fatal(err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, ".lock") || strings.HasSuffix(name, ".new") {
				continue
			}
			d.finishDrawing(name)
			text, err := os.ReadFile(name)
			if err != nil {
				d.Fatal(err)
			}
			w := purseFile{tab: strings.HasPrefix(filepath.Base(name), "tab.")}
			if err := json.Unmarshal(text, &w); err != nil {
				d.Fatalf("%s: %v", name, err)
			}
			wallets = append(wallets, w)
		}
	}
	d.answersAreStillTrue(wallets)
	for _, p := range d.parts {
		p.stop()
	}
	d.everyCoinIsInOnePlace(wallets)
	d.theBooksAgree()
	if _, err := d.terminal.VerifyJournal(d.Context()); err != nil {
		d.Error(err)
	}
}

// finishDrawing draws the coins that a wallet was killed over and never needed again.
func (d *day) finishDrawing(name string) {
	w, err := purse.Open(purse.Options{Path: name, Clock: time.Now, Random: rand.Reader, HTTP: http.DefaultClient})
	if err != nil {
		d.Fatal(err)
	}
	if err := w.Finish(d.Context(), "http://"+d.at.mint); err != nil {
		d.Errorf("%s: %v", name, err)
	}
	if err := w.Close(); err != nil {
		d.Error(err)
	}
}

// answersAreStillTrue asks for every paid bill once more, as a customer with the
// identical permission may.
func (d *day) answersAreStillTrue(wallets []purseFile) {
	paid := 0
	for _, w := range wallets {
		if len(w.Drafts) > 0 {
			d.Errorf("%d coins are paid for and not drawn", len(w.Drafts))
		}
		for _, p := range w.Payments {
			if p.State == "pending" {
				d.Errorf("%s: nobody knows whether it is paid", p.Link)
			}
			if p.State != "paid" && p.State != "free" {
				continue
			}
			paid++
			status, body, err := d.askAgain(p.Sent)
			var before, now bytes.Buffer
			if err != nil || json.Compact(&before, p.Answer) != nil || json.Compact(&now, body) != nil || status != http.StatusOK || before.String() != now.String() {
				d.Errorf("%s was paid: %s; now it is %d: %s", p.Link, before.String(), status, body)
			}
		}
		for _, tab := range w.Tabs {
			if w.tab && (!tab.Over || tab.Sent != nil) {
				d.Errorf("a tab is not over: %s", tab.Sent)
			}
		}
	}
	d.Logf("%d answers of 200 are still true", paid)
}

// askAgain posts permissions once more, and waits where too many were asked about.
func (d *day) askAgain(sent []byte) (int, []byte, error) {
	for {
		r, err := http.Post("http://"+d.at.merchant+"/deposit", "application/json", bytes.NewReader(sent))
		if err != nil {
			return 0, nil, err
		}
		body, err := io.ReadAll(r.Body)
		_ = r.Body.Close()
		if r.StatusCode != http.StatusTooManyRequests {
			return r.StatusCode, body, err
		}
		time.Sleep(time.Second) // as it asks for: Retry-After
	}
}

// sums reads rows of a name and a number.
func (d *day) sums(file, query string) map[string]int64 {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(d.dir, file)+"?mode=ro")
	if err != nil {
		d.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(d.Context(), query)
	if err != nil {
		d.Fatalf("%s: %v", query, err)
	}
	defer func() { _ = rows.Close() }()
	out := map[string]int64{}
	for rows.Next() {
		var name string
		var n int64
		if err := rows.Scan(&name, &n); err != nil {
			d.Fatal(err)
		}
		out[name] += n
	}
	if err := rows.Err(); err != nil {
		d.Fatal(err)
	}
	return out
}

func total(m map[string]int64) (sum int64) {
	for v := range maps.Values(m) {
		sum += v
	}
	return sum
}

// everyCoinIsInOnePlace: what a coin is worth lies in its purse or was deposited, and
// all coins together are what left the reserves.
func (d *day) everyCoinIsInOnePlace(wallets []purseFile) {
	spent := d.sums("mint/mint.db", "SELECT coin, amount FROM mint_spends")
	reserves := d.sums("mint/mint.db", "SELECT 'balance', balance FROM mint_reserves")
	events := d.sums("mint/mint.db", "SELECT CASE taken WHEN 1 THEN 'taken' ELSE 'paid in' END, amount FROM mint_reserve_events")
	if reserves["balance"]+events["taken"] != events["paid in"] {
		d.Errorf("reserves: %d left and %d taken of %d", reserves["balance"], events["taken"], events["paid in"])
	}
	coins, value, left := 0, int64(0), int64(0)
	for _, w := range wallets {
		for _, c := range w.Coins {
			key, err := taler.ParsePrivateKey(c.Key)
			if err != nil {
				d.Fatal(err)
			}
			name := key.Public().String()
			coins, value, left = coins+1, value+int64(c.Value), left+int64(c.Left)
			if int64(c.Left)+spent[name] != int64(c.Value) {
				d.Errorf("coin %s of %d: %d in the purse, %d deposited", name, c.Value, c.Left, spent[name])
			}
			delete(spent, name)
		}
	}
	if len(spent) > 0 {
		d.Errorf("%d coins were deposited that nobody had", len(spent))
	}
	if value != events["taken"] {
		d.Errorf("coins of %d were drawn for %d", value, events["taken"])
	}
	d.Logf("%d coins of %d.%02d, %d.%02d of it still in purses", coins, value/1e6, value%1e6/1e4, left/1e6, left%1e6/1e4)
}

// theBooksAgree: every deposit at the mint is one of the shop's, every one of the
// shop's paid a sale or is owed, and the counter knows of the same sales.
func (d *day) theBooksAgree() {
	const server = "practice/server.db"
	atMint := d.sums("mint/mint.db", "SELECT bill, amount FROM mint_spends")
	paid := d.sums(server, `SELECT d.bill, CASE b.kind WHEN 'lottery' THEN b.most ELSE d.amount END * 10000 FROM deposits d JOIN bills b ON b.id = d.bill
		WHERE d.state = 'paid' AND CAST(d.answer AS TEXT) NOT LIKE '%LOTTERY_LOST%'`)
	if !maps.Equal(atMint, paid) {
		for bill, n := range atMint {
			if paid[bill] != n {
				d.Errorf("bill %s: %d at the mint, %d in the shop's books", bill, n, paid[bill])
			}
		}
		d.Errorf("%d bills at the mint, %d in the shop's books", len(atMint), len(paid))
	}
	for state, n := range d.sums(server, "SELECT state, 1 FROM deposits WHERE state NOT IN ('paid', 'signed', 'refused')") {
		d.Errorf("%d deposits are %s", n, state)
	}
	// A coin of a lot that the mint still held was refused, and another one paid.
	refused := d.sums(server, "SELECT 'refused', 1 FROM deposits WHERE state = 'refused'")["refused"]
	// By the sale: what was deposited is its total, or owed.
	deposited := d.sums(server, "SELECT b.sale, d.amount FROM deposits d JOIN bills b ON b.id = d.bill WHERE d.state = 'paid'")
	owed := d.sums(server, "SELECT sale, amount FROM debts WHERE bill <> ''")
	sold := d.sums(server, "SELECT id, total FROM sales WHERE said = 'paid'")
	if total(deposited) != total(sold)+total(owed) {
		d.Errorf("%d deposited, %d sold, %d owed", total(deposited), total(sold), total(owed))
	}
	for sale, n := range deposited {
		if sold[sale]+owed[sale] != n {
			d.Errorf("sale %s: %d deposited, %d sold, %d owed", sale, n, sold[sale], owed[sale])
		}
	}
	counter := d.sums("counter/terminal.db", "SELECT id, 0 FROM sales WHERE said = 'paid'")
	if len(counter) != len(sold) {
		d.Errorf("%d sales are paid at the counter, %d at the server", len(counter), len(sold))
	}
	d.Logf("%d sales paid by %d.%02d, %d owed, %d payments refused with proof", len(sold), total(sold)/100, total(sold)%100, len(owed), refused)
}
