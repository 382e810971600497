package server

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/url"
	"sync"
	"time"

	"till/protocol"
	"till/protocol/taler"
)

// TrustedMint is a mint whose coins are taken.
type TrustedMint struct {
	URL    string          // as customers know it
	Master taler.PublicKey // its mint_pub
	Client Mint            // that believes this master key alone
}

// Ecash is what a shop needs to take e-cash (cli.md, [ecash]).
type Ecash struct {
	Mints        []TrustedMint
	Account      taler.Wire      // where mints send the money; r and salt are drawn here
	MaxFee       *protocol.Money // dearest deposit fee of a coin, nil any
	LotteryBelow *protocol.Money // smaller amounts are paid by lottery, nil none
}

// Names of settings.
const (
	settingMerchantKey = "merchant_key"
	settingAccount     = "merchant_account" // H_wire of the present account
	settingAccountOf   = "merchant_account_"
)

// Times of e-cash.
const (
	askDeadline  = 15 * time.Second // of one question to a mint
	inlineWait   = 5 * time.Second  // that a customer waits for it
	firstKeys    = 10 * time.Second // after the start: whoever needs keys before reads them
	refreshKeys  = time.Minute
	retrySoonest = time.Second
	retryLatest  = time.Minute
	asksAtOnce   = 16
)

// cashDesk is what taking e-cash stands on.
type cashDesk struct {
	o       Ecash
	key     taler.PrivateKey
	pub     taler.PublicKey
	account taler.Wire
	hwire   taler.Hash
	maxFee  taler.Amount // zero: any
	product []byte       // keys the ids of products' bills

	wake chan struct{}  // holds a token when a mint is to be asked something
	slot chan struct{}  // bounds questions at once
	asks sync.WaitGroup // questions under way
	shut chan struct{}  // closed when the server ends
	mu   sync.Mutex     // guards what follows
	over bool           // nothing is asked any more
	busy map[string]chan struct{}
	last map[string]protocol.Time // when something was last tried
}

// openCashDesk reads the merchant's key and account, or makes them.
func openCashDesk(tx *Tx, sealing *seal, o Options) (*cashDesk, error) {
	if o.Ecash == nil {
		return nil, nil
	}
	d := &cashDesk{o: *o.Ecash, wake: make(chan struct{}, 1), slot: make(chan struct{}, asksAtOnce),
		shut: make(chan struct{}),
		busy: map[string]chan struct{}{}, last: map[string]protocol.Time{}}
	if len(d.o.Mints) == 0 {
		return nil, errors.New("take e-cash: no mint is trusted")
	}
	if _, err := linkHost(o.Settings.MerchantURL); err != nil {
		return nil, err
	}
	if d.o.MaxFee != nil {
		var err error
		if d.maxFee, err = taler.FromMoney(*d.o.MaxFee); err != nil {
			return nil, fmt.Errorf("take e-cash: max_fee: %w", err)
		}
	}
	if err := d.loadKey(tx, sealing, o.Random); err != nil {
		return nil, err
	}
	return d, d.loadAccount(tx, sealing, o.Random)
}

func (d *cashDesk) loadKey(tx *Tx, sealing *seal, random io.Reader) error {
	seed := make([]byte, 32)
	defer clear(seed)
	sealed, err := tx.Settings.Get(settingMerchantKey)
	switch {
	case errors.Is(err, ErrNotFound):
		if _, err := io.ReadFull(random, seed); err != nil {
			return fmt.Errorf("make merchant key: %w", err)
		}
		if sealed, err = sealing.close(settingMerchantKey, seed); err != nil {
			return err
		}
		err = tx.Settings.Set(settingMerchantKey, sealed)
	case err == nil:
		var opened []byte
		if opened, err = sealing.open(settingMerchantKey, sealed); err == nil && len(opened) != len(seed) {
			err = fmt.Errorf("it has %d bytes", len(opened))
		}
		copy(seed, opened)
		clear(opened)
	}
	if err != nil {
		return fmt.Errorf("load merchant key: %w", err)
	}
	d.key = taler.PrivateKeyFromSeed([32]byte(seed))
	d.pub = d.key.Public()
	d.product, err = hkdf.Key(sha256.New, seed, nil, "till product bills", sha256.Size)
	return err
}

// loadAccount keeps r and salt while the account stays the same, so that H_wire does.
// Earlier accounts are kept: permissions name them.
func (d *cashDesk) loadAccount(tx *Tx, sealing *seal, random io.Reader) error {
	hash, err := tx.Settings.Get(settingAccount)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("read account: %w", err)
	}
	if err == nil {
		if d.account, err = readAccount(tx, sealing, string(hash)); err != nil {
			return err
		}
		want, have := d.o.Account, d.account
		if want.Type == have.Type && want.IBAN == have.IBAN && want.Name == have.Name && want.BIC == have.BIC && want.Bank == have.Bank && want.Account == have.Account {
			d.hwire, err = d.account.Hash()
			return err
		}
	}
	d.account = d.o.Account
	if err := d.account.Seal(random); err != nil {
		return err
	}
	if d.hwire, err = d.account.Hash(); err != nil {
		return fmt.Errorf("take e-cash: the account that mints pay to (ecash.iban, ecash.bic, ecash.holder): %w", err)
	}
	text, err := taler.Encode(&d.account)
	if err != nil {
		return err
	}
	name := settingAccountOf + d.hwire.String()
	sealed, err := sealing.close(name, text)
	if err != nil {
		return err
	}
	return errors.Join(tx.Settings.Set(name, sealed), tx.Settings.Set(settingAccount, []byte(d.hwire.String())))
}

func readAccount(tx *Tx, sealing *seal, hash string) (w taler.Wire, err error) {
	name := settingAccountOf + hash
	sealed, err := tx.Settings.Get(name)
	if err != nil {
		return w, fmt.Errorf("read account: %w", err)
	}
	text, err := sealing.open(name, sealed)
	if err != nil {
		return w, err
	}
	defer clear(text)
	if err := taler.DecodeAnswer(text, &w); err != nil {
		return w, fmt.Errorf("read account: %w", err)
	}
	return w, nil
}

// linkHost gives the host of a link to the merchant's door, and whether it is https.
func linkHost(base string) (*taler.Link, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Path != "" {
		return nil, fmt.Errorf("take e-cash: %q is not http://HOST:PORT", base)
	}
	return &taler.Link{Secure: u.Scheme == "https", Host: u.Host}, nil
}

func (d *cashDesk) ring() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// mint finds a trusted mint.
func (d *cashDesk) mint(master taler.PublicKey) (Mint, bool) {
	for _, m := range d.o.Mints {
		if m.Master == master {
			return m.Client, true
		}
	}
	return nil, false
}

// mints gives the references that a contract names: the mints whose keys are known.
// None is [taler.ErrUnknownOutcome] or [taler.ErrMintFault]: later.
func (d *cashDesk) mints(ctx context.Context) (refs []taler.MintRef, keys []*taler.Keys, err error) {
	var faults []error
	for _, m := range d.o.Mints {
		k, err := m.Client.Keys(ctx)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		refs = append(refs, taler.MintRef{Master: m.Master, URL: m.URL, Keys: k.Hash()})
		keys = append(keys, k)
	}
	if len(refs) == 0 {
		return nil, nil, fmt.Errorf("read keys of mints: %w", errors.Join(faults...))
	}
	return refs, keys, nil
}

// ask runs f in a goroutine of its own unless the same is under way; the channel
// closes when it is done. What f asks ends within askDeadline, and with the server.
func (d *cashDesk) ask(ctx context.Context, what string, f func(ctx context.Context)) <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if done, under := d.busy[what]; under {
		return done
	}
	done := make(chan struct{})
	if d.over {
		close(done)
		return done
	}
	d.busy[what] = done
	d.asks.Go(func() {
		d.slot <- struct{}{}
		try, cancel := context.WithTimeout(context.WithoutCancel(ctx), askDeadline)
		go func() {
			select {
			case <-d.shut:
				cancel()
			case <-try.Done():
			}
		}()
		f(try)
		cancel()
		<-d.slot
		d.mu.Lock()
		delete(d.busy, what)
		d.mu.Unlock()
		close(done)
	})
	return done
}

// close ends every question and waits for what came of them.
func (d *cashDesk) close() {
	d.mu.Lock()
	d.over = true
	close(d.shut)
	d.mu.Unlock()
	d.asks.Wait()
}

// due reports whether something that waits since a moment is to be tried again: each
// pause is half of how long it has waited. It notes the try.
func (d *cashDesk) due(what string, since, now protocol.Time) (bool, protocol.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	last, tried := d.last[what]
	pause := min(max(last.Sub(since)/2, retrySoonest), retryLatest)
	if next := last.Add(pause); tried && now < next {
		return false, next
	}
	d.last[what] = now
	return true, 0
}

// tried notes a try that was not due.
func (d *cashDesk) tried(what string, now protocol.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last[what] = now
}

func (d *cashDesk) forget(what string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.last, what)
}

// keepMintKeys keeps the mints' keys fresh until ctx ends, and then ends the
// questions to mints that are under way in this process.
func (s *Server) keepMintKeys(ctx context.Context) {
	if s.cash == nil {
		return
	}
	defer s.cash.close()
	for next := s.o.Clock().Add(firstKeys); ; {
		if now := s.o.Clock(); now >= next {
			next = now.Add(refreshKeys)
			for _, m := range s.cash.o.Mints {
				s.cash.ask(ctx, "keys "+m.Master.String(), func(ctx context.Context) {
					if _, err := m.Client.Refresh(ctx); err != nil {
						s.o.Log.WarnContext(ctx, "keys of a mint not read", "mint", m.URL, "error", err)
					}
				})
			}
		}
		if !s.sleep(ctx, next, nil) {
			return
		}
	}
}

// runCashDesk asks mints what is still open, until ctx ends: bills without a
// contract, deposits without an answer, tabs whose time comes, coins to be let go.
// What is stored is the queue: nothing is forgotten.
func (s *Server) runCashDesk(ctx context.Context) {
	if s.cash == nil {
		return
	}
	for {
		now := s.o.Clock()
		next, err := s.passCashDesk(ctx, now)
		if err != nil && ctx.Err() == nil {
			s.o.Log.ErrorContext(ctx, "e-cash not worked off", "error", err)
			next = now.Add(retrySoonest)
		}
		if !s.sleep(ctx, next, s.cash.wake) {
			return
		}
	}
}

// passCashDesk starts each question that is due, and gives when the next one is.
func (s *Server) passCashDesk(ctx context.Context, now protocol.Time) (next protocol.Time, err error) {
	var bills []*Bill
	var waiting []*Deposit
	err = s.o.Store.Read(ctx, func(tx *Tx) (err error) {
		if bills, err = tx.Bills.Todo(now); err == nil {
			waiting, err = tx.Deposits.Waiting()
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("list open bills: %w", err)
	}
	try := func(what string, since protocol.Time, f func(ctx context.Context)) {
		if due, later := s.cash.due(what, since, now); due {
			s.cash.ask(ctx, what, f)
			next = earlier(next, now.Add(retrySoonest))
		} else {
			next = earlier(next, later)
		}
	}
	for _, d := range waiting {
		try(askDeposit+d.ID, d.At, func(ctx context.Context) { s.tryDeposit(ctx, d.ID) })
	}
	for _, b := range bills {
		switch {
		case b.Release:
			try(askUnlock+b.ID, now, func(ctx context.Context) { s.tryUnlock(ctx, b) })
		case b.Kind == BillTab && now >= b.tabMoment():
			try(askLapse+b.ID, now, func(ctx context.Context) { s.lapse(ctx, b.ID) })
		case b.Kind == BillTab:
			next = earlier(next, b.tabMoment())
		default:
			try(askContract+b.ID, now, func(ctx context.Context) { s.tryContract(ctx, b.ID) })
		}
	}
	return next, nil
}
