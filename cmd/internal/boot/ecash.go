package boot

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"till/protocol"
	"till/protocol/taler"
	"till/server"
	"till/server/merchant"
)

// mintPatience is how long one exchange with a mint may take.
const mintPatience = 10 * time.Second

// practiceMintAddress is where the practice mint listens when customers are let in
// and nobody said where it should.
const practiceMintAddress = "127.0.0.1:0"

// openEcash binds the customers' listener and gives what the server needs to take
// e-cash; nil where that is not asked for. In practice the mint is this process's.
func (s *Server) openEcash(ctx context.Context, rules *server.Settings) (*server.Ecash, net.Listener, error) {
	c := s.o.Config.Ecash
	if s.o.Practice {
		if err := s.openPracticeMint(ctx); err != nil {
			return nil, nil, err
		}
	}
	if s.o.Listen.Merchant == "" || !s.o.Practice && len(c.Mints) == 0 {
		return nil, nil, nil
	}
	l, err := s.bind(s.o.Listen.Merchant, &s.at.Merchant)
	if err != nil {
		return nil, nil, err
	}
	if rules.MerchantURL = c.PublicURL; rules.MerchantURL == "" {
		if rules.MerchantURL, err = reachable(s.at.Merchant); err != nil {
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
		return e, l, s.trust(e, "http://"+s.at.Mint, s.mint.Master())
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

// trust adds a mint.
func (s *Server) trust(e *server.Ecash, url string, master taler.PublicKey) error {
	transport := &http.Transport{MaxIdleConnsPerHost: 32, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: mintPatience}
	client, err := taler.NewMintClient(url, master, &http.Client{Transport: transport}, s.o.Clock.Now, mintPatience)
	if err != nil {
		return fmt.Errorf("read ecash.mints: %w", err)
	}
	s.closer = append(s.closer, func() error { transport.CloseIdleConnections(); return nil })
	e.Mints = append(e.Mints, server.TrustedMint{URL: url, Master: master, Client: client})
	return nil
}

// openPracticeMint opens and serves the mint when it or the customers' listener is
// asked for.
func (s *Server) openPracticeMint(ctx context.Context) error {
	at := s.o.Listen.Mint
	if at == "" {
		if s.o.Listen.Merchant == "" {
			return nil
		}
		at = practiceMintAddress
	}
	m, closeDB, err := openMint(ctx, s.o.Dir, protocol.Currency(s.o.Config.Shop.Currency), s.o.Clock, s.o.Random, s.o.Log)
	if err != nil {
		return err
	}
	s.mint = m
	s.closer = append(s.closer, closeDB)
	l, err := s.bind(at, &s.at.Mint)
	if err != nil {
		return err
	}
	s.tasks = append(s.tasks, serveHTTP(l, m.Handler(), s.o.Log), func(ctx context.Context) error {
		err := m.Warm(ctx)
		if ctx.Err() != nil {
			return nil
		}
		return err
	})
	return nil
}

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
