package purse

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"till/protocol/taler"
)

// tabPoll is how often a tab is looked at for a new round.
const tabPoll = time.Second

// tabRecord is a coin held for a tab, or for a lottery. What was signed last counts.
type tabRecord struct {
	Link   string `json:"link"`
	Lock   []byte `json:"lock"`
	Locked bool   `json:"locked"` // the mint confirmed it
	Signed uint64 `json:"signed"`
	Sent   []byte `json:"sent,omitempty"` // the round that may not have arrived
	Over   bool   `json:"over"`
}

// TabOf tells the link of a tab from that of a bill and gives the sale it is of.
func TabOf(link string) (sale string, ok bool) {
	parsed, err := taler.ParseLink(link)
	if err != nil || parsed.TransactionID != nil {
		return "", false
	}
	return parsed.Sale, true
}

// Tab opens the tab behind a link with a coin of at least the amount offered, and
// signs each round until the shop closes it or ctx ends; the same link goes on with
// it. told hears of each round. It gives what was signed in the end.
func (p *Purse) Tab(ctx context.Context, text string, told func(amount, description string)) (string, error) {
	link, err := taler.ParseLink(text)
	if err != nil {
		return "", err
	}
	if link.TransactionID != nil {
		return "", fmt.Errorf("%w: this is a bill: use till customer pay", ErrRefused)
	}
	r, err := p.hold(ctx, link, text)
	for errors.Is(err, errOtherCoins) {
		r, err = p.hold(ctx, link, text)
	}
	if err != nil {
		return "", err
	}
	var l taler.Lock
	if err := taler.DecodeAnswer(r.Lock, &l); err != nil {
		return "", fmt.Errorf("read lock: %w", err)
	}
	for {
		over, err := p.nextRound(ctx, link, r, &l, told)
		if err != nil && !errors.Is(err, ErrUnreachable) {
			return "", err
		}
		signed, amountErr := taler.NewAmount(l.MaxAmount.Currency, r.Signed)
		if amountErr != nil {
			return "", amountErr
		}
		if over {
			r.Over = true
			return signed.String(), p.endTab(r, &l)
		}
		timer := time.NewTimer(tabPoll)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return signed.String(), fmt.Errorf("%w: the tab is still open; the same command goes on with it", ErrUnreachable)
		}
	}
}

// endTab gives back what was held and not signed.
func (p *Purse) endTab(r *tabRecord, l *taler.Lock) error {
	for _, c := range p.s.Coins {
		if coin, err := c.coin(); err == nil && coin.Public.Coin == l.Coin {
			c.Left += l.MaxAmount.Micro() - r.Signed
		}
	}
	return p.save()
}

// hold locks a coin for a link, or goes on with the lock that was begun.
func (p *Purse) hold(ctx context.Context, link *taler.Link, text string) (*tabRecord, error) {
	var r *tabRecord
	for _, old := range p.s.Tabs {
		if old.Link == text {
			r = old
		}
	}
	if r == nil {
		var err error
		if r, err = p.reserve(ctx, link, text); err != nil {
			return nil, err
		}
	}
	if r.Over {
		return nil, fmt.Errorf("%w: this tab is over", ErrRefused)
	}
	if r.Locked {
		return r, nil
	}
	status, body, err := p.exchange(ctx, http.MethodPost, link.Base()+"/lock", r.Lock)
	if err != nil {
		return nil, err
	}
	var l taler.Lock
	if err := taler.DecodeAnswer(r.Lock, &l); err != nil {
		return nil, fmt.Errorf("read lock: %w", err)
	}
	switch {
	case status == http.StatusOK:
		if err := p.confirmed(ctx, &l, body); err != nil {
			return nil, err
		}
		r.Locked = true
		return r, p.save()
	case status >= http.StatusInternalServerError || status == http.StatusTooManyRequests:
		return nil, said(status, body)
	}
	if status == http.StatusForbidden && p.provenUnusable(&l, body) {
		p.s.Tabs = slices.DeleteFunc(p.s.Tabs, func(old *tabRecord) bool { return old == r })
		return nil, errors.Join(errOtherCoins, p.endTab(r, &l))
	}
	// Refused: the coin is free for something else.
	r.Over = true
	return nil, errors.Join(said(status, body), p.endTab(r, &l))
}

// provenUnusable reports whether a refusal proves that the lock's coin is spent or held,
// and leaves the coin alone from then on.
func (p *Purse) provenUnusable(l *taler.Lock, body []byte) bool {
	var proof taler.Proof
	if taler.DecodeAnswer(body, &proof) != nil {
		return false
	}
	for _, c := range p.s.Coins {
		coin, err := c.coin()
		if err != nil || coin.Public.Coin != l.Coin {
			continue
		}
		face, err := taler.NewAmount(c.Currency, c.Value)
		if err != nil || proof.VerifyLock(l, face, p.o.Clock()) != nil {
			return false
		}
		// Spent or held, it is not known how much of it is left: the mint says so again.
		c.Held = p.o.Clock().Add(heldFor)
		return true
	}
	return false
}

// confirmed checks the mint's word that the coin is held.
func (p *Purse) confirmed(ctx context.Context, l *taler.Lock, body []byte) error {
	var answer taler.LockAnswer
	if err := taler.DecodeAnswer(body, &answer); err != nil {
		return err
	}
	for _, m := range p.s.Mints {
		if m.Master != l.Mint.String() {
			continue
		}
		client, err := p.client(m)
		if err != nil {
			return err
		}
		keys, err := client.Keys(ctx)
		if err != nil {
			return reached(err)
		}
		return keys.VerifyLock(&answer, l)
	}
	return fmt.Errorf("%w: the coin's mint is not known", ErrRefused)
}

// reserve asks for an offer and signs a lock for it, kept before it is sent.
func (p *Purse) reserve(ctx context.Context, link *taler.Link, text string) (*tabRecord, error) {
	body, err := taler.Encode(&taler.OfferRequest{Sale: link.Sale})
	if err != nil {
		return nil, err
	}
	status, answer, err := p.exchange(ctx, http.MethodPost, link.Base()+"/offer", body)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, said(status, answer)
	}
	var o taler.Offer
	if err := taler.DecodeAnswer(answer, &o); err != nil {
		return nil, err
	}
	if err := o.Verify(link.Merchant); err != nil {
		return nil, fmt.Errorf("%w: somebody slipped in another offer: %w", ErrRefused, err)
	}
	if link.TransactionID != nil && o.TransactionID != *link.TransactionID {
		return nil, fmt.Errorf("%w: an offer for another transaction", ErrRefused)
	}
	m, keys, err := p.mintOf(ctx, o.Mints)
	if err != nil {
		return nil, err
	}
	c, err := p.holder(m.Master, &o, link.TransactionID != nil)
	if err != nil {
		return nil, err
	}
	coin, err := c.coin()
	if err != nil {
		return nil, err
	}
	l := coin.Lock(&o, link.Merchant)
	if err := keys.CheckLock(l, taler.Amount{}, p.o.Clock()); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	r := &tabRecord{Link: text}
	if r.Lock, err = taler.Encode(l); err != nil {
		return nil, err
	}
	c.Left -= o.MaxAmount.Micro()
	p.s.Tabs = append(p.s.Tabs, r)
	return r, p.save()
}

// holder finds the smallest coin that can be held for an offer: for a lottery one
// whose face value it is, of which nothing is spent.
func (p *Purse) holder(master string, o *taler.Offer, whole bool) (best *coinRecord, err error) {
	for _, c := range p.s.Coins {
		if c.Mint != master || c.Currency != o.MaxAmount.Currency || c.Left < o.MaxAmount.Micro() || !c.free(p.o.Clock()) {
			continue
		}
		if whole && (c.Value != o.MaxAmount.Micro() || c.Left != c.Value) {
			continue
		}
		if best == nil || c.Left < best.Left {
			best = c
		}
	}
	if best == nil {
		return nil, fmt.Errorf("%w: one coin of %s is needed", ErrTooLittle, o.MaxAmount)
	}
	return best, nil
}

// nextRound signs what was charged since the last round. over: the shop closed the tab.
func (p *Purse) nextRound(ctx context.Context, link *taler.Link, r *tabRecord, l *taler.Lock, told func(amount, description string)) (over bool, err error) {
	if r.Sent != nil {
		if err := p.sendRound(ctx, link, r); err != nil {
			return false, err
		}
	}
	status, body, err := p.exchange(ctx, http.MethodGet, link.Base()+"/contract?transaction_id="+l.TransactionID.String(), nil)
	if err != nil {
		return false, err
	}
	switch {
	case status == http.StatusConflict && r.Signed == 0 && p.o.Clock().Before(l.LockUntil.Time()):
		return p.gone(ctx, link)
	case status == http.StatusConflict:
		return true, nil
	case status != http.StatusOK:
		return false, said(status, body)
	}
	c, err := taler.ParseContract(body)
	if err != nil {
		return false, err
	}
	if err := link.Accept(c); err != nil {
		return false, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	t := c.Terms()
	above, err := t.Amount.Cmp(l.MaxAmount)
	switch {
	case err != nil || above > 0 || t.TransactionID != l.TransactionID || !t.Tab:
		return false, fmt.Errorf("%w: the round is not what the tab allows", ErrRefused)
	case t.Amount.Micro() <= r.Signed:
		return false, nil
	}
	coin, err := p.coinOf(l)
	if err != nil {
		return false, err
	}
	permission, err := coin.Pay(c, link.Merchant, t.Amount, taler.Nonce{})
	if err != nil {
		return false, err
	}
	if r.Sent, err = (taler.Permissions{*permission}).Encode(); err != nil {
		return false, err
	}
	r.Signed = t.Amount.Micro()
	if err := p.save(); err != nil {
		return false, err
	}
	if err := p.sendRound(ctx, link, r); err != nil {
		return false, err
	}
	told(t.Amount.String(), t.Description)
	return false, nil
}

// gone tells a tab that is over from one on which nothing was charged yet: the shop
// makes no offer for what is over.
func (p *Purse) gone(ctx context.Context, link *taler.Link) (bool, error) {
	body, err := taler.Encode(&taler.OfferRequest{Sale: link.Sale})
	if err != nil {
		return false, err
	}
	status, _, err := p.exchange(ctx, http.MethodPost, link.Base()+"/offer", body)
	return status == http.StatusConflict || status == http.StatusNotFound, err
}

// sendRound hands a signed round over.
func (p *Purse) sendRound(ctx context.Context, link *taler.Link, r *tabRecord) error {
	status, body, err := p.exchange(ctx, http.MethodPost, link.Base()+"/deposit", r.Sent)
	if err != nil {
		return err
	}
	if status >= http.StatusInternalServerError || status == http.StatusTooManyRequests {
		return said(status, body)
	}
	// Taken, or too late for it: what was signed before counts then, and may be used.
	r.Sent = nil
	return p.save()
}

// coinOf finds the coin of a lock.
func (p *Purse) coinOf(l *taler.Lock) (*taler.Coin, error) {
	for _, c := range p.s.Coins {
		if coin, err := c.coin(); err == nil && coin.Public.Coin == l.Coin {
			return coin, nil
		}
	}
	return nil, fmt.Errorf("%w: the coin of the lock is not in this purse", ErrRefused)
}
