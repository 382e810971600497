package widget

import (
	"math"
	"strings"
	"testing"
)

// luminance is the relative luminance of WCAG 2.2.
func luminance(rgb uint32) float64 {
	part := func(v uint32) float64 {
		c := float64(v&0xFF) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*part(rgb>>16) + 0.7152*part(rgb>>8) + 0.0722*part(rgb)
}

func contrast(a, b uint32) float64 {
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

func TestEveryTextRoleHasContrast(t *testing.T) {
	for _, name := range ThemeNames() {
		if name == "none" {
			continue
		}
		for profile, label := range map[Profile]string{TrueColor: "true colour", Color256: "256 colours", Color16: "16 colours"} {
			th := mustTheme(t, name, Terminal{Profile: profile})
			for r := Text; r < roleCount; r++ {
				least := 4.5
				switch {
				case r == Rule:
					continue // decoration
				case name == "high-contrast" && profile == Color16:
					least = 6.5 // the palette's brightest red
				case name == "high-contrast":
					least = 7
				case profile == Color16, name == "16":
					least = 2.8 // the console's palette; marks and words carry the meaning
				}
				c := readCells(t, th.String(Lines(r.Line("x"))), 0, 0)[0][0]
				if got := contrast(c.ink(), c.ground()); got < least {
					t.Errorf("%s in %s: role %d has contrast %.1f, want %.1f", name, label, r, got, least)
				}
			}
		}
	}
}

func TestNoColourThemesHoldNoColour(t *testing.T) {
	for _, th := range []*Theme{
		mustTheme(t, "none", Terminal{Profile: TrueColor, Blocks: true}),
		mustTheme(t, "dark", Terminal{Profile: NoColor, Blocks: true}),
	} {
		for _, s := range scenes() {
			for _, row := range readCells(t, th.String(s.draw(t, th, Area{80, 24})), 1, 2) {
				for _, c := range row {
					if c.fg != 1 || c.bg != 2 {
						t.Fatalf("%s: a coloured cell %+v", s.name, c)
					}
				}
			}
		}
	}
}

func TestTheLinuxConsoleGetsNothingItCannotShow(t *testing.T) {
	missing := "○✓▀▄▌▐₿⌫▓"
	for _, name := range ThemeNames() {
		th := mustTheme(t, name, Terminal{Profile: Color16, Glyphs: Console})
		for _, s := range scenes() {
			out := th.String(s.draw(t, th, Area{80, 24}))
			if i := strings.IndexAny(out, missing); i >= 0 {
				t.Errorf("%s shows a glyph the console's font lacks: %q", s.name, out[i:i+3])
			}
			for _, seq := range strings.Split(out, "\x1b[")[1:] {
				params, _, _ := strings.Cut(seq, "m")
				for _, p := range strings.Split(params, ";") {
					if p == "2" || p == "3" || p == "4" || p == "38" || p == "48" || len(p) == 3 {
						t.Fatalf("%s: SGR %s on the console", s.name, params)
					}
				}
			}
		}
	}
}

func TestAnUnknownThemeIsRefusedWithTheNames(t *testing.T) {
	_, err := NewTheme("solarized", Terminal{})
	if err == nil || !strings.Contains(err.Error(), "colour-blind") {
		t.Errorf("%v", err)
	}
}

func TestAThemeChangesNoText(t *testing.T) {
	plain := func(th *Theme, s scene) string {
		var b strings.Builder
		for _, row := range readCells(t, th.String(s.draw(t, th, Area{80, 24})), 0, 0) {
			for _, c := range row {
				b.WriteString(c.text)
			}
			b.WriteByte('\n')
		}
		return b.String()
	}
	for _, s := range scenes() {
		want := plain(mustTheme(t, "dark", Terminal{Blocks: true}), s)
		for _, name := range ThemeNames() {
			if got := plain(mustTheme(t, name, Terminal{Blocks: true}), s); got != want {
				t.Errorf("%s reads differently in %s", s.name, name)
			}
		}
	}
}
