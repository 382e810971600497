package mint

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"till/protocol"
	"till/protocol/taler"
	"till/server"
)

// values are the denominations, in hundredths of the currency's unit.
var values = []uint64{5, 10, 50, 100, 500, 1000, 5000}

const (
	modulusBits = 2048
	day         = 24 * time.Hour

	signingLife  = 90 * day  // of a signing key
	withdrawLife = 180 * day // in which coins of a denomination are sold
	depositLife  = 360 * day // in which they are taken back
	renewBefore  = 30 * day  // a new key is made so long before the old one ends
	backdate     = time.Hour // keys start so long ago: clocks differ
	maxSigning   = 64        // signing keys that a key list may hold

	settingKeys = "mint_keys"
)

// vault is everything secret. It is stored sealed, as JSON, under one name.
type vault struct {
	master  taler.PrivateKey
	signing []signingKey
	denoms  []denomination
}

type signingKey struct {
	key           taler.PrivateKey
	start, expire taler.Time
}

func (k *signingKey) live(at taler.Time) bool { return k.start <= at && at < k.expire }

type denomination struct {
	secret                   *taler.DenomSecret
	private                  *rsa.PrivateKey
	value                    taler.Amount
	start, withdraw, deposit taler.Time
}

// ring is the key list as it is published, and the secrets behind it.
type ring struct {
	keys    *taler.Keys
	text    []byte // the answer of /keys
	signing taler.PrivateKey
	denoms  map[taler.DenomPub]*taler.DenomSecret
	from    taler.Time // it is good from then
	until   taler.Time // and until a key has to be renewed
}

func (r *ring) good(at taler.Time) bool { return r != nil && r.from <= at && at < r.until }

// keys gives the present key list, making keys that are missing or end soon.
func (m *Mint) keys(ctx context.Context) (*ring, error) {
	if r := m.ring.Load(); r.good(taler.TimeAt(m.o.Clock())) {
		return r, nil
	}
	select {
	case m.making <- struct{}{}:
		defer func() { <-m.making }()
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for keys: %w", ctx.Err())
	}
	now := m.o.Clock()
	if r := m.ring.Load(); r.good(taler.TimeAt(now)) {
		return r, nil
	}
	next, made, err := m.vault.renew(now, m.o)
	if err != nil {
		return nil, fmt.Errorf("make keys: %w", err)
	}
	if made {
		if err := m.save(ctx, next); err != nil {
			return nil, err
		}
		m.vault = next
	}
	r, err := next.publish(now)
	if err != nil {
		return nil, fmt.Errorf("publish keys: %w", err)
	}
	m.ring.Store(r)
	return r, nil
}

// renew gives the vault with what is missing at a moment, and whether it differs.
func (v vault) renew(now time.Time, o Options) (vault, bool, error) {
	at, soon := taler.TimeAt(now), taler.TimeAt(now.Add(renewBefore))
	start := taler.TimeAt(now.Add(-backdate))
	next := vault{v.master, slices.Clone(v.signing), slices.Clone(v.denoms)}
	if !slices.ContainsFunc(v.signing, func(k signingKey) bool { return k.start <= at && soon < k.expire }) {
		key, err := taler.NewPrivateKey(o.Random)
		if err != nil {
			return v, false, err
		}
		next.signing = append(next.signing, signingKey{key, start, taler.TimeAt(now.Add(signingLife))})
		next.signing = next.signing[max(0, len(next.signing)-maxSigning):]
	}
	var missing []taler.Amount
	for _, hundredths := range values {
		value, err := taler.NewAmount(o.Currency, hundredths*10_000)
		if err != nil {
			return v, false, err
		}
		if !slices.ContainsFunc(v.denoms, func(d denomination) bool { return d.value == value && d.start <= at && soon < d.withdraw }) {
			missing = append(missing, value)
		}
	}
	fresh := make([]denomination, len(missing))
	faults := make([]error, len(missing))
	var group sync.WaitGroup
	for i, value := range missing {
		group.Go(func() {
			fresh[i] = denomination{value: value, start: start, withdraw: taler.TimeAt(now.Add(withdrawLife)), deposit: taler.TimeAt(now.Add(depositLife))}
			faults[i] = fresh[i].draw()
		})
	}
	group.Wait()
	next.denoms = append(next.denoms, fresh...)
	return next, len(next.signing) != len(v.signing) || len(missing) > 0, errors.Join(faults...)
}

// draw makes the denomination's key. crypto/rsa takes the operating system's chance
// whatever it is given.
func (d *denomination) draw() (err error) {
	if d.private, err = rsa.GenerateKey(rand.Reader, modulusBits); err != nil {
		return err
	}
	d.secret, err = taler.NewDenomSecret(d.private)
	return err
}

// publish signs the list of all keys that a merchant may still need.
func (v vault) publish(now time.Time) (*ring, error) {
	at := taler.TimeAt(now)
	i := slices.IndexFunc(v.signing, func(k signingKey) bool { return k.live(at) })
	if i < 0 {
		return nil, errors.New("no signing key is live")
	}
	r := &ring{signing: v.signing[i].key, denoms: map[taler.DenomPub]*taler.DenomSecret{}, from: v.signing[i].start, until: v.signing[i].expire}
	list := taler.KeyList{Master: v.master.Public(), Issued: at}
	for _, k := range v.signing {
		public := taler.SigningKey{Start: k.start, Expire: k.expire, Key: k.key.Public()}
		public.Sign(v.master)
		list.SigningKeys = append(list.SigningKeys, public)
	}
	renew := int64(renewBefore / time.Millisecond)
	for _, d := range v.denoms {
		if d.deposit <= at {
			continue
		}
		free := taler.Amount{Currency: d.value.Currency}
		public := taler.Denomination{Pub: d.secret.Public().Pub(), Value: d.value, FeeWithdraw: free, FeeDeposit: free, FeeRefresh: free,
			Start: d.start, ExpireWithdraw: d.withdraw, ExpireDeposit: d.deposit}
		public.Sign(v.master)
		list.Denoms = append(list.Denoms, public)
		r.denoms[public.Pub] = d.secret
		if public.Withdrawable(at) {
			r.from = max(r.from, d.start)
			if soon := d.withdraw - taler.Time(renew); soon > at {
				r.until = min(r.until, soon)
			}
		}
	}
	list.Sign(r.signing)
	var err error
	if r.keys, err = taler.NewKeys(list, list.Master, now); err != nil {
		return nil, err
	}
	r.text, err = r.keys.Encode()
	return r, err
}

// storedVault is the JSON of a vault; []byte is base64.
type storedVault struct {
	Master  []byte
	Signing []struct {
		Seed          []byte
		Start, Expire taler.Time
	}
	Denoms []struct {
		Key                      []byte // PKCS #8
		Value                    uint64 // millionths
		Start, Withdraw, Deposit taler.Time
	}
}

// load reads the vault, or stores a new master key.
func (m *Mint) load(ctx context.Context) error {
	var sealed []byte
	err := m.o.Store.Read(ctx, func(tx *server.Tx) (err error) {
		sealed, err = tx.Settings.Get(settingKeys)
		return err
	})
	if errors.Is(err, server.ErrNotFound) {
		if m.vault.master, err = taler.NewPrivateKey(m.o.Random); err != nil {
			return err
		}
		return m.save(ctx, m.vault)
	}
	if err != nil {
		return fmt.Errorf("read keys: %w", err)
	}
	text, err := m.sealer.Unseal(settingKeys, sealed)
	if err != nil {
		return err
	}
	defer clear(text)
	if m.vault, err = parseVault(text, m.o.Currency); err != nil {
		return fmt.Errorf("read keys: %w", err)
	}
	return nil
}

func parseVault(text []byte, currency protocol.Currency) (v vault, err error) {
	var s storedVault
	if err := json.Unmarshal(text, &s); err != nil {
		return v, errors.New("the sealed text is not understood")
	}
	if v.master, err = privateKey(s.Master); err != nil {
		return v, err
	}
	for _, k := range s.Signing {
		key, err := privateKey(k.Seed)
		if err != nil {
			return v, err
		}
		v.signing = append(v.signing, signingKey{key, k.Start, k.Expire})
	}
	for _, stored := range s.Denoms {
		d := denomination{start: stored.Start, withdraw: stored.Withdraw, deposit: stored.Deposit}
		parsed, err := x509.ParsePKCS8PrivateKey(stored.Key)
		if err != nil {
			return v, errors.New("a denomination's key is not understood")
		}
		private, isRSA := parsed.(*rsa.PrivateKey)
		if !isRSA {
			return v, errors.New("a denomination's key is not of RSA")
		}
		d.private = private
		if d.secret, err = taler.NewDenomSecret(private); err != nil {
			return v, err
		}
		if d.value, err = taler.NewAmount(currency, stored.Value); err != nil {
			return v, err
		}
		v.denoms = append(v.denoms, d)
	}
	return v, nil
}

func privateKey(seed []byte) (taler.PrivateKey, error) {
	if len(seed) != 32 {
		return taler.PrivateKey{}, errors.New("a key has not 32 bytes")
	}
	return taler.PrivateKeyFromSeed([32]byte(seed)), nil
}

func (m *Mint) save(ctx context.Context, v vault) error {
	var s storedVault
	master := v.master.Reveal()
	s.Master = master[:]
	for _, k := range v.signing {
		seed := k.key.Reveal()
		s.Signing = append(s.Signing, struct {
			Seed          []byte
			Start, Expire taler.Time
		}{seed[:], k.start, k.expire})
	}
	for _, d := range v.denoms {
		key, err := x509.MarshalPKCS8PrivateKey(d.private)
		if err != nil {
			return errors.New("store keys: a denomination's key has no PKCS #8 form")
		}
		s.Denoms = append(s.Denoms, struct {
			Key                      []byte
			Value                    uint64
			Start, Withdraw, Deposit taler.Time
		}{key, d.value.Micro(), d.start, d.withdraw, d.deposit})
	}
	text, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("store keys: %w", err)
	}
	defer clear(text)
	sealed, err := m.sealer.Seal(settingKeys, text)
	if err != nil {
		return err
	}
	if err := m.o.Store.Write(ctx, func(tx *server.Tx) error { return tx.Settings.Set(settingKeys, sealed) }); err != nil {
		return fmt.Errorf("store keys: %w", err)
	}
	return nil
}
