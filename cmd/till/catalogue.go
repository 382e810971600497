package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/spf13/cobra"

	"till/cmd/internal/boot"
)

func (p *program) catalogue() *cobra.Command {
	group := &cobra.Command{Use: "catalogue", Short: "What the shop sells"}
	group.AddCommand(
		&cobra.Command{
			Use: "import FILE.csv", Short: "Replace the goods by those of a file, - for standard input", Args: cobra.ExactArgs(1),
			Long: `Replace the goods by those of a CSV file (UTF-8, commas) whose first line is

  sku,name,category,price,tax,barcode,stock,options

Without a price the cashier types it; tax is a code of [shop] tax; without a stock
nothing is counted; options are separated by |. Nothing is imported when one line
is wrong.`,
			RunE: func(c *cobra.Command, args []string) error { return p.importCatalogue(c.Context(), args[0]) },
		},
		&cobra.Command{Use: "export", Short: "Print the goods as CSV, as import takes them", Args: cobra.NoArgs,
			RunE: func(c *cobra.Command, _ []string) error {
				return p.goods(c.Context(), func(g boot.Goods) { p.say("%s", g.CSV) })
			}},
		&cobra.Command{Use: "list", Short: "List the goods", Args: cobra.NoArgs,
			RunE: func(c *cobra.Command, _ []string) error { return p.goods(c.Context(), p.listGoods) }})
	return group
}

func (p *program) importCatalogue(ctx context.Context, file string) error {
	from := p.in
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return &failure{exitUsage, fmt.Errorf("import catalogue: %w", err), "till catalogue import FILE.csv"}
		}
		defer func() { _ = f.Close() }()
		from = f
	}
	text, err := io.ReadAll(io.LimitReader(from, boot.MaxCatalogue+1))
	if err != nil {
		return fail("import catalogue", err)
	}
	var taken boot.CatalogueText
	if err := p.ask(ctx, "catalogue.import", boot.CatalogueText{CSV: string(text)}, &taken); err != nil {
		return fail("import catalogue", err)
	}
	return p.print(struct {
		Items int `json:"items"`
	}{taken.Items}, func() { p.say("%d items\n", taken.Items) })
}

// goods asks for the catalogue and prints it.
func (p *program) goods(ctx context.Context, words func(boot.Goods)) error {
	var g boot.Goods
	if err := p.ask(ctx, "catalogue.export", struct{}{}, &g); err != nil {
		return fail("read catalogue", err)
	}
	return p.print(g.Catalogue, func() { words(g) })
}

func (p *program) listGoods(g boot.Goods) {
	table := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "SKU\tNAME\tCATEGORY\tPRICE\tTAX\tBARCODE\tSTOCK")
	for _, i := range g.Items {
		price, stock := "typed", "-"
		if i.Price != nil {
			price = i.Price.Decimal()
		}
		if i.Stock != nil {
			stock = fmt.Sprint(*i.Stock)
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", i.SKU, i.Name, i.Category, price, i.Tax, i.Barcode, stock)
	}
	_ = table.Flush()
}

// shownAsIs reports whether a text can stand on a screen and on paper.
func shownAsIs(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) && strings.TrimSpace(text) == text
}
