package crowd

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"till/protocol"
)

// Times of a terminal (terminal.md §4).
const (
	answerTime   = 40 * time.Second // for an answer, beyond the wait
	firstBackOff = time.Second
	lastBackOff  = time.Minute
	tooSoon      = time.Second // a held check-in that came back empty before this is no hold
)

// Terminal is one simulated terminal. It is used by one goroutine at a time.
type Terminal struct {
	who       Identity
	c         *Crowd
	client    *protocol.Client
	transport *http.Transport
	last      protocol.Entry   // of the journal; Seq 0 none
	stored    int64            // what the server said to have of it
	queue     []protocol.Entry // what it may not have
	config    *protocol.Config
	quote     *protocol.Quote
	addresses []string
	statuses  map[protocol.SaleID]protocol.SaleStatus // of the sale under way
	failures  int
}

func (c *Crowd) newTerminal(who Identity) (*Terminal, error) {
	key, err := x509.ParseECPrivateKey(who.Key)
	if err != nil {
		return nil, fmt.Errorf("read key of %s: %w", who.Name, err)
	}
	ca, err := x509.ParseCertificate(who.CA)
	if err != nil {
		return nil, fmt.Errorf("read CA of %s: %w", who.Name, err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	host, _, err := net.SplitHostPort(who.Host)
	if err != nil {
		return nil, fmt.Errorf("read host of %s: %w", who.Name, err)
	}
	t := &Terminal{who: who, c: c, stored: who.Head.Seq, statuses: map[protocol.SaleID]protocol.SaleStatus{},
		last: protocol.Entry{Seq: who.Head.Seq, At: who.Head.At, Hash: who.Head.Hash}}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(c.o.HTTP1)
	protocols.SetHTTP2(!c.o.HTTP1)
	t.transport = &http.Transport{
		DialContext: c.o.Dial, TLSHandshakeTimeout: answerTime, Protocols: protocols,
		MaxIdleConns: 1, ReadBufferSize: 2 << 10, WriteBufferSize: 2 << 10,
		TLSClientConfig: &tls.Config{
			MinVersion: tls.VersionTLS13, RootCAs: roots, ServerName: host, ClientSessionCache: tls.NewLRUClientSessionCache(1),
			Certificates: []tls.Certificate{{Certificate: [][]byte{who.Certificate}, PrivateKey: key}},
		},
	}
	t.client, err = protocol.NewClient("https://"+who.Host, &http.Client{Transport: t.transport}, c.o.Now)
	return t, err
}

// Head is the end of the journal, which the server must have once all is sent.
func (t *Terminal) Head() Head { return Head{t.last.Seq, t.last.At, t.last.Hash} }

// Identity is the terminal as it stands, to be used again; false while the server
// may not have its whole journal.
func (t *Terminal) Identity() (Identity, bool) {
	who := t.who
	who.Head = t.Head()
	return who, len(t.queue) == 0
}

// note appends an entry.
func (t *Terminal) note(kind protocol.EntryKind, body any) error {
	var prev *protocol.Entry
	if t.last.Seq > 0 {
		prev = &t.last
	}
	e, err := protocol.NewEntry(prev, protocol.TimeOf(t.c.o.Now()), kind, body)
	if err != nil {
		return err
	}
	t.last = *e
	t.queue = append(t.queue, *e)
	return nil
}

// checkIn exchanges the logs once and checks what comes.
func (t *Terminal) checkIn(ctx context.Context, wait time.Duration) (*protocol.CheckInResult, error) {
	p := protocol.CheckIn{Software: "till-bench", Log: t.who.Log, Alert: t.who.Alert, Addresses: int64(len(t.addresses)),
		Wait: int64(wait / time.Second), Journal: t.queue[:min(len(t.queue), protocol.MaxEntries)]}
	if t.config != nil {
		p.Config = t.config.Version
	}
	limited, cancel := context.WithTimeout(ctx, wait+answerTime)
	defer cancel()
	began := t.c.o.Now()
	r, err := t.client.CheckIn(limited, p)
	if ctx.Err() != nil {
		return nil, ctx.Err() // given up by whoever asked
	}
	if err != nil {
		return nil, t.c.tally.fail(err)
	}
	took := t.c.o.Now().Sub(began)
	tally := t.c.tally
	switch {
	case len(p.Journal) > 0:
		tally.Stored.Add(took)
	case wait == 0:
		tally.CheckIn.Add(took)
	case took >= wait:
		tally.Held.Add(took - wait)
	}
	t.judgeJournal(p, r.Journal)
	t.take(&r)
	return &r, nil
}

// judgeJournal compares what the server says to have with what it was sent.
func (t *Terminal) judgeJournal(p protocol.CheckIn, has int64) {
	sent := t.stored
	if n := len(p.Journal); n > 0 {
		sent = p.Journal[n-1].Seq
	}
	switch {
	case has < t.stored:
		t.c.tally.breaks("%s: the server had %d entries and has %d", t.who.Name, t.stored, has)
	case has < sent || has > t.last.Seq:
		t.c.tally.breaks("%s: the server has %d entries after %d were sent", t.who.Name, has, sent)
	}
	t.stored = max(t.stored, has)
	for len(t.queue) > 0 && t.queue[0].Seq <= has {
		t.queue = t.queue[1:]
	}
	if len(t.queue) == 0 {
		t.queue = nil
	}
}

// take stores what an answer brings.
func (t *Terminal) take(r *protocol.CheckInResult) {
	if t.who.Log != r.Log {
		if t.who.Log != "" {
			t.c.tally.breaks("%s: the alert log changed", t.who.Name)
		}
		t.who.Log, t.who.Alert = r.Log, 0
	}
	for _, a := range r.Alerts {
		switch {
		case a.Kind == protocol.AlertSuspended:
			t.c.tally.breaks("%s: suspended", t.who.Name)
			continue
		case a.Seq != t.who.Alert+1:
			t.c.tally.breaks("%s: alert %d follows %d", t.who.Name, a.Seq, t.who.Alert)
		}
		t.who.Alert = a.Seq
		var s protocol.SaleStatus
		if a.Kind == protocol.AlertSale && protocol.DecodeResult(a.Body, &s) == nil {
			if _, mine := t.statuses[s.Sale]; mine {
				t.statuses[s.Sale] = s
			}
		}
	}
	if r.Config != nil {
		t.config = r.Config
	}
	t.quote = nil
	if len(r.Quotes) > 0 {
		t.quote = &r.Quotes[0]
	}
}

// insist checks in without waiting until it succeeds and nothing is left to send
// or to fetch; between failures it backs off as a terminal does.
func (t *Terminal) insist(ctx context.Context) (*protocol.CheckInResult, error) {
	for {
		r, err := t.checkIn(ctx, 0)
		if err == nil {
			t.recovered()
			if !r.More && len(t.queue) == 0 {
				return r, nil
			}
			continue
		}
		if err := t.backOff(ctx); err != nil {
			return nil, err
		}
	}
}

// backOff waits after a failure: exponential, 1 s to 60 s, a random half of it.
func (t *Terminal) backOff(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if t.failures++; t.failures == 1 {
		t.c.tally.wentOff()
	}
	t.transport.CloseIdleConnections() // a dead one must not carry the next try
	d := lastBackOff
	if t.failures <= 6 {
		d = min(firstBackOff<<(t.failures-1), lastBackOff)
	}
	return t.c.sleep(ctx, max(firstBackOff, d/2+t.c.upTo(d/2)))
}

func (t *Terminal) recovered() {
	if t.failures > 0 {
		t.failures = 0
		t.c.tally.cameBack()
	}
}

// lease fills up the addresses.
func (t *Terminal) lease(ctx context.Context, want int64) error {
	limited, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	began := t.c.o.Now()
	r, err := t.client.GetAddress(limited, protocol.GetAddress{Want: want, Held: t.addresses})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return t.c.tally.fail(err)
	}
	t.c.tally.Address.Add(t.c.o.Now().Sub(began))
	t.addresses = nil
	for _, a := range r.Addresses {
		t.addresses = append(t.addresses, a.Address)
	}
	if len(t.addresses) == 0 {
		return errShort
	}
	return nil
}

// errShort: the gap limit leaves no address.
var errShort = errors.New("no address is left")
