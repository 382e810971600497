package boot

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"till/cmd/internal/config"
	"till/protocol/taler"
)

// examineMints reads the keys of every mint whose coins are taken: a line each.
func examineMints(ctx context.Context, c *config.Config, clock *Clock) (findings []Finding) {
	for _, m := range c.Ecash.Mints {
		findings = append(findings, examineMint(ctx, m, clock))
	}
	if len(findings) == 0 {
		return nil
	}
	account := taler.Wire{Type: taler.SEPA, IBAN: c.Ecash.IBAN, BIC: c.Ecash.BIC, Name: c.Ecash.Holder}
	if _, err := account.Hash(); err != nil {
		findings = append(findings, bad("mint", "set ecash.iban, ecash.bic and ecash.holder", fmt.Errorf("the account that mints pay to: %w", err)))
	}
	return findings
}

func examineMint(ctx context.Context, m config.Mint, clock *Clock) Finding {
	master, err := taler.ParsePublicKey(m.MasterPub)
	if err != nil {
		return bad("mint", "set master_pub of "+m.URL+" in ecash.mints", err)
	}
	transport := dialing(nil)
	defer transport.CloseIdleConnections()
	client, err := taler.NewMintClient(m.URL, master, &http.Client{Transport: transport}, clock.Now, mintPatience)
	if err != nil {
		return bad("mint", "set the URL in ecash.mints", err)
	}
	keys, err := client.Keys(ctx)
	switch {
	case errors.Is(err, taler.ErrMintFault):
		return bad("mint", "ask the mint for its master key, and set it in ecash.mints", fmt.Errorf("%s: %w", m.URL, err))
	case err != nil:
		return bad("mint", "check the URL in ecash.mints, and that the mint runs", fmt.Errorf("%s: %w", m.URL, err))
	}
	sold := 0
	for _, d := range keys.Denominations() {
		if d.Withdrawable(taler.TimeAt(clock.Now())) {
			sold++
		}
	}
	if sold == 0 {
		return bad("mint", "ask the mint: customers can draw no coins", fmt.Errorf("%s sells no coins now", m.URL))
	}
	return good("mint", "%s, %d denominations", m.URL, sold)
}
