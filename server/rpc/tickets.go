package rpc

import (
	"context"
	"crypto/tls"
	"time"
)

// ticketTurn is how often it is looked whether the day's ticket key has changed.
const ticketTurn = 15 * time.Minute

// turnTickets keeps the session ticket keys those of the day until ctx ends: all
// servers on one database take one another's tickets, after a restart too, and a
// terminal that comes back needs no signatures.
func (d *Door) turnTickets(ctx context.Context, config *tls.Config) {
	ticker := time.NewTicker(ticketTurn)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		keys, err := d.o.Server.TicketKeys()
		if err != nil {
			d.o.Log.ErrorContext(ctx, "ticket keys not made", "error", err)
			continue
		}
		config.SetSessionTicketKeys(keys)
	}
}
