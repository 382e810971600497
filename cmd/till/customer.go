package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"till/cmd/internal/purse"
)

// customer is a customer's wallet for e-cash (merchant.md §8).
func (p *program) customer() *cobra.Command {
	c := &cobra.Command{Use: "customer", Short: "A customer's wallet for e-cash", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return usage("till help customer", "say what the customer does") }}
	path := c.PersistentFlags().String("purse", "", "file of the wallet (default purse.json in the data directory)")
	c.AddCommand(p.customerWithdraw(path), p.customerBalance(path), p.customerPay(path), p.customerTab(path))
	return c
}

// withPurse opens the wallet for one command.
func (p *program) withPurse(path, what string, do func(*purse.Purse) error) (err error) {
	if path == "" {
		path = filepath.Join(p.dataDir(), "purse.json")
		if err := os.MkdirAll(p.dataDir(), 0o700); err != nil {
			return fail(what, err)
		}
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	w, err := purse.Open(purse.Options{Path: path, Clock: time.Now, Random: rand.Reader, HTTP: client})
	if err != nil {
		return failPurse(what, err)
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	return failPurse(what, do(w))
}

// failPurse gives the wallet's errors their exit codes.
func failPurse(what string, err error) error {
	switch {
	case errors.Is(err, purse.ErrUnreachable):
		return &failure{exitUnreachable, fmt.Errorf("%s: %w", what, err), "give the same command again: it goes on where it stopped"}
	case errors.Is(err, purse.ErrTooLittle):
		return &failure{exitNo, fmt.Errorf("%s: %w", what, err), "till customer withdraw AMOUNT"}
	case errors.Is(err, purse.ErrRefused), errors.Is(err, purse.ErrHeld):
		return &failure{exitRefused, fmt.Errorf("%s: %w", what, err), ""}
	}
	return fail(what, err)
}

func (p *program) customerWithdraw(path *string) *cobra.Command {
	var mint, master string
	c := &cobra.Command{
		Use: "withdraw AMOUNT", Short: "Take coins out of a mint", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return p.withPurse(*path, "withdraw", func(w *purse.Purse) error {
				got, err := w.Withdraw(c.Context(), strings.TrimSuffix(mint, "/"), master, args[0])
				if err != nil {
					return err
				}
				return p.print(map[string]any{"withdrawn": got}, func() { p.say("%s withdrawn\n", got) })
			})
		},
	}
	c.Flags().StringVar(&mint, "mint", "http://127.0.0.1:8495", "URL of the mint")
	c.Flags().StringVar(&master, "mint-pub", "", "its master key (default: the one it shows at first contact)")
	return c
}

func (p *program) customerBalance(path *string) *cobra.Command {
	return &cobra.Command{
		Use: "balance", Short: "What the wallet holds", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return p.withPurse(*path, "read the wallet", func(w *purse.Purse) error {
				list, err := w.Balance()
				if err != nil {
					return err
				}
				return p.print(list, func() {
					for _, h := range list {
						p.say("%s in %d coins of %s\n", h.Amount, h.Coins, h.URL)
					}
					if len(list) == 0 {
						p.say("no coins\n")
					}
				})
			})
		},
	}
}

// payWait is how long a payment waits for a mint that does not answer.
const payWait = 30 * time.Second

func (p *program) customerPay(path *string) *cobra.Command {
	var plain bool
	wait := payWait
	c := &cobra.Command{
		Use: "pay URL", Short: "Pay what a code asks for", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := p.exposed(args[0], plain); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(c.Context(), wait)
			defer cancel()
			return p.withPurse(*path, "pay", func(w *purse.Purse) error {
				paid, err := w.Pay(ctx, args[0])
				if err != nil {
					return err
				}
				return p.print(paid, func() { p.say("paid %s for %s\nreceipt %s\n", paid.Amount, paid.Description, paid.Receipt) })
			})
		},
	}
	c.Flags().BoolVar(&plain, "plain-http", false, "do not ask before plain HTTP beyond this machine")
	c.Flags().DurationVar(&wait, "wait", payWait, "how long to wait for a mint that does not answer")
	return c
}

func (p *program) customerTab(path *string) *cobra.Command {
	var plain bool
	c := &cobra.Command{
		Use: "tab URL", Short: "Open a tab and sign its rounds until the shop closes it", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := p.exposed(args[0], plain); err != nil {
				return err
			}
			return p.withPurse(*path, "open the tab", func(w *purse.Purse) error {
				signed, err := w.Tab(c.Context(), args[0], func(amount, description string) {
					if !p.json {
						p.say("%s so far: %s\n", amount, description)
					}
				})
				if err != nil {
					return err
				}
				return p.print(map[string]string{"signed": signed}, func() { p.say("the tab is closed: %s\n", signed) })
			})
		},
	}
	c.Flags().BoolVar(&plain, "plain-http", false, "do not ask before plain HTTP beyond this machine")
	return c
}

// exposed asks before a link is followed on which others can listen.
func (p *program) exposed(text string, agreed bool) error {
	host, err := purse.Exposed(text)
	if err != nil {
		return usage("quote the whole link: the part after # is the merchant's key", "pay: %w", err)
	}
	if agreed || host == "" {
		return nil
	}
	if !isTerminal(p.in) {
		return usage("--plain-http, if that is meant", "pay: %s is reached over plain HTTP: others can read along", host)
	}
	_, _ = fmt.Fprintf(p.err, "%s is reached over plain HTTP: others can read along. Go on? [y/N] ", host)
	answer, err := bufio.NewReader(p.in).ReadString('\n')
	if err != nil || !strings.EqualFold(strings.TrimSpace(answer), "y") {
		return &failure{exitRefused, errors.New("pay: not paid"), ""}
	}
	return nil
}
