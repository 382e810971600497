package widget

import (
	"fmt"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"
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
	// Aloud tells that the screen is said, not shown: there are no pictures.
	Aloud bool
}

// Theme turns roles into escape sequences for one terminal. It is immutable
// and may be shared; make it with [NewTheme].
type Theme struct {
	name   string
	sgr    [2 * roleCount]string // complete: each begins from a reset
	glyphs Glyphs
	blocks bool
	aloud  bool
	flat   bool // shows no grounds but those that are reversed
}

// ThemeNames lists the themes a person can choose.
func ThemeNames() []string {
	return []string{"dark", "light", "high-contrast", "colour-blind", "16", "none"}
}

// NewTheme makes a theme for a terminal. "16" is dark in the sixteen colours that
// every terminal lets its user choose. Under [NoColor] every name gives the
// same picture, as does "none" under every profile: attributes only, on the
// terminal's own ground.
func NewTheme(name string, t Terminal) (*Theme, error) {
	if !slices.Contains(ThemeNames(), name) {
		return nil, fmt.Errorf("unknown theme %q: choose one of %s", name, strings.Join(ThemeNames(), ", "))
	}
	th := &Theme{name: name, glyphs: t.Glyphs, blocks: t.Blocks && t.Glyphs != ASCII, aloud: t.Aloud}
	if name == "none" || t.Profile == NoColor {
		th.plain(t)
		return th, nil
	}
	colours := palettes[name]
	if name == "16" {
		t.Profile, colours = Color16, palettes["dark"]
	}
	for r, l := range colours.looks() {
		th.sgr[r] = rendition(lipgloss.NewStyle(), l, t.Profile)
		th.sgr[Role(r).Fill()] = rendition(lipgloss.NewStyle().Reverse(true), l, t.Profile)
	}
	return th, nil
}

// plain fills in the rendition without colour. A QR code's light modules are
// its ink, drawn on a ground that is taken to be dark; on a light terminal the
// code, and nothing else, is reversed, so that the modules keep their polarity.
func (th *Theme) plain(t Terminal) {
	th.flat = true
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

// rendition is what Lip Gloss writes before text in a style, so that no frame
// pays for it again. It begins from a reset.
func rendition(s lipgloss.Style, l look, p Profile) string {
	const text = "x"
	before, _, _ := strings.Cut(s.Bold(l.bold).Foreground(l.fg.on(p, false)).Background(l.bg.on(p, true)).Render(text), text)
	return strings.Replace(before, "\x1b[", "\x1b[0;", 1)
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
