package story

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode/utf8"
)

// keyboard is the program's input: what is put into it waits until it is read,
// as in the kernel's buffer of a tty.
type keyboard struct {
	mu     sync.Mutex
	bytes  []byte
	closed bool
	more   sync.Cond
}

func newKeyboard() *keyboard {
	k := &keyboard{}
	k.more.L = &k.mu
	return k
}

func (k *keyboard) put(input string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.bytes = append(k.bytes, input...)
	k.more.Broadcast()
}

// Write puts the terminal's own answers among the keys.
func (k *keyboard) Write(p []byte) (int, error) {
	k.put(string(p))
	return len(p), nil
}

// Read waits for input; io.EOF follows the last of it after close.
func (k *keyboard) Read(p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for len(k.bytes) == 0 && !k.closed {
		k.more.Wait()
	}
	if len(k.bytes) == 0 {
		return 0, io.EOF
	}
	n := copy(p, k.bytes)
	k.bytes = k.bytes[n:]
	return n, nil
}

func (k *keyboard) close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed = true
	k.more.Broadcast()
}

func isLinux(term string) bool { return term == "linux" || strings.HasPrefix(term, "linux-") }

// knownTerm tells whether it is known what the keys of a TERM send.
func knownTerm(term string) bool {
	for _, family := range []string{"xterm", "linux", "screen", "tmux"} {
		if term == family || strings.HasPrefix(term, family+"-") {
			return true
		}
	}
	return false
}

// What keys send, beside the letters (terminfo of ncurses 6.4, xterm's
// ctlseqs, console_codes(4)). Shift-Tab of the console is that of Debian's
// keyboard maps.
var (
	commonKeys = map[string]string{
		"enter": "\r", "esc": "\x1b", "tab": "\t", "shift+tab": "\x1b[Z", "space": " ", "backspace": "\x7f",
		"delete": "\x1b[3~", "insert": "\x1b[2~", "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D",
		"home": "\x1b[1~", "end": "\x1b[4~", "pgup": "\x1b[5~", "pgdn": "\x1b[6~", "pgdown": "\x1b[6~", // as Bubble Tea calls it
		"f1": "\x1bOP", "f2": "\x1bOQ", "f3": "\x1bOR", "f4": "\x1bOS", "f5": "\x1b[15~", "f6": "\x1b[17~",
		"f7": "\x1b[18~", "f8": "\x1b[19~", "f9": "\x1b[20~", "f10": "\x1b[21~", "f11": "\x1b[23~", "f12": "\x1b[24~",
	}
	linuxKeys = map[string]string{
		"shift+tab": "\x1b\t", "f1": "\x1b[[A", "f2": "\x1b[[B", "f3": "\x1b[[C", "f4": "\x1b[[D", "f5": "\x1b[[E",
	}
	xtermKeys = map[string]string{"home": "\x1b[H", "end": "\x1b[F"}
)

// keyBytes are what a key sends on a terminal, whose cursor keys may be in
// application mode. The error is for a key that sends nothing there.
func keyBytes(term, key string, application bool) (string, error) {
	if rest, found := strings.CutPrefix(key, "ctrl+"); found {
		return control(rest)
	}
	if rest, found := strings.CutPrefix(key, "alt+"); found {
		return "\x1b" + rest, nil
	}
	own := xtermKeys
	if isLinux(term) {
		own = linuxKeys
	} else if !strings.HasPrefix(term, "xterm") {
		own = nil
	}
	for _, keys := range []map[string]string{own, commonKeys} {
		if bytes, found := keys[key]; found {
			if rest, csi := strings.CutPrefix(bytes, "\x1b["); application && csi && len(rest) == 1 && rest != "Z" {
				return "\x1bO" + rest, nil
			}
			return bytes, nil
		}
	}
	if utf8.RuneCountInString(key) != 1 {
		return "", fmt.Errorf("there is no key %q", key)
	}
	return key, nil
}

// control is the character that Ctrl makes of another.
func control(key string) (string, error) {
	switch c := strings.ToLower(key); {
	case c == "@":
		return "\x00", nil
	case c == "?":
		return "\x7f", nil
	case len(c) == 1 && (c >= "a" && c <= "z" || strings.Contains(`[\]^_`, c)):
		return string(rune(c[0] & 0x1f)), nil
	}
	return "", fmt.Errorf("ctrl+%s sends nothing on a terminal", key)
}

// pasted is how pasted text arrives: in brackets if the program asked for them,
// its line feeds as Enter sends them, and never with the end bracket inside.
func pasted(text string, brackets bool) string {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\r"), "\n", "\r")
	if !brackets {
		return text
	}
	return "\x1b[200~" + strings.ReplaceAll(text, "\x1b[201~", "") + "\x1b[201~"
}
