package widget

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Profile is how many colours a terminal shows.
type Profile uint8

// Profiles, most colours first.
const (
	TrueColor Profile = iota
	Color256
	Color16
	NoColor // NO_COLOR, or a terminal without colours: attributes only
)

// Glyphs is what a terminal's font is known to hold.
type Glyphs uint8

// Fonts, richest first.
const (
	Unicode Glyphs = iota
	Console        // a Linux console font: Latin, box drawing, few marks
	ASCII
)

// Terminal is what is known about the place a frame is shown.
type Terminal struct {
	Profile Profile
	Glyphs  Glyphs
	// Blocks tells that the font has ▀ ▄ █. On a Linux console ask the kernel
	// (devices §8); no answer means no.
	Blocks bool
	// Light tells that the terminal's own ground is light. It matters only
	// without colour, where nothing paints the ground.
	Light bool
}

// Theme turns roles into escape sequences for one terminal. It is immutable
// and may be shared; make it with [NewTheme].
type Theme struct {
	name   string
	sgr    [2 * roleCount]string // complete: each begins from a reset
	glyphs Glyphs
	blocks bool
}

// ThemeNames lists the themes a person can choose.
func ThemeNames() []string {
	return []string{"dark", "light", "contrast", "colour-blind", "none"}
}

// NewTheme makes a theme for a terminal. Under [NoColor] every name gives the
// same picture, as does "none" under every profile: attributes only, on the
// terminal's own ground.
func NewTheme(name string, t Terminal) (*Theme, error) {
	if !slices.Contains(ThemeNames(), name) {
		return nil, fmt.Errorf("unknown theme %q: choose one of %s", name, strings.Join(ThemeNames(), ", "))
	}
	th := &Theme{name: name, glyphs: t.Glyphs, blocks: t.Blocks && t.Glyphs != ASCII}
	if name == "none" || t.Profile == NoColor {
		th.plain(t)
		return th, nil
	}
	for r, l := range palettes[name].looks() {
		ink, ground := sgr(l.fg, t.Profile, false), sgr(l.bg, t.Profile, true)
		bold := ""
		if l.bold {
			bold = "1;"
		}
		th.sgr[r] = "\x1b[0;" + bold + ink + ";" + ground + "m"
		th.sgr[Role(r).Fill()] = "\x1b[0;" + bold + ink + ";" + ground + ";7m"
	}
	return th, nil
}

// plain fills in the rendition without colour. A QR code's light modules are
// its ink, drawn on a ground that is taken to be dark; on a light terminal the
// code, and nothing else, is reversed, so that the modules keep their polarity.
func (th *Theme) plain(t Terminal) {
	for r, l := range plainLooks {
		attr := l.terminal
		if t.Glyphs == Console {
			attr = l.console
		}
		if Role(r) == QR && t.Light {
			attr = "7"
		}
		th.sgr[r], th.sgr[Role(r).Fill()] = attributes(attr), attributes(reversed(attr))
	}
}

func attributes(a string) string {
	if a == "" {
		return "\x1b[0m"
	}
	return "\x1b[0;" + a + "m"
}

func reversed(a string) string {
	switch a {
	case "":
		return "7"
	case "7":
		return ""
	}
	return a + ";7"
}

func sgr(c color, p Profile, ground bool) string {
	base := 30
	if ground {
		base = 40
	}
	switch p {
	case TrueColor:
		return fmt.Sprintf("%d;2;%d;%d;%d", base+8, c.hex>>16, c.hex>>8&0xFF, c.hex&0xFF)
	case Color256:
		return fmt.Sprintf("%d;5;%d", base+8, c.x256)
	}
	n := int(c.x16)
	if n >= 8 && !ground {
		return strconv.Itoa(base + 60 + n - 8)
	}
	return strconv.Itoa(base + n&7)
}

// Name is the name the theme was chosen by.
func (th *Theme) Name() string { return th.name }

// Blocks tells whether ▀ ▄ █ can be drawn.
func (th *Theme) Blocks() bool { return th.blocks }

// String renders a block: its lines joined by newlines, without a last one.
// Each line begins and ends without attributes.
func (th *Theme) String(b Block) string {
	n := 0
	for _, l := range b.Lines {
		n += 16
		for i := range l {
			n += len(l[i].text) + 32
		}
	}
	var out strings.Builder
	out.Grow(n)
	for y, l := range b.Lines {
		if y > 0 {
			out.WriteByte('\n')
		}
		th.line(&out, l)
	}
	return out.String()
}

func (th *Theme) line(out *strings.Builder, l Line) {
	const none = 2 * roleCount
	last, joins := none, false
	for i := range l {
		s := &l[i]
		if s.width == 0 {
			continue
		}
		// A new sequence also stands between two runs of the same role that
		// are not ASCII: it keeps their clusters from joining.
		if s.role != last || (joins && !s.ascii) {
			out.WriteString(th.sgr[s.role])
			last = s.role
		}
		if s.ascii || th.glyphs == Unicode {
			out.WriteString(s.text)
		} else {
			th.glyphs.write(out, s.text, th.blocks)
		}
		joins = !s.ascii
	}
	if last != none {
		out.WriteString("\x1b[m")
	}
}
