package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"till/protocol"
	"till/protocol/taler"
)

// askDeposit names the question about a deposit.
const askDeposit = "deposit "

// DepositAnswer is what a customer gets for permissions: the body of §3's table.
type DepositAnswer struct {
	Status int    // 200, 202, or 403 with the mint's proof
	Body   []byte // JSON
}

// retryQueued is when a customer whose deposit waits should ask again.
const retryQueued = 2 * time.Second

func queued() (*DepositAnswer, error) {
	text, err := taler.Encode(&taler.Queued{Retry: retryQueued.Milliseconds()})
	return &DepositAnswer{http.StatusAccepted, text}, err
}

// Deposit takes permissions in the order of checks of §3: stored ones get their
// answer whatever clock and sale say; others are stored before the mint is asked.
// Refusals are *taler.Error.
func (s *Server) Deposit(ctx context.Context, ps taler.Permissions) (*DepositAnswer, error) {
	if s.cash == nil {
		return nil, notOffered("body", "the shop takes no e-cash")
	}
	id := ps.Identity().String()
	known, err := s.deposited(ctx, id)
	if err != nil || known != nil {
		return known, err
	}
	if ps[0].Type == taler.Probabilistic && s.cash.o.LotteryBelow == nil {
		return nil, notOffered("type", "there is no lottery")
	}
	p, err := s.matched(ctx, ps)
	if err != nil {
		return nil, err
	}
	until, err := s.checkCoins(ctx, ps, p.contract)
	if err != nil {
		return nil, err
	}
	if err := s.keepDeposit(ctx, id, ps, p, until); err != nil {
		return nil, err
	}
	if ps[0].Type == taler.Probabilistic {
		s.letGo(ctx, p.bill.ID)
	}
	return s.answered(ctx, id)
}

// deposited gives the answer to permissions that are stored, nil to others.
func (s *Server) deposited(ctx context.Context, id string) (*DepositAnswer, error) {
	err := s.o.Store.Read(ctx, func(tx *Tx) error {
		_, err := tx.Deposits.Get(id)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find deposit: %w", err)
	}
	return s.answered(ctx, id)
}

// answered asks the mint about a stored deposit, if that is still open, and gives
// what has become of it within a customer's patience.
func (s *Server) answered(ctx context.Context, id string) (*DepositAnswer, error) {
	d, err := s.storedDeposit(ctx, id)
	if err != nil {
		return nil, err
	}
	if d.State == DepositWaiting && d.Status == 0 {
		done := s.cash.ask(ctx, askDeposit+id, func(ctx context.Context) { s.tryDeposit(ctx, id) })
		timer := time.NewTimer(inlineWait)
		defer timer.Stop()
		select {
		case <-done:
		case <-timer.C:
		case <-ctx.Done():
		}
		if d, err = s.storedDeposit(context.WithoutCancel(ctx), id); err != nil {
			return nil, err
		}
	}
	if d.Status == 0 {
		s.cash.tried(askDeposit+id, s.o.Clock())
		s.cash.ring()
		return queued()
	}
	return &DepositAnswer{int(d.Status), d.Answer}, nil
}

func (s *Server) storedDeposit(ctx context.Context, id string) (d *Deposit, err error) {
	err = s.o.Store.Read(ctx, func(tx *Tx) error {
		d, err = tx.Deposits.Get(id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find deposit: %w", err)
	}
	return d, nil
}

// payment is what permissions are for.
type payment struct {
	bill     *Bill
	contract *taler.Contract
}

// matched finds the bill, compares the permissions with its contract, and checks
// that it can be paid now and by this amount.
func (s *Server) matched(ctx context.Context, ps taler.Permissions) (*payment, error) {
	p := &payment{}
	var over *taler.Error
	err := s.o.Store.Read(ctx, func(tx *Tx) error {
		b, err := tx.Bills.Get(ps[0].TransactionID.String())
		if err != nil {
			return err
		}
		p.bill = b
		if p.contract, err = tx.contractOf(b, ps[0].HA); err != nil {
			return err
		}
		over, err = tx.billOver(b, s.o.Clock())
		return err
	})
	if errors.Is(err, ErrNotFound) {
		if p.bill, p.contract, err = s.recallProduct(ctx, ps[0].TransactionID); err == nil {
			over = p.bill.over(nil, nil, s.o.Clock(), "transaction_id")
		}
	}
	if err != nil {
		return nil, err
	}
	if err := ps.MatchContract(p.contract, s.cash.pub); err != nil {
		return nil, err
	}
	if over != nil {
		return nil, over
	}
	terms := p.contract.Terms()
	if err := ps.MatchAmount(&terms); err != nil || terms.Type() == taler.Direct {
		return p, err
	}
	return p, p.bill.checkHeld(&ps[0], s.o.Clock())
}

// contractOf finds the contract that a permission speaks of. A tab has one for each
// round; any other H_a is compared with the present one.
func (tx *Tx) contractOf(b *Bill, hash taler.Hash) (*taler.Contract, error) {
	stored, err := tx.Contracts.Get(hash.String())
	if errors.Is(err, ErrNotFound) || err == nil && stored.Bill != b.ID {
		if b.Contract == "" {
			return nil, errNoBill // nobody was given one yet
		}
		stored, err = tx.Contracts.Get(b.Contract)
	}
	if err != nil {
		return nil, fmt.Errorf("find contract: %w", err)
	}
	c, err := taler.ParseContract(stored.Text)
	if err != nil {
		return nil, fmt.Errorf("read contract: %w", err)
	}
	return c, nil
}

// billOver reads what [Bill.over] judges by.
func (tx *Tx) billOver(b *Bill, now protocol.Time) (*taler.Error, error) {
	if b.Tender == "" {
		return b.over(nil, nil, now, "transaction_id"), nil
	}
	sale, err := tx.Sales.Get(b.Sale)
	if err != nil {
		return nil, fmt.Errorf("find sale: %w", err)
	}
	t, err := tx.Tenders.Get(b.Tender)
	if err != nil {
		return nil, fmt.Errorf("find tender: %w", err)
	}
	return b.over(sale, t, now, "transaction_id"), nil
}

// checkCoins checks mint, denomination and both signatures of every coin, and gives
// when the first of them ends.
func (s *Server) checkCoins(ctx context.Context, ps taler.Permissions, c *taler.Contract) (protocol.Time, error) {
	keys, err := s.keysFor(ctx, &ps[0].PublicCoin)
	if err != nil {
		return 0, err
	}
	for i := range ps { // an array has one mint; some coin may be of a newer key
		if _, ok := keys.Denomination(ps[i].Denom); !ok {
			if keys, err = s.keysFor(ctx, &ps[i].PublicCoin); err != nil {
				return 0, err
			}
			break
		}
	}
	terms := c.Terms()
	if err := keys.CheckPermissions(ps, &terms, s.cash.maxFee, s.o.Clock().Time()); err != nil {
		return 0, err
	}
	until := protocol.Time(0)
	for i := range ps {
		d, _ := keys.Denomination(ps[i].Denom)
		until = earlier(until, protocol.TimeOf(d.ExpireDeposit.Time()))
	}
	return until, nil
}

// keysFor gives the keys of a coin's mint, read anew when its denomination is
// unknown, once a minute at most.
func (s *Server) keysFor(ctx context.Context, c *taler.PublicCoin) (*taler.Keys, error) {
	mint, ok := s.cash.mint(c.Mint)
	if !ok {
		return nil, untrue("mint_pub", "the shop does not trust this mint")
	}
	keys, err := mint.Keys(ctx)
	if err != nil {
		return nil, errNoMint
	}
	if _, known := keys.Denomination(c.Denom); !known {
		if newer, err := mint.Refresh(ctx); err == nil {
			keys = newer
		}
	}
	return keys, nil
}

// keepDeposit stores the permissions unless somebody else was faster.
func (s *Server) keepDeposit(ctx context.Context, id string, ps taler.Permissions, p *payment, until protocol.Time) error {
	text, err := ps.Encode()
	if err != nil {
		return err
	}
	return s.write(ctx, func(w *work) error {
		if _, err := w.Deposits.Get(id); !errors.Is(err, ErrNotFound) {
			return err // the identical request was faster
		}
		b, err := w.currentBill(p)
		if err != nil {
			return err
		}
		over, err := w.billOver(b, w.now)
		if err != nil {
			return err
		}
		if over != nil {
			return over
		}
		terms := p.contract.Terms()
		amount, err := terms.Amount.Money()
		if err != nil {
			return err
		}
		d := &Deposit{ID: id, Bill: b.ID, Contract: p.contract.Hash().String(), State: DepositWaiting, Body: text,
			Amount: amount, At: w.now, Until: until}
		c := closing{w, d, b}
		switch b.Kind {
		case BillTab:
			return c.keepRound()
		case BillLottery:
			b.State, b.Deposit = BillWaiting, id
			if err := c.draw(&ps[0], &terms); err != nil {
				return err
			}
		default:
			b.State, b.Deposit = BillWaiting, id
		}
		if err := w.Deposits.Insert(d); err != nil {
			return fmt.Errorf("store deposit: %w", err)
		}
		if err := w.Bills.Update(b); err != nil {
			return fmt.Errorf("store bill: %w", err)
		}
		w.mints = b.Release
		return w.markWaiting(b, d.State == DepositWaiting)
	})
}

// currentBill reads the bill again, or stores that of a product.
func (w *work) currentBill(p *payment) (*Bill, error) {
	if p.bill.Kind == BillProduct {
		return w.keepProduct(p.bill, p.contract)
	}
	b, err := w.Bills.Get(p.bill.ID)
	if err != nil {
		return nil, fmt.Errorf("find bill: %w", err)
	}
	return b, nil
}

// markWaiting notes on the tender whether a permission waits for the mint.
func (w *work) markWaiting(b *Bill, waits bool) error {
	if b.Tender == "" {
		return nil
	}
	t, err := w.Tenders.Get(b.Tender)
	if err != nil {
		return fmt.Errorf("find tender: %w", err)
	}
	t.Waiting = waits
	if err := w.Tenders.Update(t); err != nil {
		return fmt.Errorf("mark tender: %w", err)
	}
	return w.settle(b.Sale, w.s.watch.view(), "deposit")
}
