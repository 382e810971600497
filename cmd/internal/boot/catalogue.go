package boot

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"till/protocol"
	"till/server"
)

// Bounds of a catalogue file. Names are printed on receipts and shown in columns.
const (
	MaxCatalogue    = 4 << 20 // bytes
	maxItems        = 20_000
	maxItemText     = 100 // characters of a field
	maxItemOptions  = 20
	maxStock        = 1_000_000_000
	maxFaults       = 50 // told at once
	optionSeparator = "|"
)

// catalogueHeader is the first line of a catalogue file. The price is a decimal
// in the shop's currency, empty when the cashier types it; tax is a code of the
// shop's; an empty stock is not counted; options are separated by "|".
var catalogueHeader = []string{"sku", "name", "category", "price", "tax", "barcode", "stock", "options"}

// CatalogueText is a catalogue as CSV (RFC 4180, UTF-8).
type CatalogueText struct {
	CSV   string `json:"csv"`
	Items int    `json:"items"`
}

func importCatalogue(ctx context.Context, s *server.Server, p CatalogueText) (any, error) {
	c := s.Config()
	items, err := parseCatalogue([]byte(p.CSV), c.Currency, c.Tax)
	if err != nil {
		return nil, err
	}
	return CatalogueText{Items: len(items)}, s.ImportCatalogue(ctx, items)
}

// Goods is the answer of catalogue.export.
type Goods struct {
	protocol.Catalogue
	CSV string `json:"csv"`
}

func exportCatalogue(ctx context.Context, s *server.Server, _ struct{}) (any, error) {
	catalogue, err := s.Catalogue(ctx)
	if err != nil {
		return nil, err
	}
	return Goods{*catalogue, string(formatCatalogue(catalogue.Items))}, nil
}

// formatCatalogue writes what parseCatalogue reads.
func formatCatalogue(items []protocol.Item) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write(catalogueHeader) // a buffer takes all
	for _, i := range items {
		price, stock := "", ""
		if i.Price != nil {
			price = i.Price.Decimal()
		}
		if i.Stock != nil {
			stock = strconv.FormatInt(*i.Stock, 10)
		}
		_ = w.Write([]string{i.SKU, i.Name, i.Category, price, i.Tax, i.Barcode, stock, strings.Join(i.Options, optionSeparator)})
	}
	w.Flush()
	return b.Bytes()
}

// goods reads a catalogue file, gathering its faults.
type goods struct {
	currency protocol.Currency
	taxes    []protocol.Tax
	items    []protocol.Item
	faults   []error
	lines    map[string]int // where a sku or barcode stood first
}

// parseCatalogue reads a catalogue file: its items, or an [ErrInput] with all
// faults and their lines. A byte order mark is left out.
func parseCatalogue(text []byte, currency protocol.Currency, taxes []protocol.Tax) ([]protocol.Item, error) {
	switch {
	case len(text) > MaxCatalogue:
		return nil, fmt.Errorf("%w: the file has more than %d bytes", ErrInput, MaxCatalogue)
	case !utf8.Valid(text):
		return nil, fmt.Errorf("%w: the file is not UTF-8", ErrInput)
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	r.FieldsPerRecord = len(catalogueHeader)
	header, err := r.Read()
	if err != nil && !errors.Is(err, csv.ErrFieldCount) || !slices.Equal(header, catalogueHeader) {
		return nil, fmt.Errorf("%w: line 1: the header must be %s", ErrInput, strings.Join(catalogueHeader, ","))
	}
	g := &goods{currency: currency, taxes: taxes, lines: map[string]int{}}
	for len(g.faults) < maxFaults {
		record, err := r.Read()
		var broken *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return g.result()
		case errors.As(err, &broken):
			g.faults = append(g.faults, fmt.Errorf("line %d: %w", broken.Line, broken.Err))
			if !errors.Is(err, csv.ErrFieldCount) {
				return g.result() // where the next record begins is anyone's guess
			}
		case err != nil:
			return nil, fmt.Errorf("read catalogue: %w", err)
		case len(g.items) == maxItems:
			return nil, fmt.Errorf("%w: the file has more than %d items", ErrInput, maxItems)
		default:
			line, _ := r.FieldPos(0)
			g.item(line, record)
		}
	}
	return g.result()
}

func (g *goods) result() ([]protocol.Item, error) {
	if len(g.faults) == 0 {
		return g.items, nil
	}
	return nil, fmt.Errorf("%w:\n%w", ErrInput, errors.Join(g.faults...))
}

// item takes one record.
func (g *goods) item(line int, f []string) {
	fault := func(format string, args ...any) {
		g.faults = append(g.faults, fmt.Errorf("line %d: "+format, append([]any{line}, args...)...))
	}
	i := protocol.Item{SKU: f[0], Name: f[1], Category: f[2], Tax: f[4], Barcode: f[5], Options: []string{}}
	for n, text := range f[:7] {
		if why := unprintable(text); why != "" {
			fault("%s %s", catalogueHeader[n], why)
			return
		}
	}
	if i.SKU == "" || i.Name == "" {
		fault("an item needs a sku and a name")
	}
	g.once(fault, line, "sku", i.SKU)
	g.once(fault, line, "barcode", i.Barcode)
	if f[3] != "" {
		price, err := protocol.ParseMoney(g.currency, f[3])
		if err != nil {
			fault("price %q is not an amount of %s with at most %d decimals", f[3], g.currency, g.currency.Exponent())
		}
		i.Price = &price
	}
	if !slices.ContainsFunc(g.taxes, func(t protocol.Tax) bool { return t.Code == i.Tax }) && (i.Tax != "" || len(g.taxes) > 0) {
		fault("there is no tax %q in the shop's configuration", i.Tax)
	}
	if f[6] != "" {
		stock, err := strconv.ParseInt(f[6], 10, 64)
		if err != nil || stock < 0 || stock > maxStock || strconv.FormatInt(stock, 10) != f[6] {
			fault("stock %q is not a number from 0 to %d", f[6], maxStock)
		}
		i.Stock = &stock
	}
	if f[7] != "" {
		i.Options = strings.Split(f[7], optionSeparator)
	}
	if len(i.Options) > maxItemOptions {
		fault("more than %d options", maxItemOptions)
	}
	for _, option := range i.Options {
		if why := unprintable(option); why != "" || option == "" {
			fault("option %q is empty or %s", option, why)
			break
		}
	}
	g.items = append(g.items, i)
}

// once finds a name that stands twice.
func (g *goods) once(fault func(string, ...any), line int, what, name string) {
	if name == "" {
		return
	}
	if first, there := g.lines[what+name]; there {
		fault("%s %q stands on line %d already", what, name, first)
		return
	}
	g.lines[what+name] = line
}

// unprintable tells what is wrong with a text that goes to screens and printers,
// "" nothing.
func unprintable(text string) string {
	switch {
	case utf8.RuneCountInString(text) > maxItemText:
		return fmt.Sprintf("has more than %d characters", maxItemText)
	case strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "has characters that cannot be printed"
	case strings.TrimSpace(text) != text:
		return "begins or ends with a space"
	}
	return ""
}
