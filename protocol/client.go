package protocol

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Errors of a [Client] beside the [Error] of a call.
var (
	// ErrUnreachable: no answer came, or none that can be understood. Whether the
	// call was done is unknown: ask again, or repeat it with the same id.
	ErrUnreachable = errors.New("the server cannot be reached")
	// ErrNoCertificate: the server saw no client certificate; nothing was done.
	ErrNoCertificate = errors.New("this terminal showed no certificate; pair it with the server")
	// ErrRevoked: the server knows this terminal no more; nothing was done.
	ErrRevoked = errors.New("this terminal was revoked; pair it anew")
	// ErrPairingRefused: the link is used, lapsed, mistyped, or for another name.
	ErrPairingRefused = errors.New("the server refused the pairing; ask for a new link")
)

// HTTPError is an HTTP answer that is not one of the protocol's own, such as
// 404 of a foreign server. Nothing was done.
type HTTPError struct {
	Status  int
	Message string // the server's {"error":TEXT}, may be empty
}

func (e *HTTPError) Error() string {
	text := "the server answered " + strconv.Itoa(e.Status) + " " + http.StatusText(e.Status)
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

// OutcomeUnknown reports whether err leaves open if the call was done. Then
// nothing may be given up and nothing repeated under another id.
func OutcomeUnknown(err error) bool {
	if errors.Is(err, ErrUnreachable) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	var e *Error
	return errors.As(err, &e) && e.Retry == RetrySameID
}

// Bounds of the client.
const (
	callDeadline = 45 * time.Second // where the context has none: the longest wait and time for its answer
	maxCatalogue = 16 << 20         // bytes of a catalogue, unpacked
)

// Client speaks to one server. It is safe for concurrent use and keeps no state
// but the connections of its http.Client.
type Client struct {
	http  *http.Client
	base  string
	clock func() time.Time
	calls atomic.Int64
}

// NewClient makes a client of the server at base, "https://HOST:PORT". Redirects
// are not followed. clock gives the Date of requests.
func NewClient(base string, h *http.Client, clock func() time.Time) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("server address %q is not https://HOST:PORT", clip(base))
	}
	own := *h
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{http: &own, base: u.Scheme + "://" + u.Host, clock: clock}, nil
}

// CheckIn exchanges the two logs (terminal.md §4).
func (c *Client) CheckIn(ctx context.Context, p CheckIn) (r CheckInResult, err error) {
	err = c.Call(ctx, CallCheckIn, p, &r)
	return r, err
}

// GetAddress lists and fills up the addresses leased (§5).
func (c *Client) GetAddress(ctx context.Context, p GetAddress) (r GetAddressResult, err error) {
	err = c.Call(ctx, CallGetAddress, p, &r)
	return r, err
}

// QueryAddress asks what addresses hold (§6).
func (c *Client) QueryAddress(ctx context.Context, p QueryAddress) (r QueryAddressResult, err error) {
	err = c.Call(ctx, CallQueryAddress, p, &r)
	return r, err
}

// Sweep takes what keys hold (§7).
func (c *Client) Sweep(ctx context.Context, p Sweep) (r SweepResult, err error) {
	err = c.Call(ctx, CallSweep, p, &r)
	return r, err
}

// Dispense pays out (§8).
func (c *Client) Dispense(ctx context.Context, p Dispense) (r DispenseResult, err error) {
	err = c.Call(ctx, CallDispense, p, &r)
	return r, err
}

// QueryNonce asks for the outcome of a sweep or dispense (§9). An id that was
// never used is void from then on.
func (c *Client) QueryNonce(ctx context.Context, p QueryNonce) (r QueryNonceResult, err error) {
	err = c.Call(ctx, CallQueryNonce, p, &r)
	return r, err
}

// Call runs one call; result is a pointer, its unknown members are ignored. The
// error wraps the server's *[Error], or one of this file's.
func (c *Client) Call(ctx context.Context, method string, params, result any) error {
	call := []*BatchCall{{Method: method, Params: params, Result: result}}
	if err := c.send(ctx, call, false); err != nil {
		return fmt.Errorf("call %s: %w", method, err)
	}
	if err := call[0].Err; err != nil {
		return fmt.Errorf("call %s: %w", method, err)
	}
	return nil
}

// BatchCall is one call of a batch; Result is a pointer, Err what came of it.
type BatchCall struct {
	Method string
	Params any
	Result any
	Err    error
}

// Batch runs up to [MaxBatch] calls in order in one request. Its error is that
// of the request as a whole; each call has its own beside.
func (c *Client) Batch(ctx context.Context, calls []*BatchCall) error {
	if len(calls) == 0 || len(calls) > MaxBatch {
		return fmt.Errorf("batch of %d calls: 1 to %d are allowed", len(calls), MaxBatch)
	}
	if err := c.send(ctx, calls, true); err != nil {
		return fmt.Errorf("call batch: %w", err)
	}
	return nil
}

func (c *Client) send(ctx context.Context, calls []*BatchCall, batch bool) error {
	requests := make([]Request, len(calls))
	byID := make(map[string]*BatchCall, len(calls))
	for i, call := range calls {
		id := strconv.FormatInt(c.calls.Add(1), 10)
		requests[i] = Request{JSONRPC: version, ID: json.RawMessage(id), Method: call.Method}
		if call.Params != nil {
			params, err := Encode(call.Params)
			if err != nil {
				return err
			}
			defer clear(params)
			requests[i].Params = params
		}
		byID[id] = call
	}
	var whole any = requests
	if !batch {
		whole = requests[0]
	}
	body, err := Encode(whole)
	if err != nil {
		return err
	}
	defer clear(body)
	if len(body) > MaxRequest {
		return fmt.Errorf("the request of %d bytes is above %d", len(body), MaxRequest)
	}
	answer, err := c.post(ctx, "/rpc", body, MaxResponse)
	if err != nil {
		return err
	}
	return deliver(answer, byID, batch)
}

// deliver hands each answer to its call. An answer that is not understood
// leaves the outcome unknown.
func deliver(answer []byte, calls map[string]*BatchCall, batch bool) error {
	var responses []Response
	// A request that is refused as a whole gets one object, batch or not.
	if first := bytes.TrimLeft(answer, " \t\r\n"); batch && len(first) > 0 && first[0] == '[' {
		if err := DecodeResult(answer, &responses); err != nil {
			return fmt.Errorf("%w: answer not understood: %w", ErrUnreachable, err)
		}
	} else {
		responses = make([]Response, 1)
		if err := DecodeResult(answer, &responses[0]); err != nil {
			return fmt.Errorf("%w: answer not understood: %w", ErrUnreachable, err)
		}
	}
	for _, r := range responses {
		call := calls[string(r.ID)]
		switch {
		case call == nil && len(r.ID) == 0 && r.Error != nil, call == nil && string(r.ID) == "null" && r.Error != nil:
			return r.Error
		case r.JSONRPC != version || call == nil:
			return fmt.Errorf("%w: answer to something not asked", ErrUnreachable)
		case r.Error != nil:
			call.Err = r.Error
		default:
			if err := DecodeResult(r.Result, call.Result); err != nil {
				call.Err = fmt.Errorf("%w: result not understood: %w", ErrUnreachable, err)
			}
		}
		delete(calls, string(r.ID))
	}
	for _, call := range calls {
		call.Err = fmt.Errorf("%w: the answer leaves this call out", ErrUnreachable)
	}
	return nil
}

// Enroll makes a terminal of this machine (§2); [ErrPairingRefused] when the
// server will not. Check the server's CA before.
func (c *Client) Enroll(ctx context.Context, p Enroll) (r EnrollResult, err error) {
	err = c.postJSON(ctx, "/enroll", p, &r)
	var plain *HTTPError
	if errors.Is(err, ErrRevoked) || errors.As(err, &plain) && plain.Status == http.StatusForbidden {
		err = ErrPairingRefused
	}
	if err != nil {
		return r, fmt.Errorf("enroll: %w", err)
	}
	return r, nil
}

// Renew asks for a certificate that follows the present one (§2).
func (c *Client) Renew(ctx context.Context, p Renew) (r RenewResult, err error) {
	if err := c.postJSON(ctx, "/renew", p, &r); err != nil {
		return r, fmt.Errorf("renew certificate: %w", err)
	}
	return r, nil
}

// Catalogue fetches the goods of a version (§2).
func (c *Client) Catalogue(ctx context.Context, wanted int64) (r Catalogue, err error) {
	answer, err := c.do(ctx, http.MethodGet, "/catalogue?version="+strconv.FormatInt(wanted, 10), nil, maxCatalogue)
	if err == nil {
		err = decodeAnswer(answer, &r)
	}
	if err != nil {
		return r, fmt.Errorf("fetch catalogue %d: %w", wanted, err)
	}
	return r, nil
}

func (c *Client) postJSON(ctx context.Context, path string, params, result any) error {
	body, err := Encode(params)
	if err != nil {
		return err
	}
	answer, err := c.post(ctx, path, body, MaxResponse)
	if err != nil {
		return err
	}
	return decodeAnswer(answer, result)
}

func decodeAnswer(answer []byte, result any) error {
	if err := DecodeResult(answer, result); err != nil {
		return fmt.Errorf("%w: answer not understood: %w", ErrUnreachable, err)
	}
	return nil
}

func (c *Client) post(ctx context.Context, path string, body []byte, most int64) ([]byte, error) {
	return c.do(ctx, http.MethodPost, path, body, most)
}

// do runs one HTTP exchange and gives the body of a 200 of at most so many bytes.
func (c *Client) do(ctx context.Context, method, path string, body []byte, most int64) ([]byte, error) {
	if _, set := ctx.Deadline(); !set {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, callDeadline)
		defer cancel()
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, nil)
	if err != nil {
		return nil, err
	}
	if body != nil {
		request.Body, request.ContentLength = newWipedBody(body), int64(len(body))
		request.GetBody = func() (io.ReadCloser, error) { return newWipedBody(body), nil }
		request.Header.Set("Content-Type", "application/json")
	}
	request.Header.Set("Date", c.clock().UTC().Format(http.TimeFormat))
	response, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, most+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: read answer: %w", ErrUnreachable, err)
	case int64(len(text)) > most:
		return nil, fmt.Errorf("%w: the answer is above %d bytes", ErrUnreachable, most)
	case response.StatusCode == http.StatusOK:
		return text, nil
	}
	return nil, refusal(response.StatusCode, text)
}

// wipedBody is a request body that may carry a secret. A transport may read it
// after the exchange has ended, so it is a copy that is wiped when it is closed.
type wipedBody struct {
	mu   sync.Mutex
	text []byte
	at   int
}

func newWipedBody(text []byte) *wipedBody { return &wipedBody{text: bytes.Clone(text)} }

func (b *wipedBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.at == len(b.text) {
		return 0, io.EOF
	}
	n := copy(p, b.text[b.at:])
	b.at += n
	return n, nil
}

func (b *wipedBody) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.text)
	b.text, b.at = nil, 0
	return nil
}

// refusal reads an answer below JSON-RPC: {"error":TEXT} or, of a suspended
// terminal, {"error":"terminal_suspended","reason":WORD,"message":SENTENCE}.
func refusal(status int, text []byte) error {
	var body struct {
		Error   string `json:"error"`
		Reason  string `json:"reason"`
		Message string `json:"message"`
	}
	if err := DecodeResult(text, &body); err != nil {
		body.Error = "" // a proxy's page; the status says enough
	}
	switch {
	case status >= 500:
		return fmt.Errorf("%w: %w", ErrUnreachable, &HTTPError{status, clip(body.Error)})
	case status == http.StatusUnauthorized:
		return ErrNoCertificate
	case status == http.StatusTooManyRequests:
		return &Error{Code: CodeTooManyRequests, Retry: RetryLater}
	case status == http.StatusForbidden && body.Error == string(CodeTerminalSuspended):
		return &Error{Code: CodeTerminalSuspended, Message: body.Message, Retry: RetryLater}
	case status == http.StatusForbidden:
		return ErrRevoked
	}
	return &HTTPError{status, clip(body.Error)}
}
