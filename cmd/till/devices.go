package main

import (
	"github.com/spf13/cobra"

	"till/cmd/internal/boot"
)

func (p *program) devices() *cobra.Command {
	group := &cobra.Command{Use: "devices", Short: "Hardware of the counter"}
	simulate := &cobra.Command{Use: "sim", Short: "Simulate hardware on a pseudo-terminal or TCP"}
	var o boot.SimOptions
	printer := &cobra.Command{
		Use: "printer", Short: "A printer: prints its path, then obeys lines such as `paper out` or `show`", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return fail("simulate printer", boot.SimulatePrinter(c.Context(), o, p.in, p.out, p.err))
		},
	}
	printer.Flags().StringVar(&o.Profile, "profile", "epson-80", "what the printer can do, as printer.profile")
	printer.Flags().StringVar(&o.Link, "link", "", "symbolic link to make to the pseudo-terminal")
	printer.Flags().StringVar(&o.TCP, "tcp", "", "HOST:PORT to listen on instead of a pseudo-terminal")
	simulate.AddCommand(printer)
	group.AddCommand(simulate)
	return group
}
