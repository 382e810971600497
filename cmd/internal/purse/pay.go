package purse

import (
	"cmp"
	"context"

	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"till/protocol/taler"
)

// Paid is what came of a payment.
type Paid struct {
	State         string `json:"state"` // paid, or free: a lottery that cost nothing
	TransactionID string `json:"transaction_id"`
	Amount        string `json:"amount"`
	Description   string `json:"description"`
	Receipt       string `json:"receipt"` // the merchant's signature
}

// Pay pays the contract behind a link, or goes on with an earlier try: the same
// permissions are sent until somebody answers. Coins of which the mint proves that they
// are spent or held are left out, and others pay. It waits for a mint as long as ctx.
func (p *Purse) Pay(ctx context.Context, text string) (*Paid, error) {
	for {
		paid, err := p.pay(ctx, text)
		if !errors.Is(err, errOtherCoins) {
			return paid, err
		}
	}
}

// errOtherCoins: the mint proved that a coin cannot pay, which others may.
var errOtherCoins = errors.New("a coin is spent or held; others may pay")

func (p *Purse) pay(ctx context.Context, text string) (*Paid, error) {
	link, err := taler.ParseLink(text)
	if err != nil {
		return nil, err
	}
	if link.TransactionID == nil {
		return nil, fmt.Errorf("%w: this is a tab: use till customer tab", ErrRefused)
	}
	for _, r := range p.s.Payments {
		if r.Link != text {
			continue
		}
		switch r.State {
		case statePending:
			return p.send(ctx, link, r)
		case statePaid, stateFree:
			return p.receipt(link, r)
		}
		return nil, fmt.Errorf("%w: it was refused before; ask the cashier for a new code", ErrRefused)
	}
	c, err := p.contract(ctx, link)
	if err != nil {
		return nil, err
	}
	r, err := p.sign(ctx, link, text, c)
	if err != nil {
		return nil, err
	}
	r.Link = text
	p.s.Payments = append(p.s.Payments, r)
	if err := p.save(); err != nil {
		return nil, err
	}
	return p.send(ctx, link, r)
}

// contract reads the contract of a link and refuses what the link does not promise.
func (p *Purse) contract(ctx context.Context, link *taler.Link) (*taler.Contract, error) {
	status, body, err := p.exchange(ctx, http.MethodGet, link.Base()+"/contract?sale="+link.Sale, nil)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, said(status, body)
	}
	c, err := taler.ParseContract(body)
	if err != nil {
		return nil, err
	}
	if err := link.Accept(c); err != nil {
		return nil, fmt.Errorf("%w: somebody slipped in another contract: %w", ErrRefused, err)
	}
	if t := c.Terms(); !t.Expiry.Time().After(p.o.Clock()) {
		return nil, fmt.Errorf("%w: the contract has lapsed", ErrRefused)
	}
	return c, nil
}

// said gives what the other side answered: come again, or no.
func said(status int, body []byte) error {
	e := &taler.Error{Reason: http.StatusText(status)}
	if taler.DecodeAnswer(body, e) != nil {
		e = &taler.Error{Reason: http.StatusText(status)}
	}
	if status >= http.StatusInternalServerError || status == http.StatusTooManyRequests {
		return fmt.Errorf("%w: %s", ErrUnreachable, e.Reason)
	}
	return fmt.Errorf("%w: %s", ErrRefused, e.Reason)
}

// mintOf finds a mint that the contract names and whose coins are at hand. A merchant
// who sees other keys than this purse is refused: keys must not mark customers.
func (p *Purse) mintOf(ctx context.Context, mints []taler.MintRef) (*mintRecord, *taler.Keys, error) {
	marked := false
	for _, m := range p.s.Mints {
		for _, ref := range mints {
			if ref.Master.String() != m.Master {
				continue
			}
			client, err := p.client(m)
			if err != nil {
				return nil, nil, err
			}
			keys, err := client.Keys(ctx)
			if err != nil {
				return nil, nil, reached(err)
			}
			if keys.Hash() == ref.Keys {
				return m, keys, nil
			}
			marked = true
		}
	}
	if marked {
		return nil, nil, fmt.Errorf("%w: the merchant sees other keys of the mint", ErrRefused)
	}
	return nil, nil, fmt.Errorf("%w: the shop takes no coins of your mints", ErrTooLittle)
}

// part is what one coin pays.
type part struct {
	coin  *coinRecord
	micro uint64
}

// sign makes permissions for a contract and takes their amounts off the coins.
func (p *Purse) sign(ctx context.Context, link *taler.Link, text string, c *taler.Contract) (*paymentRecord, error) {
	t := c.Terms()
	switch t.Type() {
	case taler.Probabilistic:
		return p.gamble(ctx, link, text, c)
	case taler.Incremental:
		return nil, fmt.Errorf("%w: a round of a tab stands where a bill should", ErrRefused)
	}
	m, _, err := p.mintOf(ctx, t.Mints)
	if err != nil {
		return nil, err
	}
	parts, err := p.collect(m.Master, t.Amount)
	if err != nil {
		return nil, err
	}
	var ps taler.Permissions
	for _, part := range parts {
		coin, err := part.coin.coin()
		if err != nil {
			return nil, err
		}
		amount, err := taler.NewAmount(t.Amount.Currency, part.micro)
		if err != nil {
			return nil, err
		}
		permission, err := coin.Pay(c, link.Merchant, amount, taler.Nonce{})
		if err != nil {
			return nil, err
		}
		ps = append(ps, *permission)
		part.coin.Left -= part.micro
	}
	sent, err := ps.Encode()
	if err != nil {
		return nil, err
	}
	return &paymentRecord{State: statePending, At: p.o.Clock(), Contract: c.Text(), Sent: sent}, nil
}

// maxCoins is how many coins pay a contract together.
const maxCoins = 64

// collect finds coins that make an amount: whole ones where they fit, the largest
// first, and part of one for the rest.
func (p *Purse) collect(master string, amount taler.Amount) ([]part, error) {
	var coins []*coinRecord
	for _, c := range p.s.Coins {
		if c.Mint == master && c.Currency == amount.Currency && c.free(p.o.Clock()) {
			coins = append(coins, c)
		}
	}
	slices.SortStableFunc(coins, func(a, b *coinRecord) int { return cmp.Compare(b.Left, a.Left) })
	left := amount.Micro()
	var parts []part
	var rest []*coinRecord
	for _, c := range coins {
		if c.Left <= left && len(parts) < maxCoins-1 {
			parts = append(parts, part{c, c.Left})
			left -= c.Left
		} else {
			rest = append(rest, c)
		}
	}
	if left == 0 {
		return parts, nil
	}
	slices.Reverse(rest) // the smallest that is enough
	for _, c := range rest {
		if c.Left >= left {
			return append(parts, part{c, left}), nil
		}
	}
	return nil, fmt.Errorf("%w for %s", ErrTooLittle, amount)
}

// send hands the permissions over until they are taken or refused.
func (p *Purse) send(ctx context.Context, link *taler.Link, r *paymentRecord) (*Paid, error) {
	for {
		status, body, err := p.exchange(ctx, http.MethodPost, link.Base()+"/deposit", r.Sent)
		if err != nil {
			return nil, err
		}
		switch status {
		case http.StatusOK:
			return p.close(link, r, body)
		case http.StatusAccepted:
			var queued taler.Queued
			if err := taler.DecodeAnswer(body, &queued); err != nil {
				return nil, fmt.Errorf("read answer: %w", err)
			}
			timer := time.NewTimer(time.Duration(min(max(queued.Retry, 100), 60_000)) * time.Millisecond)
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
				return nil, fmt.Errorf("%w: the shop waits for its mint; pay the same link again", ErrUnreachable)
			}
		case http.StatusForbidden:
			return nil, p.refused(r, body)
		case http.StatusBadRequest, http.StatusNotFound, http.StatusConflict:
			return nil, p.giveUp(r, said(status, body))
		default:
			return nil, said(status, body)
		}
	}
}

// close checks the receipt and keeps it.
func (p *Purse) close(link *taler.Link, r *paymentRecord, body []byte) (*Paid, error) {
	r.Answer = body
	paid, err := p.receipt(link, r)
	if err != nil {
		r.Answer = nil
		return nil, fmt.Errorf("the receipt does not verify; keep the purse and ask the cashier: %w", err)
	}
	r.State = paid.State
	if r.State == stateFree {
		if err := p.putBack(r); err != nil {
			return nil, err
		}
	}
	return paid, p.save()
}

// receipt verifies what the merchant answered.
func (p *Purse) receipt(link *taler.Link, r *paymentRecord) (*Paid, error) {
	var a taler.Paid
	if err := taler.DecodeAnswer(r.Answer, &a); err != nil {
		return nil, err
	}
	c, err := taler.ParseContract(r.Contract)
	if err != nil {
		return nil, err
	}
	ps, err := taler.ParsePermissions(r.Sent)
	if err != nil {
		return nil, err
	}
	if err := a.Receipt.Verify(link.Merchant, c, ps); err != nil {
		return nil, err
	}
	state, err := p.drawn(&a, c, ps)
	if err != nil {
		return nil, err
	}
	t := c.Terms()
	return &Paid{State: state, TransactionID: t.TransactionID.String(), Amount: t.Amount.String(), Description: t.Description, Receipt: a.Receipt.Sig.String()}, nil
}

// refused looks at a 403: a verified proof says which coin is spent; without one the
// shop simply does not take this payment.
func (p *Purse) refused(r *paymentRecord, body []byte) error {
	var proof taler.Proof
	if err := taler.DecodeAnswer(body, &proof); err != nil {
		return p.giveUp(r, said(http.StatusForbidden, body))
	}
	ps, err := taler.ParsePermissions(r.Sent)
	if err != nil {
		return err
	}
	for i := range ps {
		c := p.find(&ps[i])
		if c == nil {
			continue
		}
		face, err := taler.NewAmount(c.Currency, c.Value)
		if err != nil {
			return err
		}
		if proof.VerifyDeposit(&ps[i], face, p.o.Clock()) == nil {
			err := p.giveUp(r, errOtherCoins)
			if proof.Status == taler.StatusLocked {
				c.Held = p.o.Clock().Add(heldFor)
			} else {
				c.Left = 0
			}
			// Its place may be taken by other coins.
			p.s.Payments = slices.DeleteFunc(p.s.Payments, func(other *paymentRecord) bool { return other == r })
			return errors.Join(err, p.save())
		}
	}
	return fmt.Errorf("%w: the shop says a coin is spent and does not prove it; the payment stays open", ErrRefused)
}

// heldFor is how long a coin is left alone that the mint holds for something else.
const heldFor = time.Minute

// free reports whether a coin can be used now.
func (c *coinRecord) free(now time.Time) bool { return c.Left > 0 && !now.Before(c.Held) }

// giveUp puts the coins back: the shop does not want them for this contract.
func (p *Purse) giveUp(r *paymentRecord, reason error) error {
	r.State = stateRefused
	return errors.Join(reason, p.putBack(r), p.save())
}

// putBack makes the coins of a payment whole again.
func (p *Purse) putBack(r *paymentRecord) error {
	ps, err := taler.ParsePermissions(r.Sent)
	if err != nil {
		return err
	}
	for i := range ps {
		if c := p.find(&ps[i]); c != nil {
			c.Left += ps[i].Amount.Micro()
		}
	}
	return nil
}

// find gives the record of a permission's coin.
func (p *Purse) find(permission *taler.Permission) *coinRecord {
	for _, c := range p.s.Coins {
		if coin, err := c.coin(); err == nil && coin.Public.Coin == permission.Coin {
			return c
		}
	}
	return nil
}
