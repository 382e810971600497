package sim

// lexer collects bytes into commands and characters.
type lexer struct {
	command []byte
	skip    int // bytes of a command too long to be one
}

// next takes a byte and gives back what it completes: a command, or a single
// byte that is none. Nil: more bytes are needed. refused is the length of a
// command that is too long and passes unseen.
func (l *lexer) next(b byte) (done []byte, refused int) {
	switch {
	case l.skip > 0:
		l.skip--
		return nil, 0
	case len(l.command) == 0 && b != 0x10 && b != 0x1B && b != 0x1C && b != 0x1D:
		return []byte{b}, 0
	}
	l.command = append(l.command, b)
	need := commandLength(l.command)
	switch {
	case need > maxCommand:
		l.skip, l.command = need-len(l.command), nil
		return nil, need
	case need > len(l.command):
		return nil, 0
	}
	done, l.command = l.command, nil
	return done, 0
}

// alone tells whether what is under way, or has just been done, is a real-time
// command that stands between others.
func (l *lexer) alone(done []byte) bool {
	return len(l.command) > 0 && l.command[0] == 0x10 || len(done) > 0 && done[0] == 0x10
}
