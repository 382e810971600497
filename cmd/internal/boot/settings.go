package boot

import (
	"fmt"
	"net"
	"time"

	"till/cmd/internal/config"
	"till/protocol"
	"till/server"
)

// settings turns the configuration into the server's rules.
func settings(c *config.Config) (server.Settings, error) {
	s := server.Defaults(protocol.Currency(c.Shop.Currency))
	s.Shop = protocol.Shop{Name: c.Shop.Name, Address: list(c.Shop.Address), TaxNumber: c.Shop.TaxNumber, ReceiptFooter: c.Shop.ReceiptFooter}
	s.Locale = c.Shop.Locale
	s.Zone = time.Local
	if c.Shop.TimeZone != "" {
		zone, err := time.LoadLocation(c.Shop.TimeZone)
		if err != nil {
			return s, fmt.Errorf("read time zone: %w", err)
		}
		s.Zone = zone
	}
	s.Tax = []protocol.Tax{}
	for _, t := range c.Shop.Tax {
		s.Tax = append(s.Tax, protocol.Tax{Code: t.Code, RateBP: t.RateBP, Included: t.Included})
	}
	s.TipsBP = list(c.Shop.TipsBP)

	s.Acceptance = nil
	for _, step := range c.Acceptance.Steps {
		upTo, err := c.Money(step.UpTo)
		if err != nil {
			return s, fmt.Errorf("read acceptance steps: %w", err)
		}
		s.Acceptance = append(s.Acceptance, protocol.Step{UpTo: upTo, Confirmations: step.Confirmations})
	}
	s.Watch, s.PaymentWindow = c.Acceptance.Watch, c.Acceptance.PaymentWindow
	s.ToleranceSat, s.TolerancePermille = protocol.Sat(c.Acceptance.ToleranceSat), c.Acceptance.TolerancePermille
	s.MaxTipAge = c.Chain.MaxTipAge
	s.QuoteLifetime, s.BuySpreadBP, s.SellSpreadBP = c.Rates.QuoteLifetime, c.Rates.BuySpreadBP, c.Rates.SellSpreadBP
	s.GapLimit, s.OfflineMax, s.Poll = c.Wallet.GapLimit, c.Server.OfflineMax, c.Server.Poll
	s.FeeFloor, s.FeeCeiling, s.FeeTarget = server.FeeRate(c.Wallet.FeeFloor*1000), server.FeeRate(c.Wallet.FeeCeiling*1000), int(c.Wallet.FeeTarget)
	if len(c.Server.PublicHost) > 0 {
		s.PublicHost = withPort(c.Server.PublicHost[0], c.Server.RPC)
		for _, host := range c.Server.PublicHost {
			s.Hosts = append(s.Hosts, withoutPort(host))
		}
	}
	var err error
	s.Limits, err = limits(c)
	return s, err
}

func limits(c *config.Config) (l protocol.Limits, err error) {
	for text, into := range map[*string]**protocol.Money{
		&c.Limits.PerPayout: &l.PerPayout, &c.Limits.PerTerminalDay: &l.PerTerminalDay, &c.Limits.PerUserDay: &l.PerUserDay,
		&c.Limits.ShopDay: &l.ShopDay, &c.Limits.PinApproval: &l.PinApproval, &c.Limits.PinApprovalDay: &l.PinApprovalDay,
	} {
		if *into, err = c.Money(*text); err != nil {
			return l, fmt.Errorf("read limits: %w", err)
		}
	}
	for from, into := range map[*int64]**protocol.Sat{
		&c.Limits.PerPayoutSat: &l.PerPayoutSat, &c.Limits.PerTerminalDaySat: &l.PerTerminalDaySat,
		&c.Limits.PerUserDaySat: &l.PerUserDaySat, &c.Limits.ShopDaySat: &l.ShopDaySat,
	} {
		if *from > 0 {
			sat := protocol.Sat(*from)
			*into = &sat
		}
	}
	l.SelfApproval = c.Limits.SelfApproval
	return l, nil
}

// list makes an empty list of none, so that JSON has [] and not null.
func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

// withPort adds the port of another address to a host that has none.
func withPort(host, other string) string {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	_, port, err := net.SplitHostPort(other)
	if err != nil {
		return host
	}
	return net.JoinHostPort(host, port)
}

func withoutPort(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		return h
	}
	return host
}
