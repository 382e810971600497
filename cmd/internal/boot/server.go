package boot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"till/cmd/internal/config"
	"till/protocol"
	"till/server"
	"till/server/mint"
	"till/server/rpc"
)

// grace is how long requests under way may take after a stop; a clean end must
// come within 5 s.
const grace = 3 * time.Second

// Listen says where a server listens, HOST:PORT each; "" is nowhere, port 0 any.
type Listen struct {
	RPC, Merchant, Metrics, Control, Mint string
	// Inherited are listeners that are open already, by name; the address of such
	// a one says nothing.
	Inherited map[string]net.Listener
}

// ServerOptions are what a server is made of. Whoever opens one holds the lock
// of Dir.
type ServerOptions struct {
	Dir        string
	Config     *config.Config
	Sources    config.Sources // what Config was loaded from; pushed configurations go over it
	Practice   bool           // practice chain, practice shop
	Clock      *Clock
	Random     io.Reader
	Log        *slog.Logger
	Passphrase protocol.Secret // of the hot wallet; empty: wallet.passphrase_file
	Listen     Listen
	Line       *Line // to the terminal of the same process, nil without one
}

// Server is a merchant's server in this process.
type Server struct {
	core  *server.Server
	door  *rpc.Door
	o     ServerOptions
	shop  *shop
	world *World     // practice only
	mint  *mint.Mint // practice only
	// mintURL is where the mint is found, and inner what is reached in memory alone.
	mintURL  string
	inner    map[string]*Line
	customer *http.Transport
	tasks    []func(context.Context) error
	closer   []func() error
	at       Addresses

	setting sync.Mutex      // guards o.Sources
	taken   *config.Config  // last reloaded, nil before
	named   server.Settings // with the hosts that follow from the listener
	pace    pace
}

// OpenServer opens the data and binds the listeners; [Server.Run] serves them.
func OpenServer(ctx context.Context, o ServerOptions) (*Server, error) {
	if o.Practice {
		o.Config = practiceConfig(*o.Config)
	}
	s := &Server{o: o, inner: map[string]*Line{}}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Server) open(ctx context.Context) error {
	o := s.o
	rules, err := settings(o.Config)
	if err != nil {
		return err
	}
	doors, err := s.bindDoors(&rules)
	if err != nil {
		return err
	}
	s.named = rules
	if s.shop, err = s.openShop(ctx); err != nil {
		return err
	}
	db, key, err := openStore(ctx, o)
	if err != nil {
		return err
	}
	s.closer = append(s.closer, db.Close)
	db.Observe(s.pace.commit)
	ecash, customers, err := s.openEcash(ctx, &rules)
	if err != nil {
		return err
	}
	couriers, err := openCouriers(o.Config, o.Practice, o.Clock)
	if err != nil {
		return err
	}
	s.core, err = server.New(ctx, server.Options{
		Store: db, Chain: s.shop.chain, Wallet: s.shop.wallet, Rates: s.shop.rates, Ecash: ecash, Couriers: couriers,
		Clock: o.Clock.Time, Random: o.Random, Log: o.Log, SealKey: key, Settings: rules,
		Pushed: s.pushed,
	})
	if err != nil {
		return fmt.Errorf("open server: %w", err)
	}
	if o.Practice {
		if err := furnish(ctx, db, s.core, s.shop, o); err != nil {
			return err
		}
		s.world = s.makeWorld(s.shop)
	}
	s.door, err = rpc.New(rpc.Options{Server: s.core, Clock: o.Clock.Time, Random: o.Random, Log: o.Log, Began: s.pace.call})
	if err != nil {
		return fmt.Errorf("open front door: %w", err)
	}
	s.tasks = append(s.tasks, s.core.Run)
	for _, l := range doors {
		s.tasks = append(s.tasks, func(ctx context.Context) error { return s.door.Serve(ctx, l, grace) })
	}
	if err := s.openMerchant(customers); err != nil {
		return err
	}
	return s.listen()
}

// bindDoors binds where terminals call, before the rules are set: without a
// configured host, pairing links name what is really listened on.
func (s *Server) bindDoors(rules *server.Settings) (doors []net.Listener, err error) {
	if s.o.Line != nil {
		doors = append(doors, s.o.Line)
		s.closer = append(s.closer, s.o.Line.Close)
	}
	if s.o.Listen.RPC == "" {
		return doors, nil
	}
	l, err := s.bind(s.o.Listen.RPC, &s.at.RPC)
	if err != nil {
		return nil, err
	}
	if len(s.o.Config.Server.PublicHost) == 0 {
		host, port, err := net.SplitHostPort(s.at.RPC)
		if err != nil {
			return nil, fmt.Errorf("listen: %w", err)
		}
		if net.ParseIP(host).IsUnspecified() {
			if host, err = os.Hostname(); err != nil {
				return nil, fmt.Errorf("name this machine: %w", err)
			}
		}
		rules.PublicHost = net.JoinHostPort(host, port)
		rules.Hosts = append(rules.Hosts, host)
	}
	return append(doors, l), nil
}

// listen binds what else was asked for.
func (s *Server) listen() error {
	if s.o.Listen.Control != "" && s.o.Practice {
		l, err := s.bind(s.o.Listen.Control, &s.at.Control)
		if err != nil {
			return err
		}
		s.tasks = append(s.tasks, serveHTTP(l, s.world.Handler(), s.o.Log))
	}
	if s.o.Listen.Metrics != "" {
		l, err := s.bind(s.o.Listen.Metrics, &s.at.Metrics)
		if err != nil {
			return err
		}
		s.tasks = append(s.tasks, serveHTTP(l, s.metricsHandler(), s.o.Log))
	}
	l, err := listenAdmin(s.o.Dir)
	if err != nil {
		return err
	}
	s.closer = append(s.closer, l.Close)
	s.tasks = append(s.tasks, serveHTTP(l, adminHandler(s.core), s.o.Log))
	return nil
}

func (s *Server) bind(address string, at *string) (net.Listener, error) {
	handed := map[*string]string{&s.at.RPC: socketRPC, &s.at.Merchant: socketMerchant, &s.at.Metrics: socketMetrics}
	l := s.o.Listen.Inherited[handed[at]]
	if l == nil {
		var err error
		if l, err = net.Listen("tcp", address); err != nil {
			return nil, fmt.Errorf("listen: %w", err)
		}
	}
	s.closer = append(s.closer, l.Close)
	*at = l.Addr().String()
	return l, nil
}

// serveHTTP serves a handler until ctx ends.
func serveHTTP(l net.Listener, h http.Handler, log *slog.Logger) func(context.Context) error {
	return func(ctx context.Context) error {
		srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
			MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
		stop := context.AfterFunc(ctx, func() {
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
			defer cancel()
			if srv.Shutdown(last) != nil {
				_ = srv.Close()
			}
		})
		defer stop()
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve %s: %w", l.Addr(), err)
		}
		return nil
	}
}

// Addresses tells where the server listens.
func (s *Server) Addresses() Addresses { return s.at }

// World is the practice world, nil otherwise.
func (s *Server) World() *World { return s.world }

// Run serves until ctx ends or something that must run has failed.
func (s *Server) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ended := make(chan error, len(s.tasks))
	for _, task := range s.tasks {
		go func() {
			err := task(ctx)
			if err != nil && ctx.Err() == nil {
				cancel(err)
			}
			ended <- err
		}()
	}
	var failed error
	for range s.tasks {
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) && failed == nil {
			failed = err
			cancel(err)
		}
	}
	return failed
}

// Close releases everything, in the reverse order of opening.
func (s *Server) Close() error {
	var errs []error
	for i := len(s.closer) - 1; i >= 0; i-- {
		if err := s.closer[i](); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	s.closer = nil
	return errors.Join(errs...)
}
