package server

import (
	"context"
	"fmt"

	"till/protocol"
)

// auditStep is how many addresses are asked about at once.
const auditStep = 100

// Audit compares the stored payments to every watched address with what the chain
// holds now, and tells what differs: nothing, once a server has caught up with it.
// Beside it stands the store's own audit of what it holds.
func Audit(ctx context.Context, store Store, chain Chain, now protocol.Time) (breaches []string, err error) {
	stored := map[Script]map[Outpoint]protocol.Sat{}
	text := map[Script]string{}
	var scripts []Script
	err = store.Read(ctx, func(tx *Tx) error {
		watched, err := tx.Addresses.Watched(now)
		if err != nil {
			return err
		}
		for _, a := range watched {
			seen, err := tx.Payments.Of(a.Text)
			if err != nil {
				return err
			}
			stored[a.Script], text[a.Script] = map[Outpoint]protocol.Sat{}, a.Text
			scripts = append(scripts, a.Script)
			for _, p := range seen {
				if !p.Gone {
					stored[a.Script][Outpoint{p.TxID, p.Vout}] = p.Amount
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("audit payments: %w", err)
	}
	for len(scripts) > 0 {
		some := scripts[:min(auditStep, len(scripts))]
		scripts = scripts[len(some):]
		if err := chain.Watch(ctx, some); err != nil {
			return nil, fmt.Errorf("audit payments: %w", err)
		}
		there, _, err := chain.Payments(ctx, some)
		if err != nil {
			return nil, fmt.Errorf("audit payments: %w", err)
		}
		for _, p := range there {
			point := Outpoint{p.TxID, p.Vout}
			if amount, known := stored[p.Script][point]; !known {
				breaches = append(breaches, fmt.Sprintf("%s holds %s:%d, which is not stored", text[p.Script], p.TxID, p.Vout))
			} else if amount != p.Amount {
				breaches = append(breaches, fmt.Sprintf("%s:%d is %d and %d is stored", p.TxID, p.Vout, p.Amount, amount))
			}
			delete(stored[p.Script], point)
		}
		for _, s := range some {
			for point := range stored[s] {
				breaches = append(breaches, fmt.Sprintf("%s:%d is stored for %s and not there", point.TxID, point.Vout, text[s]))
			}
		}
	}
	return breaches, nil
}
