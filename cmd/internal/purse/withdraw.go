package purse

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"till/protocol"
	"till/protocol/taler"
)

// patience is how long one exchange may take.
const patience = 20 * time.Second

// client opens a mint, whose master key is the pinned one.
func (p *Purse) client(m *mintRecord) (*taler.MintClient, error) {
	master, err := taler.ParsePublicKey(m.Master)
	if err != nil {
		return nil, fmt.Errorf("read mint: %w", err)
	}
	return taler.NewMintClient(m.URL, master, p.o.HTTP, p.o.Clock, patience)
}

// mint finds the record of a mint, or makes one: with master where it is known,
// else with the key that the mint shows now.
func (p *Purse) mint(ctx context.Context, base, master string) (*mintRecord, error) {
	for _, m := range p.s.Mints {
		if m.URL == base {
			if master != "" && master != m.Master {
				return nil, fmt.Errorf("%w: the mint at %s was pinned with another key, %s", ErrRefused, base, m.Master)
			}
			return m, nil
		}
	}
	if master == "" {
		text, err := p.fetch(ctx, base+"/keys")
		if err != nil {
			return nil, err
		}
		var list taler.KeyList
		if err := taler.DecodeAnswer(text, &list); err != nil {
			return nil, fmt.Errorf("read keys of %s: %w", base, err)
		}
		master = list.Master.String()
	}
	reserve, err := taler.NewPrivateKey(p.o.Random)
	if err != nil {
		return nil, err
	}
	m := &mintRecord{URL: base, Master: master, Reserve: seed(reserve)}
	p.s.Mints = append(p.s.Mints, m)
	return m, p.save()
}

// fetch reads a document of at most taler.MaxAnswer bytes.
func (p *Purse) fetch(ctx context.Context, address string) ([]byte, error) {
	status, text, err := p.exchange(ctx, http.MethodGet, address, nil)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%w: %s answered %d", ErrUnreachable, address, status)
	}
	return text, err
}

// exchange makes one request. Without an answer the error wraps [ErrUnreachable].
func (p *Purse) exchange(ctx context.Context, method, address string, body []byte) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := p.o.HTTP.Do(r)
	if err != nil {
		return 0, nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, taler.MaxAnswer))
	if err != nil {
		return 0, nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return resp.StatusCode, text, nil
}

// Withdraw takes coins for an amount out of the reserve at a mint. Where an earlier
// call was cut off it finishes that one instead, and gives its amount. At a practice mint on this machine it fills the reserve
// first. A reserve that holds too little is [ErrTooLittle], naming it.
func (p *Purse) Withdraw(ctx context.Context, base, master, amount string) (protocol.Money, error) {
	var none protocol.Money
	a, err := p.account(ctx, base, master)
	if err != nil {
		return none, err
	}
	if done, err := p.begun(ctx, a); err != nil || done.Minor > 0 {
		return done, err
	}
	chosen, want, err := p.choose(a.keys, amount)
	if err != nil {
		return none, err
	}
	if err := p.fill(ctx, a, chosen); err != nil {
		return none, err
	}
	// The coins are kept before the mint is asked: whoever loses them has paid for nothing.
	for _, d := range chosen {
		planchet, err := taler.NewPlanchet(p.o.Random)
		if err != nil {
			return none, err
		}
		blinding := planchet.Blinding.Reveal()
		p.s.Drafts = append(p.s.Drafts, &draftRecord{Mint: a.mint.Master, Denom: d.Pub.String(), Key: seed(planchet.Key), Blinding: taler.EncodeBase32(blinding[:])})
	}
	if err := p.save(); err != nil {
		return none, err
	}
	return want, p.finish(ctx, a)
}

// Finish draws the coins of a withdrawal that was cut off, if there is one.
func (p *Purse) Finish(ctx context.Context, base string) error {
	if len(p.s.Drafts) == 0 {
		return nil
	}
	a, err := p.account(ctx, base, "")
	if err != nil {
		return err
	}
	_, err = p.begun(ctx, a)
	return err
}

// account is a mint with the reserve that this purse has there.
type account struct {
	mint    *mintRecord
	client  *taler.MintClient
	keys    *taler.Keys
	reserve taler.PrivateKey
}

func (p *Purse) account(ctx context.Context, base, master string) (*account, error) {
	m, err := p.mint(ctx, base, master)
	if err != nil {
		return nil, err
	}
	a := &account{mint: m}
	if a.client, err = p.client(m); err != nil {
		return nil, err
	}
	if a.reserve, err = taler.ParsePrivateKey(m.Reserve); err != nil {
		return nil, fmt.Errorf("read mint: %w", err)
	}
	if a.keys, err = a.client.Keys(ctx); err != nil {
		return nil, reached(err)
	}
	return a, nil
}

// begun finishes what an earlier withdrawal began; nothing when there is none.
func (p *Purse) begun(ctx context.Context, a *account) (protocol.Money, error) {
	sum := taler.Amount{}
	for _, d := range p.s.Drafts {
		pub, err := taler.ParseDenomPub(d.Denom)
		if err != nil {
			return protocol.Money{}, fmt.Errorf("read coin: %w", err)
		}
		denom, known := a.keys.Denomination(pub)
		if d.Mint != a.mint.Master || !known {
			continue
		}
		if sum.Currency == "" {
			sum.Currency = denom.Value.Currency
		}
		if sum, err = sum.Add(denom.Value); err != nil {
			return protocol.Money{}, err
		}
	}
	if sum.IsZero() {
		return protocol.Money{}, nil
	}
	if err := p.finish(ctx, a); err != nil {
		return protocol.Money{}, err
	}
	return sum.Money()
}

// choose picks denominations for an amount, the largest first.
func (p *Purse) choose(keys *taler.Keys, text string) (chosen []*taler.Denomination, want protocol.Money, err error) {
	var sold []*taler.Denomination
	for _, d := range keys.Denominations() {
		if d.Withdrawable(taler.TimeAt(p.o.Clock())) {
			known, _ := keys.Denomination(d.Pub)
			sold = append(sold, known)
		}
	}
	if len(sold) == 0 {
		return nil, want, fmt.Errorf("%w: the mint sells no coins now", ErrRefused)
	}
	slices.SortStableFunc(sold, func(a, b *taler.Denomination) int { return cmp.Compare(b.Value.Micro(), a.Value.Micro()) })
	if want, err = protocol.ParseMoney(sold[0].Value.Currency, text); err != nil {
		return nil, want, err
	}
	amount, err := taler.FromMoney(want)
	if err != nil {
		return nil, want, err
	}
	left := amount.Micro()
	for _, d := range sold {
		for left >= d.Value.Micro() && len(chosen) < 200 {
			chosen = append(chosen, d)
			left -= d.Value.Micro()
		}
	}
	if left > 0 || len(chosen) == 0 {
		return nil, want, fmt.Errorf("%w: the mint has no coins that make %s", ErrRefused, want)
	}
	return chosen, want, nil
}

// fill sees that the reserve can pay for the coins.
func (p *Purse) fill(ctx context.Context, a *account, chosen []*taler.Denomination) error {
	cost := taler.Amount{Currency: chosen[0].Value.Currency}
	for _, d := range chosen {
		one, err := d.Cost()
		if err != nil {
			return err
		}
		if cost, err = cost.Add(one); err != nil {
			return err
		}
	}
	have := taler.Amount{Currency: cost.Currency}
	reserve := a.reserve.Public()
	status, err := a.client.Reserve(ctx, reserve)
	switch {
	case err == nil:
		have = status.Balance
	case !errors.Is(err, &taler.Error{Status: http.StatusNotFound}):
		return reached(err)
	}
	missing, err := cost.Sub(have)
	if err != nil || missing.IsZero() {
		return nil // it holds enough
	}
	if isLoopback(a.mint.URL) {
		body, err := taler.Encode(&taler.Incoming{Reserve: reserve, Amount: missing})
		if err != nil {
			return err
		}
		if status, _, err := p.exchange(ctx, http.MethodPost, a.mint.URL+"/admin/add/incoming", body); err != nil || status == http.StatusOK {
			return err
		}
	}
	return fmt.Errorf("%w: send %s to the mint for reserve %s, then withdraw again", ErrTooLittle, missing, reserve)
}

// finish asks the mint to sign every coin that is kept for it.
func (p *Purse) finish(ctx context.Context, a *account) error {
	for _, d := range slices.Clone(p.s.Drafts) {
		if d.Mint != a.mint.Master {
			continue
		}
		c, err := a.buy(ctx, d)
		if err != nil {
			return err
		}
		p.s.Coins = append(p.s.Coins, c)
		p.s.Drafts = slices.DeleteFunc(p.s.Drafts, func(other *draftRecord) bool { return other == d })
		if err := p.save(); err != nil {
			return err
		}
	}
	return nil
}

// buy has the mint sign one coin.
func (a *account) buy(ctx context.Context, d *draftRecord) (*coinRecord, error) {
	key, err := taler.ParsePrivateKey(d.Key)
	if err != nil {
		return nil, fmt.Errorf("read coin: %w", err)
	}
	blinding, err := taler.DecodeBase32(d.Blinding)
	if err != nil || len(blinding) != 32 {
		return nil, fmt.Errorf("read coin: its blinding is not 32 bytes: %w", err)
	}
	pub, err := taler.ParseDenomPub(d.Denom)
	if err != nil {
		return nil, fmt.Errorf("read coin: %w", err)
	}
	denom, ok := a.keys.Denomination(pub)
	if !ok {
		return nil, fmt.Errorf("%w: the mint does not know a denomination any more that it was asked for", ErrRefused)
	}
	planchet := taler.Planchet{Key: key, Blinding: taler.SecretFrom([32]byte(blinding))}
	request, err := planchet.Withdrawal(denom, a.reserve)
	if err != nil {
		return nil, err
	}
	evSig, err := a.client.Withdraw(ctx, request)
	if err != nil {
		return nil, reached(err)
	}
	coin, err := planchet.Coin(a.keys.Master(), denom, evSig)
	if err != nil {
		return nil, err
	}
	return &coinRecord{Mint: d.Mint, Denom: d.Denom, Key: d.Key, UBSig: coin.Public.UBSig.String(), Currency: denom.Value.Currency,
		Value: denom.Value.Micro(), Left: denom.Value.Micro()}, nil
}

// reached tells a side that does not answer from one that says no.
func reached(err error) error {
	if errors.Is(err, taler.ErrUnknownOutcome) {
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return fmt.Errorf("%w: %w", ErrRefused, err)
}

// isLoopback reports whether a URL is of this machine.
func isLoopback(base string) bool {
	u, err := url.Parse(base)
	if err != nil {
		return false
	}
	host := u.Hostname()
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// Exposed gives the host that a link leads to over plain HTTP beyond this machine,
// where who listens on the way sees what is bought; "" for any other.
func Exposed(text string) (host string, err error) {
	link, err := taler.ParseLink(text)
	if err != nil || link.Secure || isLoopback(link.Base()) {
		return "", err
	}
	return link.Host, nil
}
