package escpos

import (
	"fmt"
	"slices"
	"strings"

	"till/device"
)

// profile is what printers of one kind have. Widths are those of font A.
type profile struct {
	name    string
	columns int // characters on a line
	dots    int // dots on a line
	pages   []codePage
	qr      bool // GS ( k function 167 to 181
	barcode bool // GS k 73
	cutter  bool // GS V
	buzzer  bool // ESC B
	kicker  bool // DLE DC4 1, the drawer pulse in real time
	kanji   bool // starts in a two-byte mode that FS . ends
	names   bool // GS I 66 and 67 are asked
	status  bool // GS a
	end     bool // GS r 1 is always answered
	must    bool // DLE EOT is always answered
}

// Epson's manuals number the code pages (ESC t); makers of clones follow, with
// fewer pages (escpos-printer-db: TM-T88V, TM-T20II, POS-5890, default).
var (
	epsonPages = []codePage{page437, page858, page1252, page850, page852, page866, page857, page737, pageKana}
	clonePages = []codePage{page437, page858, page1252, page850, page852, page866}
	fewPages   = []codePage{page437, page858}
)

var profiles = []profile{
	{name: "auto", columns: 32, dots: 384, pages: fewPages, cutter: true, names: true, status: true},
	{name: "epson-80", columns: 42, dots: 512, pages: epsonPages, qr: true, barcode: true, cutter: true, kicker: true, names: true, status: true, end: true, must: true},
	{name: "epson-80-wide", columns: 48, dots: 576, pages: epsonPages, qr: true, barcode: true, cutter: true, kicker: true, names: true, status: true, end: true, must: true},
	{name: "clone-80", columns: 48, dots: 576, pages: clonePages, qr: true, barcode: true, cutter: true, buzzer: true, kanji: true, status: true},
	{name: "clone-58", columns: 32, dots: 384, pages: clonePages, kanji: true},
	{name: "generic", columns: 32, dots: 384, pages: fewPages, cutter: true, kanji: true},
}

// Profiles are the names that NewLanguage takes, "auto" first.
func Profiles() []string {
	names := make([]string, len(profiles))
	for i, p := range profiles {
		names[i] = p.name
	}
	return names
}

// Language is ESC/POS as one kind of printer speaks it.
type Language struct{ profile profile }

var _ device.Language = Language{}

// NewLanguage is the language of a profile: "auto" asks the printer for its
// name and prints narrow, plain receipts where it gets none.
func NewLanguage(name string) (Language, error) {
	i := slices.IndexFunc(profiles, func(p profile) bool { return p.name == name })
	if i < 0 {
		return Language{}, fmt.Errorf("printer profile %q is unknown: write one of %s", name, strings.Join(Profiles(), ", "))
	}
	return Language{profiles[i]}, nil
}

// Profile is the profile's name; after Adapt, that of the printer found.
func (l Language) Profile() string { return l.profile.name }

// Columns is how many plain characters fit on a line.
func (l Language) Columns() int { return l.profile.columns }

// models are beginnings of model names, with the profile they belong to: the
// 180 dpi printers have 512 dots on 80 mm paper, those of 203 dpi 576.
var models = []struct{ maker, model, profile string }{
	{"EPSON", "TM-T20", "epson-80-wide"},
	{"EPSON", "TM-T82", "epson-80-wide"},
	{"EPSON", "TM-T100", "epson-80-wide"},
	{"EPSON", "TM-M30", "epson-80-wide"},
	{"EPSON", "TM-M50", "epson-80-wide"},
	{"EPSON", "", "epson-80"},
	{"CITIZEN", "CT-S", "epson-80-wide"},
	{"BIXOLON", "SRP-350", "epson-80"},
	{"", "POS-58", "clone-58"},
	{"", "POS-80", "clone-80"},
	{"", "XP-58", "clone-58"},
	{"", "XP-80", "clone-80"},
}

// Adapt finds the profile of a printer that the configuration left open, and
// notes whether it answers for jobs. The names come maker first.
func (l Language) Adapt(names []string, end bool) device.Language {
	p := l.profile
	if p.name == "auto" && len(names) == 2 {
		maker, model := strings.ToUpper(names[0]), strings.ToUpper(names[1])
		for _, m := range models {
			if strings.HasPrefix(maker, m.maker) && strings.HasPrefix(model, m.model) {
				found, _ := NewLanguage(m.profile)
				p = found.profile
				break
			}
		}
	}
	// Only what a maker's own profile promises is believed without proof.
	p.end = p.end && p.must || end
	return Language{p}
}
