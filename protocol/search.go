package protocol

import (
	"strings"
	"unicode"
)

// accents are the letters that a keyboard of another language types without
// their marks.
var accents = strings.NewReplacer(
	"à", "a", "á", "a", "â", "a", "ã", "a", "ä", "a", "å", "a", "æ", "ae", "ç", "c",
	"è", "e", "é", "e", "ê", "e", "ë", "e", "ì", "i", "í", "i", "î", "i", "ï", "i",
	"ñ", "n", "ò", "o", "ó", "o", "ô", "o", "õ", "o", "ö", "o", "ø", "o", "œ", "oe",
	"ß", "ss", "ù", "u", "ú", "u", "û", "u", "ü", "u", "ý", "y", "ÿ", "y", "ł", "l",
	"ś", "s", "š", "s", "ż", "z", "ź", "z", "ž", "z", "č", "c", "ć", "c", "ř", "r",
)

// Fold makes text comparable: lower case, without accents.
func Fold(text string) string { return accents.Replace(strings.ToLower(text)) }

// Bounds of what is searched for and by.
const (
	maxSearchWords = 64
	maxSearchWord  = 40 // bytes
)

// SearchWords takes texts apart into folded words of letters, digits and points
// within, each once: what a search compares by their beginnings. A decimal
// comma counts as a point.
func SearchWords(texts ...string) []string {
	var words []string
	seen := map[string]struct{}{}
	for _, text := range texts {
		for _, word := range strings.FieldsFunc(Fold(text), func(r rune) bool {
			return r != '.' && r != ',' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
		}) {
			word = strings.Trim(strings.ReplaceAll(word, ",", "."), ".")
			if len(word) > maxSearchWord {
				word = strings.ToValidUTF8(word[:maxSearchWord], "")
			}
			if _, known := seen[word]; known || word == "" {
				continue
			}
			if seen[word] = struct{}{}; len(words) == maxSearchWords {
				return words
			}
			words = append(words, word)
		}
	}
	return words
}

// SearchWords are those by which the sale is found: its number with and without
// leading noughts, who made it, its total, note and lines.
func (o SaleOpened) SearchWords(more ...string) []string {
	texts := append([]string{o.Number, strings.TrimLeft(o.Number, "0"), o.User, o.Total.Decimal(), o.Note}, more...)
	for _, line := range o.Lines {
		texts = append(texts, line.Name, line.SKU)
	}
	return SearchWords(texts...)
}

// Dictionary gives those of the words by whose beginnings they are looked up:
// all but whole numbers, of which there is one for every sale.
func Dictionary(words []string) []string {
	var entries []string
	for _, word := range words {
		if strings.ContainsFunc(word, func(r rune) bool { return r < '0' || r > '9' }) {
			entries = append(entries, word)
		}
	}
	return entries
}

// MaxCompletions is how many words of the dictionary the beginning of one stands for.
const MaxCompletions = 40

// MatchWords writes a query of SQLite's FTS5 for sales that have, for each typed
// word, it or one of the words that begin with it. complete looks those up in
// the dictionary: prefix queries of FTS5 read all matches before the first.
func MatchWords(words []string, complete func(prefix string) ([]string, error)) (string, error) {
	var query strings.Builder
	for i, word := range words {
		if i > 0 {
			query.WriteString(" AND ")
		}
		query.WriteString(`("` + word + `"`)
		more, err := complete(word)
		if err != nil {
			return "", err
		}
		for _, other := range more {
			if other != word {
				query.WriteString(` OR "` + other + `"`)
			}
		}
		query.WriteString(")")
	}
	return query.String(), nil
}
