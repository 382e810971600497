package taler

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// ErrUnknownOutcome is the cause of every call whose effect is not known: a timeout, a
// broken connection, 202, 429 or 5xx. Nothing may be released or repeated with other
// coins; the identical call may be made again.
var ErrUnknownOutcome = errors.New("outcome unknown")

// PendingError is an [ErrUnknownOutcome] of a mint that did answer: not now.
type PendingError struct {
	Status int           // 202, 429 or 5xx
	Retry  time.Duration // how long to wait, 0 when the mint does not say
}

// Error gives the status.
func (e *PendingError) Error() string {
	return fmt.Sprintf("%v: the mint answered %d", ErrUnknownOutcome, e.Status)
}

// Unwrap gives [ErrUnknownOutcome].
func (e *PendingError) Unwrap() error { return ErrUnknownOutcome }

// RefusedError is a mint's no whose proof was verified (§7): the coin is spent or
// locked elsewhere. Body is the mint's answer, to be handed on as it is.
type RefusedError struct {
	Coin   PublicKey
	Locked bool // held for something else: it may be good again later
	Body   []byte
}

// Error names the coin.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("the mint proves that coin %s is spent or locked", e.Coin)
}

// MintClient talks to one mint (§6) and believes nothing that is not proven. Its
// calls end with one of:
//
//   - nil: done, and the confirmation verified.
//   - [*RefusedError]: no, with a verified proof. Final.
//   - [*Error]: no, and the question needs no proof (withdrawing, unlocking).
//   - [ErrMintFault]: answered, but not verifiable. Keep what is stored, tell somebody.
//   - [ErrUnknownOutcome]: ask the same again later.
//
// It may be used by several goroutines.
type MintClient struct {
	base    string
	master  PublicKey
	http    http.Client
	now     func() time.Time
	timeout time.Duration

	fetching chan struct{} // holds one token: the right to use keys and fetched
	keys     *Keys
	fetched  time.Time
}

// refreshEvery is how often an unknown denomination may make the client fetch the
// keys anew (§3).
const refreshEvery = time.Minute

// NewMintClient takes the mint's base URL, its pinned master key, an HTTP client whose
// transport is used (redirects are never followed), the clock, and the time that one
// exchange may take.
func NewMintClient(base string, master PublicKey, client *http.Client, now func() time.Time, timeout time.Duration) (*MintClient, error) {
	if !isWeb(base) {
		return nil, fmt.Errorf("%q is no http or https URL of a mint", clip(base))
	}
	if !master.Valid() {
		return nil, fmt.Errorf("%s is no master key", master)
	}
	if timeout <= 0 {
		return nil, fmt.Errorf("a mint cannot answer within %s", timeout)
	}
	c := &MintClient{
		base: strings.TrimSuffix(base, "/"), master: master, now: now, timeout: timeout,
		http: *client, fetching: make(chan struct{}, 1),
	}
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c, nil
}

// Keys gives the mint's key list, fetched and checked once, then kept.
func (c *MintClient) Keys(ctx context.Context) (*Keys, error) {
	return c.keysIf(ctx, func() bool { return c.keys == nil })
}

// Refresh fetches the list anew, once a minute at most; between, it gives the one it
// has. Call it when a denomination is unknown.
func (c *MintClient) Refresh(ctx context.Context) (*Keys, error) {
	return c.keysIf(ctx, func() bool { return c.keys == nil || c.now().Sub(c.fetched) >= refreshEvery })
}

// keysIf fetches the list when it is due, one caller at a time.
func (c *MintClient) keysIf(ctx context.Context, due func() bool) (*Keys, error) {
	select {
	case c.fetching <- struct{}{}:
		defer func() { <-c.fetching }()
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: wait for keys: %w", ErrUnknownOutcome, ctx.Err())
	}
	if !due() {
		return c.keys, nil
	}
	c.fetched = c.now()
	a, err := c.call(ctx, http.MethodGet, "/keys", nil)
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK {
		return nil, fault("keys: %w", a.refusal())
	}
	keys, err := ParseKeys(a.body, c.master, c.now())
	if err != nil {
		return nil, err
	}
	c.keys = keys
	return keys, nil
}

// judge calls believe with the keys at hand, and once more with new ones before an
// answer is called a fault (§7).
func (c *MintClient) judge(ctx context.Context, keys *Keys, believe func(*Keys) error) error {
	first := believe(keys)
	if !errors.Is(first, ErrMintFault) {
		return first
	}
	newer, err := c.keysIf(ctx, func() bool { return true })
	if err != nil { // whether the answer holds is open until the keys come
		return fmt.Errorf("judge an answer (%v): %w", first, err)
	}
	return believe(newer)
}

// Deposit deposits permissions, all or none. Before sending it checks that the account
// is the permissions' and that the mint's keys are at hand.
func (c *MintClient) Deposit(ctx context.Context, r *DepositRequest) (*DepositAnswer, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	keys, a, err := c.ask(ctx, "/deposit", r)
	if err != nil {
		return nil, err
	}
	switch a.status {
	case http.StatusOK:
		answer := new(DepositAnswer)
		if err := a.decode(answer); err != nil {
			return nil, err
		}
		err := c.judge(ctx, keys, func(k *Keys) error { return k.VerifyDeposit(answer, r.Permissions) })
		if err != nil {
			return nil, err
		}
		return answer, nil
	case http.StatusForbidden:
		return nil, c.judge(ctx, keys, func(k *Keys) error { return c.refusedDeposit(k, a, r.Permissions) })
	}
	return nil, fault("deposit: %w", a.refusal())
}

// refusedDeposit looks for the coin that the proof is about.
func (c *MintClient) refusedDeposit(k *Keys, a *answer, ps Permissions) error {
	var proof Proof
	if err := a.decode(&proof); err != nil {
		return err
	}
	var first error
	for i := range ps {
		d, ok := k.Denomination(ps[i].Denom)
		if !ok {
			return fault("the denomination of coin %s is not in the keys", ps[i].Coin)
		}
		err := proof.VerifyDeposit(&ps[i], d.Value, c.now())
		if err == nil {
			return &RefusedError{ps[i].Coin, proof.Status == StatusLocked, a.body}
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// Lock locks a coin.
func (c *MintClient) Lock(ctx context.Context, l *Lock) (*LockAnswer, error) {
	keys, a, err := c.ask(ctx, "/lock", l)
	if err != nil {
		return nil, err
	}
	switch a.status {
	case http.StatusOK:
		answer := new(LockAnswer)
		if err := a.decode(answer); err != nil {
			return nil, err
		}
		err := c.judge(ctx, keys, func(k *Keys) error { return k.VerifyLock(answer, l) })
		if err != nil {
			return nil, err
		}
		return answer, nil
	case http.StatusForbidden:
		return nil, c.judge(ctx, keys, func(k *Keys) error {
			var proof Proof
			if err := a.decode(&proof); err != nil {
				return err
			}
			d, ok := k.Denomination(l.Denom)
			if !ok {
				return fault("the denomination of coin %s is not in the keys", l.Coin)
			}
			if err := proof.VerifyLock(l, d.Value, c.now()); err != nil {
				return err
			}
			return &RefusedError{l.Coin, proof.Status == StatusLocked, a.body}
		})
	}
	return nil, fault("lock: %w", a.refusal())
}

// Unlock releases a coin that this merchant locked; also when nothing is locked any
// more. Another merchant's lock is an [*Error] of status 403.
func (c *MintClient) Unlock(ctx context.Context, u *Unlock) error {
	a, err := c.send(ctx, "/unlock", u)
	if err != nil {
		return err
	}
	if a.status != http.StatusOK {
		return a.refusal()
	}
	return a.decode(new(UnlockAnswer))
}

// Withdraw asks for a coin. The number it gives is the mint's claim: [Planchet.Coin]
// verifies it. An [*Error] has status 401, 402 or 404 (§6).
func (c *MintClient) Withdraw(ctx context.Context, w *Withdrawal) (Blob, error) {
	a, err := c.send(ctx, "/withdraw/sign", w)
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK {
		return nil, a.refusal()
	}
	var signed WithdrawAnswer
	if err := a.decode(&signed); err != nil {
		return nil, err
	}
	return signed.EvSig, nil
}

// Reserve asks what a reserve holds. An unknown reserve is an [*Error] of status 404.
func (c *MintClient) Reserve(ctx context.Context, reserve PublicKey) (*ReserveStatus, error) {
	a, err := c.call(ctx, http.MethodGet, "/withdraw/status?reserve_pub="+url.QueryEscape(reserve.String()), nil)
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK {
		return nil, a.refusal()
	}
	status := new(ReserveStatus)
	return status, a.decode(status)
}

// ask sends a request whose answer needs the keys, which are fetched before it.
func (c *MintClient) ask(ctx context.Context, path string, m Message) (*Keys, *answer, error) {
	keys, err := c.Keys(ctx)
	if err != nil {
		return nil, nil, err
	}
	a, err := c.send(ctx, path, m)
	return keys, a, err
}

func (c *MintClient) send(ctx context.Context, path string, m Message) (*answer, error) {
	body, err := Encode(m)
	if err != nil {
		return nil, err
	}
	return c.call(ctx, http.MethodPost, path, body)
}

// answer is a status below 500 that is neither 202 nor 429, with its body.
type answer struct {
	path   string
	status int
	body   []byte
}

// decode reads the body. The error wraps [ErrMintFault].
func (a *answer) decode(m Message) error {
	if err := DecodeAnswer(a.body, m); err != nil {
		return fault("%s answered %d: %w", a.path, a.status, err)
	}
	return nil
}

// refusal gives the mint's words, as far as it uses the form of §3.
func (a *answer) refusal() *Error {
	e := &Error{Parameter: "body", Reason: "no reason given"}
	if DecodeAnswer(a.body, e) != nil {
		e = &Error{Parameter: "body", Reason: http.StatusText(a.status)}
	}
	e.Status = a.status
	return e
}

// call makes one exchange within the client's time.
func (c *MintClient) call(ctx context.Context, method, path string, body []byte) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make request %s: %w", path, err)
	}
	if body != nil {
		req.Header.Set("Content-Type", contentType)
	}
	req.Header.Set("Accept", contentType)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnknownOutcome, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, MaxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("%w: read the answer to %s: %w", ErrUnknownOutcome, path, err)
	}
	switch s := resp.StatusCode; {
	case s == http.StatusAccepted, s == http.StatusTooManyRequests, s >= http.StatusInternalServerError:
		return nil, &PendingError{s, retryAfter(resp.Header, text)}
	case len(text) > MaxAnswer:
		return nil, fault("%s answered more than %d bytes", path, MaxAnswer)
	}
	return &answer{path, resp.StatusCode, text}, nil
}

// retryAfter reads how long to wait: "retry" of a 202, or the header in seconds.
func retryAfter(h http.Header, body []byte) time.Duration {
	const longest = time.Hour
	var queued Queued
	wait := time.Duration(0)
	if DecodeAnswer(body, &queued) == nil {
		wait = time.Duration(min(queued.Retry, longest.Milliseconds())) * time.Millisecond
	} else if seconds, err := strconv.Atoi(h.Get("Retry-After")); err == nil {
		wait = time.Duration(max(0, min(seconds, int(longest.Seconds())))) * time.Second
	}
	return wait
}
