package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"till/protocol"
	"till/server"
)

// model is what a bystander who sees every payment expects of the books.
type model struct {
	*till
	rand  *rand.Rand
	deals []*modelDeal
	log   []string
}

type modelDeal struct {
	deal
	ends      protocol.Time
	cancelled bool
	removed   bool
	taken     bool // the cashier said paid
	payments  map[string]modelPayment
}

type modelPayment struct {
	amount protocol.Sat
	late   bool
}

func TestBooksFollowTheChainWhateverHappens(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			m := &model{till: openShop(t, nil).pair("main", false), rand: rand.New(rand.NewPCG(seed, 1))}
			m.sells()
			steps := []struct {
				weight int
				name   string
				do     func()
			}{
				{3, "sells", m.sells}, {6, "pays", m.pays}, {3, "replaces", m.replaces}, {4, "mines", m.mines},
				{1, "reorganises", m.reorganises}, {1, "waits", m.waits}, {1, "takes", m.takes},
				{1, "cancels", m.cancels}, {1, "removes", m.removes}, {1, "restarts", m.restart}, {1, "loses the node", m.losesNode},
			}
			var deck []int
			for i, s := range steps {
				for range s.weight {
					deck = append(deck, i)
				}
			}
			for range 100 {
				step := steps[deck[m.rand.IntN(len(deck))]]
				m.log = append(m.log, step.name)
				step.do()
				m.settles()
			}
			m.transitions()
		})
	}
}

func (m *model) any() *modelDeal { return m.deals[m.rand.IntN(len(m.deals))] }

func (m *model) sells() {
	m.sync()
	if len(m.addresses) < 2 {
		m.lease(20)
	}
	d := m.sell(int64(500 + m.rand.IntN(120_000)))
	m.deals = append(m.deals, &modelDeal{deal: d, ends: m.clock().Add(15 * time.Minute), payments: map[string]modelPayment{}})
}

func (m *model) pays() {
	d := m.any()
	amount := []protocol.Sat{d.due, d.due, d.due / 2, d.due + 1000}[m.rand.IntN(4)]
	txid := m.payAt(d.address, amount, server.FeeRate(500+m.rand.IntN(9000)), m.rand.IntN(4) > 0)
	d.payments[txid] = modelPayment{amount, m.clock() > d.ends}
}

func (m *model) replaces() {
	d := m.any()
	for _, txid := range slices.Sorted(maps.Keys(d.payments)) {
		// What is confirmed or gone cannot be replaced: the chain says so.
		if _, err := m.chain.Replace(context.Background(), txid, "", 0); err == nil {
			return
		}
	}
}

func (m *model) mines() { m.mine(1 + m.rand.IntN(3)) }

func (m *model) reorganises() {
	if _, err := m.chain.Reorg(context.Background(), 1+m.rand.IntN(3), m.rand.IntN(2) == 0); err != nil {
		m.t.Fatal(err)
	}
}

func (m *model) waits() { m.pass(time.Duration(1+m.rand.IntN(16)) * time.Minute) }

func (m *model) takes() {
	if d := m.any(); !d.cancelled {
		m.write(protocol.EntrySalePaid, protocol.SaleEnded{Sale: d.sale})
		d.taken = true
	}
}

func (m *model) cancels() {
	if d := m.any(); !d.cancelled {
		m.write(protocol.EntrySaleCancelled, protocol.SaleEnded{Sale: d.sale})
		d.cancelled = true
	}
}

func (m *model) removes() {
	d := m.any()
	m.write(protocol.EntryTenderRemoved, protocol.TenderRemoved{Sale: d.sale, Tender: d.tender})
	d.removed = true
}

func (m *model) losesNode() {
	m.chain.NodeDown(true)
	m.pays()
	m.pass(time.Second)
	m.chain.NodeDown(false)
}

// settles waits until the books are what the chain and the cashier make them.
func (m *model) settles() {
	m.t.Helper()
	fault := ""
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if fault = m.compare(); fault == "" {
			return
		}
	}
	m.t.Fatalf("after %v: %s", m.log, fault)
}

func (m *model) compare() string {
	ctx := context.Background()
	owed := map[protocol.SaleID]protocol.Sat{}
	debts, err := m.Debts(ctx)
	if err != nil {
		m.t.Fatal(err)
	}
	for _, d := range debts {
		owed[d.Sale] += d.Sat
	}
	sales, err := m.Sales(ctx, server.SaleFilter{Most: 1000})
	if err != nil {
		m.t.Fatal(err)
	}
	stored := map[protocol.SaleID]*server.Sale{}
	for _, s := range sales {
		stored[s.ID] = s
	}
	for i, d := range m.deals {
		if fault := m.compareDeal(d, stored[d.sale], owed[d.sale]); fault != "" {
			return fmt.Sprintf("sale %d: %s", i, fault)
		}
	}
	return ""
}

func (m *model) compareDeal(d *modelDeal, sale *server.Sale, owed protocol.Sat) string {
	funds, err := m.chain.Address(context.Background(), d.address)
	if err != nil {
		m.t.Fatal(err)
	}
	var received, inTime protocol.Sat
	for _, txid := range funds.TxIDs {
		p := d.payments[txid]
		received += p.amount
		if !p.late || d.taken {
			inTime += p.amount
		}
	}
	var s protocol.SaleStatus
	if err := json.Unmarshal(sale.Status, &s); err != nil {
		m.t.Fatal(err)
	}
	want := received
	if d.removed {
		want = 0
	}
	if s.ReceivedSat != want || s.State != sale.State {
		return fmt.Sprintf("%s received %d, the chain holds %d", s.State, s.ReceivedSat, want)
	}
	consumed := min(inTime, d.due)
	if d.cancelled || d.removed {
		consumed = 0
	}
	if owed != received-consumed {
		return fmt.Sprintf("owes %d of %d received, %d due and %d in time", owed, received, d.due, inTime)
	}
	if d.cancelled != (sale.State == protocol.SaleCancelled) {
		return fmt.Sprintf("cancelled %v and %s", d.cancelled, sale.State)
	}
	if d.cancelled || d.removed {
		return ""
	}
	good := sale.State == protocol.SaleAccepted || sale.State == protocol.SaleConfirmed
	if inTime < d.due && good || inTime >= d.due && !good && sale.State != protocol.SaleSeen {
		return fmt.Sprintf("%d of %d in time and %s", inTime, d.due, sale.State)
	}
	return ""
}

// transitions checks the alerts that the terminal got, in their order: states
// move as the table says, and a sale is told the same twice only when something
// else changed.
func (m *model) transitions() {
	m.sync()
	last := map[protocol.SaleID]string{}
	state := map[protocol.SaleID]protocol.SaleState{}
	for i, a := range m.alerts {
		if a.Seq != int64(i+1) {
			m.t.Fatalf("alert %d stands at place %d", a.Seq, i+1)
		}
		if a.Kind != protocol.AlertSale {
			continue
		}
		s := status(m.t, a)
		text, err := protocol.Encode(s)
		if err != nil {
			m.t.Fatal(err)
		}
		if last[s.Sale] == string(text) {
			m.t.Errorf("told twice: %s", text)
		}
		if before, known := state[s.Sale]; known && before != s.State && !before.CanBecome(s.State) {
			m.t.Errorf("a sale went from %s to %s", before, s.State)
		}
		last[s.Sale], state[s.Sale] = string(text), s.State
		if s.Verdict == protocol.VerdictAccept && s.State.Rank() < protocol.SaleAccepted.Rank() {
			m.t.Errorf("accepted while %s: %s", s.State, text)
		}
	}
}
