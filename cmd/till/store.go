package main

import (
	"context"

	"github.com/spf13/cobra"

	"till/cmd/internal/boot"
)

func (p *program) store() *cobra.Command {
	group := &cobra.Command{Use: "store", Short: "The server's database"}
	group.AddCommand(&cobra.Command{
		Use: "copy FROM TO", Short: "Copy a database, each the path of server.db or postgres://…", Args: cobra.ExactArgs(2),
		Long: "Copies all that the server keeps to an empty place of either kind, and compares every\n" +
			"row and every hash of the journals. The server must be stopped; afterwards name the\n" +
			"new place in store.url. server.key stays where it is, or moves with store.key_file.",
		RunE: func(c *cobra.Command, args []string) error { return p.copyStore(c.Context(), args[0], args[1]) },
	})
	return group
}

func (p *program) copyStore(ctx context.Context, from, to string) error {
	copied, err := boot.CopyStore(ctx, from, to)
	if err != nil {
		return fail("copy store", err)
	}
	rows := int64(0)
	for _, n := range copied.Rows {
		rows += n
	}
	return p.print(copied, func() {
		p.say("%d rows of %d tables copied and compared, %d journal entries among them\n", rows, len(copied.Rows), copied.Entries)
	})
}
