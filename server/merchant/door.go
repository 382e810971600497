package merchant

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"till/protocol/taler"
	"till/server"
)

// How long a connection may take.
const (
	headerTime = 10 * time.Second
	readTime   = 20 * time.Second
	writeTime  = 60 * time.Second // a mint may be waited for meanwhile
	idleTime   = time.Minute
	maxHeader  = 16 << 10 // bytes of a request's head
)

// Shop is the merchant whose customers come in ([server.Server]).
type Shop interface {
	Contract(ctx context.Context, q *taler.ContractRequest) ([]byte, error)
	Deposit(ctx context.Context, ps taler.Permissions) (*server.DepositAnswer, error)
	Offer(ctx context.Context, q *taler.OfferRequest) (*taler.Offer, error)
	Lock(ctx context.Context, l *taler.Lock) (*server.DepositAnswer, error)
}

// Options are what a [Door] stands on; all are needed.
type Options struct {
	Shop  Shop
	Clock func() time.Time
	Log   *slog.Logger
}

// Door is the http.Handler of the customers' listener.
type Door struct {
	o      Options
	mux    *http.ServeMux
	limits *limits
}

// New makes a door.
func New(o Options) (*Door, error) {
	if o.Shop == nil || o.Clock == nil || o.Log == nil {
		return nil, errors.New("make merchant's door: shop, clock and log are needed")
	}
	d := &Door{o: o, mux: http.NewServeMux(), limits: newLimits()}
	for _, r := range d.routes() {
		d.mux.Handle(r.path, taler.Methods(r.serve, r.methods...))
	}
	d.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		d.refuse(w, r, &taler.Error{Status: http.StatusNotFound, Parameter: "path", Reason: "there is nothing here"})
	})
	return d, nil
}

// route is one path with its methods.
type route struct {
	path    string
	methods []string
	serve   http.HandlerFunc
}

func (d *Door) routes() []route {
	return []route{
		{"/contract", []string{http.MethodGet, http.MethodPost}, d.contract},
		{"/deposit", []string{http.MethodPost, http.MethodGet}, d.deposit},
		{"/offer", []string{http.MethodPost}, d.offer},
		{"/lock", []string{http.MethodPost}, d.lock},
		{"/openapi.json", []string{http.MethodGet}, d.openapi},
	}
}

// Serve answers on the listener until ctx ends; requests under way get up to grace.
func (d *Door) Serve(ctx context.Context, l net.Listener, grace time.Duration) error {
	s := &http.Server{
		Handler: d, ReadHeaderTimeout: headerTime, ReadTimeout: readTime, WriteTimeout: writeTime, IdleTimeout: idleTime,
		MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(d.o.Log.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve customers: %w", err)
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err := s.Shutdown(last)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.Close()
	}
	<-ended
	return err
}

// ServeHTTP counts the caller's requests and serves one.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if wait := d.limits.wait(r.RemoteAddr, d.o.Clock()); wait > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(int(wait/time.Second)+1))
		d.refuse(w, r, &taler.Error{Status: http.StatusTooManyRequests, Parameter: "body", Reason: "too many requests; come again later"})
		return
	}
	d.mux.ServeHTTP(w, r)
}

func (d *Door) contract(w http.ResponseWriter, r *http.Request) {
	q, err := d.contractRequest(w, r)
	if err != nil {
		d.refuse(w, r, err)
		return
	}
	text, err := d.o.Shop.Contract(r.Context(), q)
	if err != nil {
		d.refuse(w, r, err)
		return
	}
	d.wrote(r, taler.WriteJSON(w, http.StatusOK, text))
}

func (d *Door) contractRequest(w http.ResponseWriter, r *http.Request) (*taler.ContractRequest, error) {
	if r.Method == http.MethodGet {
		return taler.ContractQuery(r.URL.RawQuery)
	}
	q := new(taler.ContractRequest)
	return q, d.read(w, r, q)
}

// read reads a JSON body; a query beside it is not understood.
func (d *Door) read(w http.ResponseWriter, r *http.Request, m taler.Message) error {
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	return taler.Decode(body, m)
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.URL.RawQuery != "" {
		return nil, &taler.Error{Status: http.StatusBadRequest, Parameter: "query", Reason: "parameters stand in the body"}
	}
	body, err := taler.ReadBody(w, r)
	if e := new(taler.Error); err != nil && !errors.As(err, &e) {
		err = &taler.Error{Status: http.StatusBadRequest, Parameter: "body", Reason: "it could not be read"}
	}
	return body, err
}

func (d *Door) deposit(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(w, r)
	if err != nil {
		d.refuse(w, r, err)
		return
	}
	ps, err := taler.ParsePermissions(body)
	if err != nil {
		d.refuse(w, r, err)
		return
	}
	a, err := d.o.Shop.Deposit(r.Context(), ps)
	if err != nil {
		d.refuse(w, r, err)
		return
	}
	d.wrote(r, taler.WriteJSON(w, a.Status, a.Body))
}

func (d *Door) offer(w http.ResponseWriter, r *http.Request) {
	q := new(taler.OfferRequest)
	err := d.read(w, r, q)
	var o *taler.Offer
	if err == nil {
		o, err = d.o.Shop.Offer(r.Context(), q)
	}
	if err != nil {
		d.refuse(w, r, err)
		return
	}
	d.wrote(r, taler.WriteMessage(w, http.StatusOK, o))
}

func (d *Door) lock(w http.ResponseWriter, r *http.Request) {
	l := new(taler.Lock)
	err := d.read(w, r, l)
	var a *server.DepositAnswer
	if err == nil {
		a, err = d.o.Shop.Lock(r.Context(), l)
	}
	if err != nil {
		d.refuse(w, r, err)
		return
	}
	d.wrote(r, taler.WriteJSON(w, a.Status, a.Body))
}

// refuse writes what is wrong with a request; what is wrong here goes to the log.
func (d *Door) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var e *taler.Error
	if !errors.As(err, &e) {
		if r.Context().Err() != nil {
			return // the customer has left
		}
		d.o.Log.ErrorContext(r.Context(), "customer not served", "path", r.URL.Path, "error", err)
		e = &taler.Error{Status: http.StatusInternalServerError, Parameter: "body", Reason: "the shop's server failed; ask the same again"}
	}
	if e.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "2")
	}
	d.wrote(r, taler.WriteMessage(w, e.Status, e))
}

func (d *Door) wrote(r *http.Request, err error) {
	if err != nil {
		d.o.Log.DebugContext(r.Context(), "answer not written", "path", r.URL.Path, "error", err)
	}
}
