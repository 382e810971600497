package story

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

type tokenKind int

const (
	tokenWord tokenKind = iota
	tokenString
	tokenPattern
	tokenVar
)

type token struct {
	kind    tokenKind
	text    string // unescaped; of a variable without its $
	pattern *regexp.Regexp
}

// maxLine bounds a line, maxStory a file, in bytes.
const (
	maxLine  = 64 << 10
	maxStory = 4 << 20
)

// lex splits a line into tokens; a # that begins a token ends the line. Behind
// press and hold, where keys stand, every token is a word.
func lex(line string) (tokens []token, statement string, err error) {
	if len(line) > maxLine {
		return nil, "", fmt.Errorf("the line has more than %d bytes", maxLine)
	}
	if !utf8.ValidString(line) {
		return nil, "", fmt.Errorf("the line is not UTF-8")
	}
	whole := line
	for {
		line = strings.TrimLeft(line, " \t\r")
		if line == "" || line[0] == '#' {
			return tokens, strings.TrimSpace(whole[:len(whole)-len(line)]), nil
		}
		var t token
		switch c := line[0]; {
		case c == '"' && !keysFollow(tokens):
			t, line, err = lexString(line)
		case c == '/' && !keysFollow(tokens):
			t, line, err = lexPattern(line)
		default:
			end := strings.IndexAny(line, " \t\r")
			if end < 0 {
				end = len(line)
			}
			t = token{kind: tokenWord, text: line[:end]}
			if name, found := strings.CutPrefix(t.text, "$"); found && !keysFollow(tokens) {
				if !isName(name) {
					return nil, "", fmt.Errorf("%s is not a variable", t.text)
				}
				t = token{kind: tokenVar, text: name}
			}
			line = line[end:]
		}
		if err != nil {
			return nil, "", err
		}
		tokens = append(tokens, t)
	}
}

// keysFollow tells whether the statement is press or hold.
func keysFollow(tokens []token) bool {
	for i, t := range tokens {
		switch {
		case t.kind != tokenWord:
			return false
		case t.text == "press" || t.text == "hold":
			return i == 0 || tokens[0].text == "on"
		}
	}
	return false
}

func lexString(line string) (token, string, error) {
	var b strings.Builder
	for i := 1; i < len(line); i++ {
		switch c := line[i]; c {
		case '"':
			return token{kind: tokenString, text: b.String()}, line[i+1:], nil
		case '\\':
			i++
			if i == len(line) {
				return token{}, "", fmt.Errorf("a string does not end")
			}
			switch line[i] {
			case '"', '\\':
				b.WriteByte(line[i])
			case 'n':
				b.WriteByte('\n')
			case 't':
				b.WriteByte('\t')
			case 'e':
				b.WriteByte(0x1b)
			case 'x':
				if i+2 >= len(line) {
					return token{}, "", fmt.Errorf(`\x needs two hexadecimal digits`)
				}
				v, err := strconv.ParseUint(line[i+1:i+3], 16, 8)
				if err != nil {
					return token{}, "", fmt.Errorf(`\x needs two hexadecimal digits`)
				}
				b.WriteByte(byte(v))
				i += 2
			default:
				return token{}, "", fmt.Errorf(`there is no escape \%c`, line[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return token{}, "", fmt.Errorf("a string does not end")
}

func lexPattern(line string) (token, string, error) {
	for i := 1; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case '/':
			source, rest := strings.ReplaceAll(line[1:i], `\/`, "/"), line[i+1:]
			if r, found := strings.CutPrefix(rest, "i"); found {
				source, rest = "(?i)"+source, r
			}
			if rest != "" && !strings.ContainsAny(rest[:1], " \t\r") {
				return token{}, "", fmt.Errorf("a regular expression ends in / or /i")
			}
			pattern, err := regexp.Compile(source)
			if err != nil {
				return token{}, "", fmt.Errorf("regular expression: %w", err)
			}
			return token{kind: tokenPattern, text: line[1:i], pattern: pattern}, rest, nil
		}
	}
	return token{}, "", fmt.Errorf("a regular expression does not end")
}

func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || i > 0 && c >= '0' && c <= '9') {
			return false
		}
	}
	return s != ""
}
