package device

// qrLevel is an error correction level (ISO/IEC 18004 section 7.5.1): how many
// codewords correct a block, and how many blocks there are, by version from 1
// (table 9).
type qrLevel struct {
	name   string
	format int // in the format information
	check  [41]int
	blocks [41]int
}

var (
	qrLow = qrLevel{"L", 1,
		[41]int{0, 7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28, 28, 28, 30, 30, 26, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30},
		[41]int{0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8, 8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25}}
	qrMedium = qrLevel{"M", 0,
		[41]int{0, 10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26, 26, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28},
		[41]int{0, 1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16, 17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47, 49}}
)

// qrCodewords is how many bytes a code of a version holds, corrections included.
func qrCodewords(version int) int {
	modules := (16*version+128)*version + 64
	if version >= 2 {
		n := version/7 + 2 // alignment patterns a side
		modules -= (25*n-10)*n - 55
		if version >= 7 {
			modules -= 36
		}
	}
	return modules / 8
}

// capacity is how many bits of data a code of a version holds.
func (l *qrLevel) capacity(version int) int {
	return 8 * (qrCodewords(version) - l.check[version]*l.blocks[version])
}

// codewords are the data with its corrections, interleaved (section 7.6).
func (l *qrLevel) codewords(bits qrBits, version int) []byte {
	room := l.capacity(version)
	bits.add(0, min(4, room-len(bits)))
	bits.add(0, (8-len(bits)%8)%8)
	for pad := uint(0xEC); len(bits) < room; pad ^= 0xEC ^ 0x11 {
		bits.add(pad, 8)
	}
	data := make([]byte, len(bits)/8)
	for i, bit := range bits {
		if bit {
			data[i/8] |= 1 << (7 - i%8)
		}
	}
	check, blocks, total := l.check[version], l.blocks[version], qrCodewords(version)
	divisor := qrDivisor(check)
	short, long := total/blocks-check, total%blocks // data of a block; the last blocks have one more
	parts, checks := make([][]byte, blocks), make([][]byte, blocks)
	for i := range parts {
		n := short
		if i >= blocks-long {
			n++
		}
		parts[i], data = data[:n], data[n:]
		checks[i] = qrRemainder(parts[i], divisor)
	}
	out := make([]byte, 0, total)
	for i := range short + 1 {
		for _, p := range parts {
			if i < len(p) {
				out = append(out, p[i])
			}
		}
	}
	for i := range check {
		for _, c := range checks {
			out = append(out, c[i])
		}
	}
	return out
}

// qrMultiply multiplies in the field of 256 elements modulo x^8+x^4+x^3+x^2+1.
func qrMultiply(a, b byte) byte {
	product := 0
	for i := 7; i >= 0; i-- {
		product = product<<1 ^ product>>7*0x11D
		product ^= int(b>>i&1) * int(a)
	}
	return byte(product)
}

// qrDivisor is the generator polynomial of so many corrections, highest power first
// without the leading 1.
func qrDivisor(degree int) []byte {
	out := make([]byte, degree)
	out[degree-1] = 1
	root := byte(1)
	for range degree {
		for j := range out {
			out[j] = qrMultiply(out[j], root)
			if j+1 < degree {
				out[j] ^= out[j+1]
			}
		}
		root = qrMultiply(root, 2)
	}
	return out
}

func qrRemainder(data, divisor []byte) []byte {
	out := make([]byte, len(divisor))
	for _, b := range data {
		factor := b ^ out[0]
		copy(out, out[1:])
		out[len(out)-1] = 0
		for i, d := range divisor {
			out[i] ^= qrMultiply(d, factor)
		}
	}
	return out
}

// qrGrid is a code being drawn: dark modules, and which are not data.
type qrGrid struct {
	size        int
	dark, fixed [][]bool
}

func newQRGrid(version int) *qrGrid {
	g := &qrGrid{size: 17 + 4*version}
	for range g.size {
		g.dark, g.fixed = append(g.dark, make([]bool, g.size)), append(g.fixed, make([]bool, g.size))
	}
	for i := range g.size { // timing
		g.set(6, i, i%2 == 0)
		g.set(i, 6, i%2 == 0)
	}
	for _, at := range [][2]int{{3, 3}, {g.size - 4, 3}, {3, g.size - 4}} {
		g.finder(at[0], at[1])
	}
	at := qrAlignments(version)
	for i, x := range at {
		for j, y := range at {
			last := len(at) - 1
			if i == 0 && j == 0 || i == 0 && j == last || i == last && j == 0 {
				continue // a finder stands there
			}
			for dy := -2; dy <= 2; dy++ {
				for dx := -2; dx <= 2; dx++ {
					g.set(x+dx, y+dy, max(max(dx, -dx), max(dy, -dy)) != 1)
				}
			}
		}
	}
	g.format(0)
	g.version(version)
	return g
}

// set draws a module that is not data.
func (g *qrGrid) set(x, y int, dark bool) { g.dark[y][x], g.fixed[y][x] = dark, true }

// finder draws a finder pattern with its border around a middle.
func (g *qrGrid) finder(x, y int) {
	for dy := -4; dy <= 4; dy++ {
		for dx := -4; dx <= 4; dx++ {
			if xx, yy := x+dx, y+dy; xx >= 0 && xx < g.size && yy >= 0 && yy < g.size {
				ring := max(max(dx, -dx), max(dy, -dy))
				g.set(xx, yy, ring != 2 && ring != 4)
			}
		}
	}
}

// qrAlignments are the middles of alignment patterns on a side (annex E).
func qrAlignments(version int) []int {
	if version == 1 {
		return nil
	}
	n := version/7 + 2
	step := (version*8 + n*3 + 5) / (n*4 - 4) * 2
	out := make([]int, n)
	for i, pos := n-1, 17+4*version-7; i > 0; i, pos = i-1, pos-step {
		out[i] = pos
	}
	out[0] = 6
	return out
}

// format draws the format information, level and mask, twice (section 7.9).
func (g *qrGrid) format(data int) {
	rest := data
	for range 10 {
		rest = rest<<1 ^ rest>>9*0x537
	}
	bits := (data<<10 | rest) ^ 0x5412
	bit := func(i int) bool { return bits>>i&1 == 1 }
	for i := range 6 {
		g.set(8, i, bit(i))
	}
	g.set(8, 7, bit(6))
	g.set(8, 8, bit(7))
	g.set(7, 8, bit(8))
	for i := 9; i < 15; i++ {
		g.set(14-i, 8, bit(i))
	}
	for i := range 8 {
		g.set(g.size-1-i, 8, bit(i))
	}
	for i := 8; i < 15; i++ {
		g.set(8, g.size-15+i, bit(i))
	}
	g.set(8, g.size-8, true)
}

// version draws the version information of large codes, twice (section 7.10).
func (g *qrGrid) version(version int) {
	if version < 7 {
		return
	}
	rest := version
	for range 12 {
		rest = rest<<1 ^ rest>>11*0x1F25
	}
	bits := version<<12 | rest
	for i := range 18 {
		a, b := g.size-11+i%3, i/3
		g.set(a, b, bits>>i&1 == 1)
		g.set(b, a, bits>>i&1 == 1)
	}
}

// fill sets the codewords in their zigzag, two columns at a time (section 7.7.3).
func (g *qrGrid) fill(codewords []byte) {
	i := 0
	for right := g.size - 1; right >= 1; right -= 2 {
		if right == 6 {
			right = 5
		}
		for step := range g.size {
			for _, x := range []int{right, right - 1} {
				y := step
				if (right+1)&2 == 0 {
					y = g.size - 1 - step
				}
				if !g.fixed[y][x] && i < 8*len(codewords) {
					g.dark[y][x] = codewords[i/8]>>(7-i%8)&1 == 1
					i++
				}
			}
		}
	}
}

// mask turns the data modules of a pattern over (section 7.8.2); a second time turns
// them back.
func (g *qrGrid) mask(pattern int) {
	for y := range g.size {
		for x := range g.size {
			if g.fixed[y][x] {
				continue
			}
			turn := [8]int{(x + y) % 2, y % 2, x % 3, (x + y) % 3, (x/3 + y/2) % 2, x*y%2 + x*y%3, (x*y%2 + x*y%3) % 2, ((x+y)%2 + x*y%3) % 2}[pattern] == 0
			g.dark[y][x] = g.dark[y][x] != turn
		}
	}
}

// penalty is how hard the code is to read (section 7.8.3): long runs, blocks, what
// looks like a finder, too much of one shade.
func (g *qrGrid) penalty() int {
	sum, dark := 0, 0
	for i := range g.size {
		sum += g.runs(func(j int) bool { return g.dark[i][j] }) + g.runs(func(j int) bool { return g.dark[j][i] })
	}
	for y := range g.size {
		for x := range g.size {
			if g.dark[y][x] {
				dark++
			}
			if x > 0 && y > 0 && g.dark[y][x] == g.dark[y-1][x] && g.dark[y][x] == g.dark[y][x-1] && g.dark[y][x] == g.dark[y-1][x-1] {
				sum += 3
			}
		}
	}
	total := g.size * g.size
	off := max(dark*20-total*10, total*10-dark*20)
	return sum + max(0, (off+total-1)/total-1)*10
}

// runs is the part of the penalty for one row or column.
func (g *qrGrid) runs(dark func(int) bool) int {
	sum, run := 0, 0
	window := 0 // the last eleven modules, dark is 1; beyond the edge all is light
	for j := -4; j < g.size+4; j++ {
		is := j >= 0 && j < g.size && dark(j)
		window = window << 1 & 0x7FF
		if is {
			window |= 1
		}
		if window == 0b10111010000 || window == 0b00001011101 {
			sum += 40
		}
		if j < 0 || j >= g.size {
			continue
		}
		if j > 0 && is == dark(j-1) {
			if run++; run == 5 {
				sum += 3
			} else if run > 5 {
				sum++
			}
		} else {
			run = 1
		}
	}
	return sum
}

// drawQR draws codewords with the mask that is the easiest to read.
func drawQR(codewords []byte, version int, level *qrLevel) [][]bool {
	g := newQRGrid(version)
	g.fill(codewords)
	best, least := 0, 0
	for pattern := range 8 {
		g.mask(pattern)
		g.format(level.format<<3 | pattern)
		if p := g.penalty(); pattern == 0 || p < least {
			best, least = pattern, p
		}
		g.mask(pattern)
	}
	g.mask(best)
	g.format(level.format<<3 | best)
	return g.dark
}
