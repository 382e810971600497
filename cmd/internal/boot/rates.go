package boot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"till/cmd/internal/config"
	"till/protocol"
	"till/server"
	"till/server/rates"
)

// errNoRates tells what to configure.
var errNoRates = errors.New(`there is no source of rates; set rates.sources, such as ["kraken", "coinbase", "bitstamp"]`)

// openRates makes the configured sources: a price fixed by the owner, or a board
// that asks; run works until its context ends.
func openRates(c *config.Config, clock *Clock, log *slog.Logger) (r server.Rates, run func(context.Context) error, err error) {
	currency := protocol.Currency(c.Shop.Currency)
	if len(c.Rates.Sources) == 0 {
		return nil, nil, errNoRates
	}
	if len(c.Rates.Sources) == 1 && c.Rates.Sources[0] == "fixed" {
		price, err := c.Money(c.Rates.Fixed)
		if err != nil || price == nil {
			return nil, nil, errors.Join(errors.New("rates.fixed must be the price of a bitcoin"), err)
		}
		wait := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		return rates.NewFixed(currency, protocol.Rate(price.Minor), clock.Time), wait, nil
	}
	board, err := openBoard(c, clock, log)
	if err != nil {
		return nil, nil, err
	}
	return board, board.Run, nil
}

func openBoard(c *config.Config, clock *Clock, log *slog.Logger) (*rates.Board, error) {
	currency, client := protocol.Currency(c.Shop.Currency), &http.Client{}
	var sources []rates.Source
	for _, name := range c.Rates.Sources {
		var source rates.Source
		var err error
		switch name {
		case "fixed":
			err = errors.New("a fixed price does not go with other sources")
		case "file":
			source, err = rates.NewFile(c.Rates.File, currency)
		case "json":
			source, err = rates.NewWeb("json", c.Rates.JSONURL, c.Rates.JSONPath, currency, client)
		default:
			source, err = rates.NewExchange(name, currency, client)
		}
		if err != nil {
			return nil, fmt.Errorf("rates.sources: %s: %w", name, err)
		}
		sources = append(sources, source)
	}
	return rates.NewBoard(rates.BoardConfig{Currency: currency, Sources: sources, MaxAge: c.Rates.MaxAge,
		MinSources: int(c.Rates.MinSources), MaxJumpBP: c.Rates.MaxJumpBP, Now: clock.Time, Log: log})
}

// examineRates asks every source once.
func examineRates(ctx context.Context, c *config.Config, clock *Clock) Finding {
	const try = "set rates.sources, and check the connection to the internet"
	if len(c.Rates.Sources) == 1 && c.Rates.Sources[0] == "fixed" || len(c.Rates.Sources) == 0 {
		if _, _, err := openRates(c, clock, nil); err != nil {
			return bad("rates", try, err)
		}
		return good("rates", "fixed at %s", c.Rates.Fixed)
	}
	board, err := openBoard(c, clock, slog.New(slog.DiscardHandler))
	if err != nil {
		return bad("rates", try, err)
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	board.Ask(ctx)
	price, none := board.Current(clock.Time())
	if none != nil {
		return bad("rates", try, errors.New(none.Message))
	}
	var names []string
	for _, s := range price.Sources {
		names = append(names, s.Name)
	}
	return good("rates", "%s from %s", protocol.Money{Currency: price.Currency, Minor: int64(price.Rate)}, strings.Join(names, ", "))
}
