package boot

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"time"

	"till/cmd/internal/config"
	"till/protocol"
	"till/protocol/taler"
	"till/server"
	"till/server/merchant"
)

// mintPatience is how long one exchange with a mint may take.
const mintPatience = 10 * time.Second

// Where the practice shop's e-cash is found while nobody from outside is let in: its
// bills name these addresses, and nothing listens on them. See [Server.CustomerHTTP].
const (
	innerMerchant = "127.0.0.1:8480"
	innerMint     = "127.0.0.1:8495"
)

// openEcash opens the customers' door and gives what the server needs to take e-cash;
// nil where no mint is trusted. In practice the mint is this process's, unless the
// configuration names a till mint serve of this machine.
func (s *Server) openEcash(ctx context.Context, rules *server.Settings) (*server.Ecash, net.Listener, error) {
	c := s.o.Config.Ecash
	if !s.o.Practice && (s.o.Listen.Merchant == "" || len(c.Mints) == 0) {
		return nil, nil, nil
	}
	if s.o.Practice {
		// Mints of real money are none of practice's business.
		c.Mints = slices.DeleteFunc(slices.Clone(c.Mints), func(m config.Mint) bool { return !onThisMachine(m.URL) })
		if len(c.Mints) > 0 {
			s.mintURL = c.Mints[0].URL
		} else if err := s.openPracticeMint(ctx); err != nil {
			return nil, nil, err
		}
		s.customer = dialing(s.inner)
		s.closer = append(s.closer, func() error { s.customer.CloseIdleConnections(); return nil })
	}
	l, at, err := s.bindOrKeep(s.o.Listen.Merchant, &s.at.Merchant, innerMerchant)
	if err != nil {
		return nil, nil, err
	}
	if rules.MerchantURL = c.PublicURL; rules.MerchantURL == "" || s.at.Merchant == "" {
		if rules.MerchantURL, err = reachable(at); err != nil {
			return nil, nil, err
		}
	}
	e := &server.Ecash{}
	if e.MaxFee, err = s.o.Config.Money(c.MaxFee); err != nil {
		return nil, nil, fmt.Errorf("read ecash.max_fee: %w", err)
	}
	if e.LotteryBelow, err = s.o.Config.Money(c.LotteryBelow); err != nil {
		return nil, nil, fmt.Errorf("read ecash.lottery_below: %w", err)
	}
	if e.LotteryBelow != nil && e.LotteryBelow.Minor == 0 {
		e.LotteryBelow = nil
	}
	e.Account = taler.Wire{Type: taler.SEPA, IBAN: c.IBAN, BIC: c.BIC, Name: c.Holder}
	if s.o.Practice {
		e.Account = taler.Wire{Type: taler.Test, Bank: "practice", Account: "shop"}
	}
	if s.mint != nil {
		return e, l, s.trust(e, s.mintURL, s.mint.Master())
	}
	for _, m := range c.Mints {
		master, err := taler.ParsePublicKey(m.MasterPub)
		if err != nil {
			return nil, nil, fmt.Errorf("read ecash.mints: master_pub of %s: %w", m.URL, err)
		}
		if err := s.trust(e, m.URL, master); err != nil {
			return nil, nil, err
		}
	}
	return e, l, nil
}

// onThisMachine tells whether a URL leads to loopback.
func onThisMachine(text string) bool {
	u, err := url.Parse(text)
	return err == nil && net.ParseIP(u.Hostname()).IsLoopback()
}

// trust adds a mint.
func (s *Server) trust(e *server.Ecash, url string, master taler.PublicKey) error {
	transport := dialing(s.inner)
	client, err := taler.NewMintClient(url, master, &http.Client{Transport: transport}, s.o.Clock.Now, mintPatience)
	if err != nil {
		return fmt.Errorf("read ecash.mints: %w", err)
	}
	s.closer = append(s.closer, func() error { transport.CloseIdleConnections(); return nil })
	e.Mints = append(e.Mints, server.TrustedMint{URL: url, Master: master, Client: client})
	return nil
}

// bindOrKeep binds a listener where one is asked for, else keeps one in memory that is
// found under an address of its own. It gives the address.
func (s *Server) bindOrKeep(asked string, at *string, inner string) (net.Listener, string, error) {
	if asked != "" {
		l, err := s.bind(asked, at)
		return l, *at, err
	}
	l := NewLine()
	s.inner[inner] = l
	s.closer = append(s.closer, l.Close)
	return l, inner, nil
}

// openPracticeMint opens and serves the mint: on a listener when it or the customers'
// door is asked for, so that customers reach both.
func (s *Server) openPracticeMint(ctx context.Context) error {
	m, closeDB, err := openMint(ctx, s.o.Dir, protocol.Currency(s.o.Config.Shop.Currency), s.o.Clock, s.o.Random, s.o.Log)
	if err != nil {
		return err
	}
	s.mint = m
	s.closer = append(s.closer, closeDB)
	asked := s.o.Listen.Mint
	if asked == "" && s.o.Listen.Merchant != "" {
		asked = "127.0.0.1:0"
	}
	l, at, err := s.bindOrKeep(asked, &s.at.Mint, innerMint)
	if err != nil {
		return err
	}
	s.mintURL = "http://" + at
	s.tasks = append(s.tasks, serveHTTP(l, m.Handler(), s.o.Log))
	if asked == "" {
		return nil // whoever comes first has the keys made
	}
	s.tasks = append(s.tasks, func(ctx context.Context) error {
		err := m.Warm(ctx)
		if ctx.Err() != nil {
			return nil
		}
		return err
	})
	return nil
}

// MintURL is where the practice mint is found, "" without one.
func (s *Server) MintURL() string { return s.mintURL }

// CustomerHTTP is how a customer in this process reaches the shop and the mint, on
// listeners or in memory. It is good until the server is closed.
func (s *Server) CustomerHTTP() http.RoundTripper { return s.customer }

// reachable gives the address of a listener as customers may use it.
func reachable(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", fmt.Errorf("listen: %w", err)
	}
	if net.ParseIP(host).IsUnspecified() {
		if host, err = os.Hostname(); err != nil {
			return "", fmt.Errorf("name this machine: %w", err)
		}
	}
	return "http://" + net.JoinHostPort(host, port), nil
}

// openMerchant makes the customers' front door.
func (s *Server) openMerchant(l net.Listener) error {
	if l == nil {
		return nil
	}
	door, err := merchant.New(merchant.Options{Shop: s.core, Clock: s.o.Clock.Now, Log: s.o.Log})
	if err != nil {
		return err
	}
	s.tasks = append(s.tasks, func(ctx context.Context) error { return door.Serve(ctx, l, grace) })
	return nil
}
