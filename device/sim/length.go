package sim

// parameters is the number of parameter bytes of the commands that have a fixed
// number, by their two leading bytes (Epson's guide, command list). Drawer
// pulses, code pages and the rest of section 2 of devices.md are among them.
var parameters = map[[2]byte]int{
	{0x1B, ' '}: 1, {0x1B, '!'}: 1, {0x1B, '$'}: 2, {0x1B, '%'}: 1, {0x1B, '-'}: 1, {0x1B, '2'}: 0,
	{0x1B, '3'}: 1, {0x1B, '='}: 1, {0x1B, '?'}: 1, {0x1B, '@'}: 0, {0x1B, 'B'}: 2, {0x1B, 'E'}: 1,
	{0x1B, 'G'}: 1, {0x1B, 'J'}: 1, {0x1B, 'L'}: 0, {0x1B, 'M'}: 1, {0x1B, 'R'}: 1, {0x1B, 'S'}: 0,
	{0x1B, 'T'}: 1, {0x1B, 'V'}: 1, {0x1B, '\\'}: 2, {0x1B, 'a'}: 1, {0x1B, 'c'}: 2, {0x1B, 'd'}: 1,
	{0x1B, 'i'}: 0, {0x1B, 'm'}: 0, {0x1B, 'p'}: 3, {0x1B, 't'}: 1, {0x1B, 'u'}: 1, {0x1B, 'v'}: 0,
	{0x1B, '{'}: 1,
	{0x1C, '!'}: 1, {0x1C, '&'}: 0, {0x1C, '-'}: 1, {0x1C, '.'}: 0, {0x1C, 'C'}: 1, {0x1C, 'S'}: 2,
	{0x1C, 'W'}: 1, {0x1C, 'p'}: 2,
	{0x1D, '!'}: 1, {0x1D, '$'}: 2, {0x1D, '/'}: 1, {0x1D, ':'}: 0, {0x1D, 'B'}: 1, {0x1D, 'H'}: 1,
	{0x1D, 'I'}: 1, {0x1D, 'L'}: 2, {0x1D, 'P'}: 2, {0x1D, 'T'}: 1, {0x1D, 'W'}: 2, {0x1D, '\\'}: 2,
	{0x1D, '^'}: 3, {0x1D, 'a'}: 1, {0x1D, 'b'}: 1, {0x1D, 'f'}: 1, {0x1D, 'h'}: 1, {0x1D, 'j'}: 1,
	{0x1D, 'r'}: 1, {0x1D, 'w'}: 1,
	{0x10, 0x04}: 1, {0x10, 0x05}: 1,
}

// commandLength is the length of the command that begins so, as far as it can
// be told: more than len(c) means that bytes are missing.
func commandLength(c []byte) int {
	if len(c) < 2 {
		return 2
	}
	at := func(i int) int {
		if i < len(c) {
			return int(c[i])
		}
		return 0
	}
	head := [2]byte{c[0], c[1]}
	if n, ok := parameters[head]; ok {
		return 2 + n
	}
	// known tells the length from a field of the command, once it is there.
	known := func(fields, rest int) int {
		if len(c) < fields {
			return fields
		}
		return fields + rest
	}
	switch head {
	case [2]byte{0x1D, '('}, [2]byte{0x1C, '('}: // x pL pH …
		return known(5, at(3)|at(4)<<8)
	case [2]byte{0x1D, '8'}: // L p1 p2 p3 p4 …
		return known(7, at(3)|at(4)<<8|at(5)<<16|at(6)<<24)
	case [2]byte{0x1D, 'v'}: // 0 m xL xH yL yH …
		return known(8, (at(4)|at(5)<<8)*(at(6)|at(7)<<8))
	case [2]byte{0x1B, '*'}: // m nL nH …
		column := 1
		if at(2) >= 32 {
			column = 3
		}
		return known(5, (at(3)|at(4)<<8)*column)
	case [2]byte{0x1D, '*'}: // x y …
		return known(4, at(2)*at(3)*8)
	case [2]byte{0x1D, 'V'}: // m, or m n
		if m := at(2); len(c) >= 3 && m != 0 && m != 1 && m != '0' && m != '1' {
			return 4
		}
		return 3
	case [2]byte{0x1D, 'k'}: // m … NUL, or m n …
		if len(c) >= 3 && at(2) >= 65 {
			return known(4, at(3))
		}
		return untilZero(c, 3)
	case [2]byte{0x1B, 'D'}: // … NUL
		return untilZero(c, 2)
	case [2]byte{0x10, 0x14}: // fn …
		switch at(2) {
		case 8:
			return 10
		case 7:
			return 4
		}
		return 5
	}
	return 2
}

// untilZero is the length of a command whose parameters end with NUL.
func untilZero(c []byte, from int) int {
	if len(c) > from && c[len(c)-1] == 0 {
		return len(c)
	}
	return len(c) + 1
}
