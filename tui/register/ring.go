package register

import (
	"slices"
	"strings"

	"till/protocol"
)

// ring is what the cashier does with the cart.
func (r Register) ring(e Event) (Register, []Effect) {
	switch e := e.(type) {
	case Digits:
		if r.Text != "" {
			return r.search(r.Text + e.Text), nil
		}
		r.Entry = r.Entry.Typed(e.Text, max(3, r.Currency().Exponent()))
	case Point:
		if r.Text != "" {
			return r.search(r.Text + "."), nil
		}
		r.Entry = r.Entry.Pointed()
	case Typed:
		r.Selected = -1
		return r.search(r.Text + searchable(e.Text)), nil
	case Erase:
		return r.erase()
	case Move:
		return r.move(e.By), nil
	case Select:
		return r.choose(e.Index)
	case Add, Next, Scanned:
		return r.forward(e)
	case Pick:
		return r.pick(r.Items[r.item(e.SKU)])
	case Quantity:
		return r.quantity()
	case Discount:
		return r.discount(func(full int64) int64 { return share(full, r.Entry.Number()/10, 10_000) })
	case Deduct:
		return r.discount(func(int64) int64 { return r.Amount().Minor })
	case Reason:
		lines := r.Cart.clone().Lines
		lines[e.Line].Reason = strings.TrimSpace(searchable(e.Text))
		r.Cart.Lines = lines
		return r.changed()
	case Price:
		i := r.line()
		lines := r.Cart.clone().Lines
		lines[i].Price, lines[i].Discount, lines[i].Reason = r.Amount(), nil, ""
		return r.relined(lines, i)
	case Tip:
		return r.tip()
	case Note:
		r.Cart.Note = strings.TrimSpace(searchable(e.Text))
		return r.changed()
	case Clear:
		cleared := r.Cart
		r.Cleared, r.Cart, r.Entry, r.Times, r.Selected, r.codes = &cleared, Cart{}, Entry{}, 0, -1, nil
		return r.changed()
	case Undo:
		r.Cart, r.Cleared = r.Cleared.clone(), nil
		return r.changed()
	case Back:
		return r.back(), nil
	case Park:
		r.codes = nil
		r, open := r.opening()
		return r.ask(Record{Open: &open, End: protocol.EntrySaleParked, Draft: &Cart{}}, Ringing)
	}
	return r, nil
}

func (r Register) forward(e Event) (Register, []Effect) {
	switch e := e.(type) {
	case Scanned:
		item, known := byBarcode(r.Items, e.Text)
		if !known && len(r.Items) == 0 && r.Config.CatalogueVersion > 0 {
			return r.early(e.Text), nil
		}
		if !known {
			r.Note = Said{Why: WhyUnknownCode, Detail: clip(e.Text)}
			return r, nil
		}
		return r.take(Found{Item: item})
	case Add:
		if r.Text != "" {
			return r.take(r.Found[r.Pick])
		}
		return r.addEntry()
	}
	if r.Text != "" {
		return r.take(r.Found[r.Pick])
	}
	var effects []Effect
	if !r.Entry.Empty() {
		if r, effects = r.addEntry(); r.Note.Why != "" {
			return r, effects
		}
	}
	r.Phase, r.Selected, r.codes = Choosing, -1, nil
	return r, effects
}

// search narrows the catalogue to text; "" ends the search.
func (r Register) search(text string) Register {
	r.Text, r.Pick = text, 0
	r.Found = find(r.Items, text, !r.Entry.Empty())
	return r
}

// pick adds an item to its line where there is one, else as a line.
func (r Register) pick(item protocol.Item) (Register, []Effect) {
	if item.Price != nil {
		want := lineOf(item, *item.Price, r.times())
		lines := r.Cart.clone().Lines
		for i := range lines {
			if same(lines[i], want) {
				lines[i].Quantity += want.Quantity
				next, effects := r.relined(lines, -1)
				next.Times = 0
				return next, effects
			}
		}
	}
	return r.take(Found{Item: item})
}

// item is the place of an item in the catalogue, -1 none.
func (r Register) item(sku string) int {
	return slices.IndexFunc(r.Items, func(i protocol.Item) bool { return i.SKU == sku })
}

// back is one step back: out of the search, off the line, out of the number.
func (r Register) back() Register {
	switch {
	case r.Text != "":
		return r.search("")
	case r.Selected >= 0:
		r.Selected = -1
	case !r.Entry.Empty():
		r.Entry = Entry{}
	default:
		r.Times = 0
	}
	return r
}

func (r Register) erase() (Register, []Effect) {
	switch {
	case r.Text != "":
		runes := []rune(r.Text)
		return r.search(string(runes[:len(runes)-1])), nil
	case !r.Entry.Empty():
		r.Entry = r.Entry.Erased()
		return r, nil
	case r.Times != 0:
		r.Times = 0
		return r, nil
	}
	// What is taken out can be brought back, as a cleared cart.
	i := r.line()
	before := r.Cart
	lines := append(r.Cart.clone().Lines[:i], r.Cart.Lines[i+1:]...)
	if len(lines) == 0 {
		r.Selected = -1
	} else if r.Selected >= 0 {
		r.Selected = min(r.Selected, len(lines)-1)
	}
	r.Cart.Lines, r.Cleared = lines, &before
	return r.changed()
}

func (r Register) move(by int) Register {
	if r.Text != "" {
		r.Pick = min(max(r.Pick+by, 0), max(len(r.Found)-1, 0))
		return r
	}
	n := len(r.Cart.Lines)
	switch {
	case n == 0:
	case r.Selected < 0 && by < 0:
		r.Selected = max(n+by, 0)
	case r.Selected >= 0:
		r.Selected += by
		if r.Selected >= n {
			r.Selected = -1
		} else {
			r.Selected = max(r.Selected, 0)
		}
	}
	return r
}

// choose is Select: a touch on a line, or on what was found, which takes it.
func (r Register) choose(i int) (Register, []Effect) {
	if r.Text != "" {
		r.Pick = i
		return r.take(r.Found[i])
	}
	r.Selected = i
	return r, nil
}

// line is the line that * % and erase mean: the selected one, else the last.
func (r Register) line() int {
	if r.Selected >= 0 && r.Selected < len(r.Cart.Lines) {
		return r.Selected
	}
	return len(r.Cart.Lines) - 1
}

// take adds a found item.
func (r Register) take(f Found) (Register, []Effect) {
	price := r.Amount()
	item := f.Item
	if item.Price != nil {
		price = *item.Price
	} else if r.Entry.Empty() {
		r.Note = Said{Why: WhyNoPrice, Detail: item.Name}
		return r, nil
	}
	switch {
	case f.Open:
		item.Tax = r.openTax()
	case f.Option != "":
		item.Name += ", " + f.Option
	case len(item.Options) > 0:
		return r.options(item), nil
	}
	next, effects := r.addLine(lineOf(item, price, r.times()))
	if left, counted := next.Left(item); counted && left < 0 && next.Note.Why == "" {
		// What the customer holds in the hand is there, whatever the count says.
		next.Note = Said{Why: WhyNoStock, Detail: item.Name}
	}
	return next, effects
}

// options offers the kinds of an item in place of what was found.
func (r Register) options(item protocol.Item) Register {
	r.Found, r.Pick = nil, 0
	for _, option := range item.Options {
		r.Found = append(r.Found, Found{Item: item, Option: option})
	}
	if r.Text == "" {
		r.Text = item.Name
	}
	return r
}

// Left is how many of an item are there beside those in the cart; false where
// it is not counted. Begun pieces count as whole ones.
func (r Register) Left(item protocol.Item) (int64, bool) {
	if item.Stock == nil {
		return 0, false
	}
	rung := int64(0)
	for _, l := range r.Cart.Lines {
		if l.SKU == item.SKU {
			rung += l.Quantity
		}
	}
	return *item.Stock - (rung+999)/1000, true
}

func (r Register) addEntry() (Register, []Effect) {
	return r.addLine(protocol.Line{Name: r.openName, Quantity: r.times(), Price: r.Amount(), Tax: r.openTax()})
}

// openTax is the code of an item that is not in the catalogue: the shop's first.
func (r Register) openTax() string {
	if len(r.Config.Tax) == 0 {
		return ""
	}
	return r.Config.Tax[0].Code
}

func (r Register) times() int64 {
	if r.Times > 0 {
		return r.Times
	}
	return 1000
}

// addLine adds a line, or makes the last line more when it is the same thing.
func (r Register) addLine(l protocol.Line) (Register, []Effect) {
	lines := r.Cart.clone().Lines
	if n := len(lines); n > 0 && same(lines[n-1], l) {
		lines[n-1].Quantity += l.Quantity
	} else {
		lines = append(lines, l)
	}
	next, effects := r.relined(lines, -1)
	if next.Note.Why == "" {
		next.Text, next.Found, next.Pick, next.Times = "", nil, 0, 0
	}
	return next, effects
}

// relined takes new lines if they still add up; otherwise nothing changes.
func (r Register) relined(lines []protocol.Line, selected int) (Register, []Effect) {
	cart := r.Cart
	cart.Lines = lines
	if t, err := cart.Totals(r.Currency(), r.Config.Tax); err != nil || t.Total.Minor > protocol.MaxLinePrice || t.Total.Minor < 0 {
		r.Note = Said{Why: WhyTooMuch}
		return r, nil
	}
	r.Cart, r.Entry, r.Selected = cart, Entry{}, selected
	return r.changed()
}

// changed keeps the cart.
func (r Register) changed() (Register, []Effect) {
	if r.Cart.Empty() {
		r.Cart = Cart{}
	} else if r.Cleared != nil && !r.Cart.Empty() && len(r.Cart.Lines) > len(r.Cleared.Lines) {
		r.Cleared = nil
	}
	if r.Selected >= len(r.Cart.Lines) {
		r.Selected = -1
	}
	return r, []Effect{Save{r.Cart}}
}

func (r Register) quantity() (Register, []Effect) {
	n := r.Entry.Number()
	if r.Selected >= 0 {
		lines := r.Cart.clone().Lines
		lines[r.Selected].Quantity = n
		return r.relined(lines, r.Selected)
	}
	r.Times, r.Entry = n, Entry{}
	return r, nil
}

// discount takes something off a line; nothing typed as 0 takes the discount back.
func (r Register) discount(off func(full int64) int64) (Register, []Effect) {
	i := r.line()
	lines := r.Cart.clone().Lines
	l := lines[i]
	l.Discount, l.Reason = nil, ""
	full, err := l.Total()
	if err != nil {
		r.Note = Said{Why: WhyTooMuch}
		return r, nil
	}
	switch minor := off(full.Minor); {
	case minor > full.Minor:
		r.Note = Said{Why: WhyTooManyOff}
		return r, nil
	case minor > 0:
		l.Discount = &protocol.Money{Currency: r.Currency(), Minor: minor}
	}
	lines[i] = l
	next, effects := r.relined(lines, r.Selected)
	if next.Note.Why == "" && l.Discount != nil {
		next.Discounted = i
	}
	return next, effects
}

// tip takes the typed amount, else goes round the shop's percentages.
func (r Register) tip() (Register, []Effect) {
	if !r.Entry.Empty() {
		r.Cart.Tip, r.Cart.TipBP, r.Entry = r.Amount().Minor, 0, Entry{}
		return r.changed()
	}
	next := int64(0)
	for i, bp := range r.Config.TipsBP {
		if bp == r.Cart.TipBP && i+1 < len(r.Config.TipsBP) {
			next = r.Config.TipsBP[i+1]
		}
	}
	if r.Cart.TipBP == 0 && r.Cart.Tip == 0 {
		next = r.Config.TipsBP[0]
	}
	r.Cart.TipBP, r.Cart.Tip = next, 0
	return r.changed()
}

// opening is the sale of the cart.
func (r Register) opening() (Register, protocol.SaleOpened) {
	t := r.Totals()
	o := protocol.SaleOpened{
		Total: t.Total, Shift: r.Shift, User: r.User.ID, Lines: r.Cart.clone().Lines, Tax: t.Tax, Note: r.Cart.Note,
	}
	if t.Tip.Minor != 0 {
		o.Tip = &t.Tip
	}
	return r, o
}

func clip(text string) string {
	const most = 24
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
