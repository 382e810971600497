package widget

import (
	"fmt"
	imagecolor "image/color"
	"strconv"

	"charm.land/lipgloss/v2"
)

// color names one colour three ways, one for each profile that has colours, so
// that nothing is converted at run time.
type color struct {
	hex  uint32 // 0xRRGGBB
	x256 uint8  // xterm's 256 colours, 16 and up
	x16  uint8  // 0–7 normal, 8–15 bright; a ground is 0–7 only
}

// on is the colour for a profile; a ground keeps to 0–7 of the sixteen.
func (c color) on(p Profile, ground bool) imagecolor.Color {
	switch p {
	case TrueColor:
		return lipgloss.Color(fmt.Sprintf("#%06x", c.hex))
	case Color256:
		return lipgloss.Color(strconv.Itoa(int(c.x256)))
	}
	if ground {
		return lipgloss.Color(strconv.Itoa(int(c.x16 & 7)))
	}
	return lipgloss.Color(strconv.Itoa(int(c.x16)))
}

// palette is a theme's colours by use.
type palette struct {
	paper, ink   color // ground and text
	quiet        color
	strong       color
	accent       color
	good         color
	bad          color
	warn         color
	rule         color
	raised       color // ground of a field
	tile         color // ground of a key of the keypad
	pick, picked color // ground and text of the selection
}

// The QR code is the same in every theme: true white and true black.
var (
	qrWhite = color{0xFFFFFF, 231, 15}
	qrBlack = color{0x000000, 16, 0}
)

// palettes are the themes with colour. The contrast of every text colour on
// its ground is at least 4.5:1 (7:1 for high contrast); a test computes it.
// The 16 colours keep to grounds 0–7: the Linux console shows bright grounds
// as dark ones (devices §8).
var palettes = map[string]palette{
	"dark": {
		paper:  color{0x15181D, 234, 0},
		ink:    color{0xD3D7DE, 252, 7},
		quiet:  color{0x8D95A3, 246, 7},
		strong: color{0xFFFFFF, 231, 15},
		accent: color{0x6CC7E8, 117, 14},
		good:   color{0x73D58A, 114, 10},
		bad:    color{0xFF7A75, 210, 9},
		warn:   color{0xF2C063, 221, 11},
		rule:   color{0x3A414C, 238, 8},
		raised: color{0x262C35, 236, 4},
		tile:   color{0x262C35, 236, 0},
		pick:   color{0x1F4457, 24, 6},
		picked: color{0xFFFFFF, 231, 15},
	},
	"light": {
		paper:  color{0xFBFAF7, 231, 7},
		ink:    color{0x23272E, 235, 0},
		quiet:  color{0x636B77, 241, 0},
		strong: color{0x000000, 16, 0},
		accent: color{0x005F87, 24, 4},
		good:   color{0x1A6B33, 22, 0},
		bad:    color{0xB3231C, 124, 1},
		warn:   color{0x8A5200, 94, 0},
		rule:   color{0xC9C7C0, 251, 0},
		raised: color{0xECEAE3, 255, 6},
		tile:   color{0xECEAE3, 255, 7},
		pick:   color{0xCBE4EF, 153, 4},
		picked: color{0x000000, 16, 7},
	},
	"high-contrast": {
		paper:  color{0x000000, 16, 0},
		ink:    color{0xFFFFFF, 231, 15},
		quiet:  color{0xDADADA, 253, 7},
		strong: color{0xFFFFFF, 231, 15},
		accent: color{0xFFFF5F, 227, 11},
		good:   color{0x5FFF87, 84, 10},
		bad:    color{0xFF9C94, 217, 9},
		warn:   color{0xFFD75F, 221, 11},
		rule:   color{0xBCBCBC, 250, 7},
		raised: color{0x303030, 236, 4},
		tile:   color{0x303030, 236, 0},
		pick:   color{0xFFFF5F, 227, 7},
		picked: color{0x000000, 16, 0},
	},
	// Good is blue and bad is orange, a pair that the common colour
	// deficiencies keep apart (Okabe and Ito, Color Universal Design).
	"colour-blind": {
		paper:  color{0x15181D, 234, 0},
		ink:    color{0xD3D7DE, 252, 7},
		quiet:  color{0x8D95A3, 246, 7},
		strong: color{0xFFFFFF, 231, 15},
		accent: color{0xFFFFFF, 231, 15},
		good:   color{0x56B4E9, 74, 14},
		bad:    color{0xE69F00, 214, 11},
		warn:   color{0xF0E442, 227, 15},
		rule:   color{0x3A414C, 238, 8},
		raised: color{0x262C35, 236, 4},
		tile:   color{0x262C35, 236, 0},
		pick:   color{0x004F7C, 24, 4},
		picked: color{0xFFFFFF, 231, 15},
	},
}

// look is how a role is drawn: colours and attributes.
type look struct {
	fg, bg color
	bold   bool
}

// looks gives every role its look in a palette.
func (p palette) looks() [roleCount]look {
	return [roleCount]look{
		Text:      {p.ink, p.paper, false},
		Quiet:     {p.quiet, p.paper, false},
		Strong:    {p.strong, p.paper, true},
		Accent:    {p.accent, p.paper, false},
		Good:      {p.good, p.paper, true},
		Bad:       {p.bad, p.paper, true},
		Warn:      {p.warn, p.paper, true},
		Rule:      {p.rule, p.paper, false},
		Inverse:   {p.paper, p.ink, false},
		Selection: {p.picked, p.pick, true},
		Field:     {p.strong, p.raised, false},
		Tile:      {p.ink, p.tile, false},
		QR:        {qrWhite, qrBlack, false},
	}
}

// plainLooks are the attributes of each role without colour (SGR parameters):
// bold 1, faint 2, underline 4, reverse 7. The Linux console gets neither faint
// nor underline, which it shows as colours.
var plainLooks = [roleCount]struct{ terminal, console string }{
	Strong:    {"1", "1"},
	Accent:    {"1", "1"},
	Good:      {"1", "1"},
	Bad:       {"1", "1"},
	Warn:      {"1", "1"},
	Inverse:   {"7", "7"},
	Selection: {"7", "7"},
	Field:     {"4", ""},
}
