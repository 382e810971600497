package widget

import (
	"bytes"
	"fmt"
	"image"
	imgcolor "image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// raster draws cells of w × 2w pixels as a terminal does: the ground, and the
// ink of ▀ ▄ █.
func raster(t testing.TB, cells [][]cell, w int) *image.RGBA {
	t.Helper()
	cellW, cellH := w, 2*w
	img := image.NewRGBA(image.Rect(0, 0, cellW*len(cells[0]), cellH*len(cells)))
	for y, row := range cells {
		for x, c := range row {
			for py := range cellH {
				rgb := c.ground()
				switch {
				case c.text == "█", c.text == "▀" && py < cellH/2, c.text == "▄" && py >= cellH/2:
					rgb = c.ink()
				case c.text != "█" && c.text != "▀" && c.text != "▄" && c.text != " ":
					t.Fatalf("a QR code holds %q", c.text)
				}
				for px := range cellW {
					img.SetRGBA(x*cellW+px, y*cellH+py, imgcolor.RGBA{uint8(rgb >> 16), uint8(rgb >> 8), uint8(rgb), 0xFF})
				}
			}
		}
	}
	return img
}

// readModules turns cells back into modules: it knows nothing of how they were
// drawn, but that a module is width pixels wide and as high, light or dark.
func readModules(t testing.TB, cells [][]cell, side int) [][]bool {
	t.Helper()
	img := raster(t, cells, 2)
	b := img.Bounds()
	width := b.Dx() / side
	out := make([][]bool, side)
	for y := range out {
		out[y] = make([]bool, side)
		for x := range out[y] {
			var lo, hi uint8 = 0xFF, 0
			for py := y * width; py < (y+1)*width; py++ {
				for px := x * width; px < (x+1)*width; px++ {
					g := img.RGBAAt(px, py).G
					lo, hi = min(lo, g), max(hi, g)
				}
			}
			if hi-lo > 0x10 {
				t.Fatalf("module %d,%d is neither light nor dark", x, y)
			}
			out[y][x] = hi < 0x80
		}
	}
	return out
}

// grounds are the terminal's own colours under which a code must scan.
func grounds(term Terminal) (fg, bg uint32) {
	if term.Light {
		return 0x000000, 0xFFFFFF
	}
	return 0xAAAAAA, 0x000000
}

func qrTerminals() map[string]Terminal {
	out := map[string]Terminal{
		"light-nocolor":        {Profile: NoColor, Blocks: true, Light: true},
		"light-nocolor-spaces": {Profile: NoColor, Light: true},
	}
	for k, v := range terminals {
		out[k] = v
	}
	return out
}

func TestAQRCodeReadsBackFromItsCells(t *testing.T) {
	for kind, term := range qrTerminals() {
		for _, theme := range ThemeNames() {
			th := mustTheme(t, theme, term)
			fg, bg := grounds(term)
			for _, name := range []string{"uri", "address", "long"} {
				m := loadQR(t, name)
				for _, a := range []Area{{40, 20}, {80, 24}, {100, 50}, {128, 48}, {200, 60}, {240, 120}} {
					code, ok := DrawQR(th, a, m)
					if !ok {
						continue
					}
					if s := code.Size(); s.W > a.W || s.H > a.H {
						t.Fatalf("%s %s: %v for %v", kind, name, s, a)
					}
					side := m.Size() + 2*code.Quiet
					read := readModules(t, readCells(t, th.String(code.Block), fg, bg), side)
					for y := range read {
						for x, dark := range read[y] {
							mx, my := x-code.Quiet, y-code.Quiet
							want := mx >= 0 && my >= 0 && mx < m.Size() && my < m.Size() && m.Dark(mx, my)
							if dark != want {
								t.Fatalf("%s %s %s in %v: module %d,%d", theme, kind, name, a, mx, my)
							}
						}
					}
				}
			}
		}
	}
}

func TestTheQRCodeIsDrawnAsLargeAsItFits(t *testing.T) {
	uri, long := loadQR(t, "uri"), loadQR(t, "long") // 29 and 37 modules
	blocks := mustTheme(t, "dark", Terminal{Profile: Color16, Glyphs: Console, Blocks: true})
	spaces := mustTheme(t, "dark", Terminal{Profile: Color16, Glyphs: Console})
	for _, c := range []struct {
		name   string
		th     *Theme
		a      Area
		codes  []Modules
		method Method
		scale  int
		quiet  int
		which  int
	}{
		{"half blocks fit 37 columns and 19 rows exactly", blocks, Area{37, 19}, []Modules{uri}, HalfBlocks, 1, 4, 0},
		{"one row less leaves 2 quiet modules", blocks, Area{37, 18}, []Modules{uri}, HalfBlocks, 1, 2, 0},
		{"one column less too", blocks, Area{36, 19}, []Modules{uri}, HalfBlocks, 1, 2, 0},
		{"nothing fits: print it", blocks, Area{32, 16}, []Modules{uri}, PrintIt, 0, 0, 0},
		{"a large area has whole modules", blocks, Area{100, 50}, []Modules{uri}, WholeModules, 2, 4, 0},
		{"a larger one magnifies", blocks, Area{130, 60}, []Modules{uri}, HalfBlocks, 3, 4, 0},
		{"the smaller code with 4 quiet modules comes before the larger with 2", blocks, Area{41, 21}, []Modules{long, uri}, HalfBlocks, 1, 4, 1},
		{"without blocks a module is two columns and a row", spaces, Area{80, 37}, []Modules{uri}, Spaces, 2, 4, 0},
		{"spaces do not fit a 24 row screen", spaces, Area{80, 24}, []Modules{uri}, PrintIt, 0, 0, 0},
		{"no area", blocks, Area{0, 0}, []Modules{uri}, PrintIt, 0, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, ok := DrawQR(c.th, c.a, c.codes...)
			if ok != (c.method != PrintIt) || code.Method != c.method || code.Scale != c.scale || code.Quiet != c.quiet || code.Which != c.which {
				t.Errorf("%v %+v", ok, Code{Method: code.Method, Scale: code.Scale, Quiet: code.Quiet, Which: code.Which})
			}
		})
	}
}

func TestAScannerReadsTheCells(t *testing.T) {
	zbar, err := exec.LookPath("zbarimg")
	if err != nil {
		t.Skip("zbarimg is not installed")
	}
	const uri = "BITCOIN:BC1QCR8TE4KR609GCAWUTMRZA0J4XV80JY8Z306FYU?amount=0.00021163"
	for kind, term := range qrTerminals() {
		for _, a := range []Area{{40, 20}, {33, 17}, {80, 40}} {
			t.Run(fmt.Sprintf("%s-%dx%d", kind, a.W, a.H), func(t *testing.T) {
				th := mustTheme(t, "dark", term)
				code, ok := DrawQR(th, a, loadQR(t, "uri"))
				if !ok {
					t.Skip("does not fit")
				}
				fg, bg := grounds(term)
				// On the screen the code stands among blank cells.
				screen := code.Place(Area{a.W + 8, a.H + 4}, Center, Center)
				var buf bytes.Buffer
				if err := png.Encode(&buf, raster(t, readCells(t, th.String(screen), fg, bg), 8)); err != nil {
					t.Fatal(err)
				}
				path := filepath.Join(t.TempDir(), "screen.png")
				if err := os.WriteFile(path, buf.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
				out, err := exec.Command(zbar, "-q", "--raw", path).Output()
				if err != nil || strings.TrimSpace(string(out)) != uri {
					t.Errorf("read %q, %v", out, err)
				}
			})
		}
	}
}
