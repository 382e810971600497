package tui

import (
	"io"
	"os"
)

// consoleKeys rewrites what the Linux console sends for F1 to F5,
// 1B 5B 5B 41 … 45, as the VT220's 1B 5B 31 31 7E … 35 7E. Bubble Tea 2.0.10
// takes the former for the letters A to E, and an F1 would type into an amount
// (devices.md §8). All other bytes pass as they are.
//
// The escape and the first bracket pass at once, since they may be keys of their
// own; only a second bracket is held until the next byte.
type consoleKeys struct {
	seen int // bytes of 1B 5B 5B seen so far
}

// rewrite gives what the bytes of p become.
func (k *consoleKeys) rewrite(out, p []byte) []byte {
	for _, b := range p {
		switch {
		case k.seen == 3 && b >= 'A' && b <= 'E':
			out = append(out, '1', '1'+b-'A', '~')
			k.seen = 0
			continue
		case k.seen == 3:
			out = append(out, '[')
			k.seen = 0
		}
		switch {
		case b == 0x1b:
			k.seen = 1
		case b == '[' && (k.seen == 1 || k.seen == 2):
			k.seen++
		default:
			k.seen = 0
		}
		if k.seen < 3 {
			out = append(out, b)
		}
	}
	return out
}

// consoleReader is an input with its keys rewritten.
type consoleReader struct {
	io.Reader
	keys    consoleKeys
	pending []byte
}

// Read gives rewritten bytes. A read that brought only the held bracket gives
// none and no error, as io.Reader allows.
func (r *consoleReader) Read(p []byte) (int, error) {
	if len(r.pending) == 0 {
		raw := make([]byte, len(p))
		n, err := r.Reader.Read(raw)
		r.pending = r.keys.rewrite(r.pending[:0], raw[:n])
		if err != nil && len(r.pending) == 0 {
			return 0, err
		}
	}
	n := copy(p, r.pending)
	r.pending = r.pending[n:]
	return n, nil
}

// consoleFile is a tty with its keys rewritten; it is still a file, so that
// Bubble Tea puts it into raw mode.
type consoleFile struct {
	*os.File
	reader consoleReader
}

func (f *consoleFile) Read(p []byte) (int, error) { return f.reader.Read(p) }

// WriteTo hides the file's own, which would pass the reader by.
func (f *consoleFile) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{&f.reader})
}

// translated wraps an input for the Linux console.
func translated(in io.Reader) io.Reader {
	if f, ok := in.(*os.File); ok {
		return &consoleFile{File: f, reader: consoleReader{Reader: f}}
	}
	return &consoleReader{Reader: in}
}
