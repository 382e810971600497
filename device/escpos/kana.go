package escpos

import (
	"strings"
	"unicode/utf8"
)

// pageKana is JIS X 0201 in its upper half, Epson's page 1; 80–A0 and E0–FF hold
// drawings that are not used.
var pageKana = makePage(1, strings.Repeat(string(unused), 0x21)+halves)

// halves are the half-width forms of Unicode, U+FF61 to U+FF9F, bytes A1 to DF.
const halves = "｡｢｣､･ｦｧｨｩｪｫｬｭｮｯｰｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜﾝﾞﾟ"

// kanaTable has every katakana with its half-width form and its Hepburn
// spelling, in threes. A small one's spelling is what it adds.
const kanaTable = "ァ ｧ a ア ｱ a ィ ｨ i イ ｲ i ゥ ｩ u ウ ｳ u ェ ｪ e エ ｴ e ォ ｫ o オ ｵ o " +
	"カ ｶ ka ガ ｶﾞ ga キ ｷ ki ギ ｷﾞ gi ク ｸ ku グ ｸﾞ gu ケ ｹ ke ゲ ｹﾞ ge コ ｺ ko ゴ ｺﾞ go " +
	"サ ｻ sa ザ ｻﾞ za シ ｼ shi ジ ｼﾞ ji ス ｽ su ズ ｽﾞ zu セ ｾ se ゼ ｾﾞ ze ソ ｿ so ゾ ｿﾞ zo " +
	"タ ﾀ ta ダ ﾀﾞ da チ ﾁ chi ヂ ﾁﾞ ji ッ ｯ - ツ ﾂ tsu ヅ ﾂﾞ zu テ ﾃ te デ ﾃﾞ de ト ﾄ to ド ﾄﾞ do " +
	"ナ ﾅ na ニ ﾆ ni ヌ ﾇ nu ネ ﾈ ne ノ ﾉ no ハ ﾊ ha バ ﾊﾞ ba パ ﾊﾟ pa ヒ ﾋ hi ビ ﾋﾞ bi ピ ﾋﾟ pi " +
	"フ ﾌ fu ブ ﾌﾞ bu プ ﾌﾟ pu ヘ ﾍ he ベ ﾍﾞ be ペ ﾍﾟ pe ホ ﾎ ho ボ ﾎﾞ bo ポ ﾎﾟ po " +
	"マ ﾏ ma ミ ﾐ mi ム ﾑ mu メ ﾒ me モ ﾓ mo ャ ｬ ya ヤ ﾔ ya ュ ｭ yu ユ ﾕ yu ョ ｮ yo ヨ ﾖ yo " +
	"ラ ﾗ ra リ ﾘ ri ル ﾙ ru レ ﾚ re ロ ﾛ ro ワ ﾜ wa ヲ ｦ o ン ﾝ n ヴ ｳﾞ vu ー ｰ - " +
	"。 ｡ . 「 ｢ \" 」 ｣ \" 、 ､ , ・ ･ /"

// kana is a sign of the table.
type kana struct{ half, latin string }

var kanas = func() map[rune]kana {
	all := make(map[rune]kana, 100)
	words := strings.Fields(kanaTable)
	for i := 0; i+2 < len(words); i += 3 {
		r, _ := utf8.DecodeRuneInString(words[i])
		all[r] = kana{words[i+1], words[i+2]}
	}
	return all
}()

// katakana is r as the table has it: hiragana and the fullwidth forms of ASCII
// are other pictures of the same signs.
func katakana(r rune) rune {
	switch {
	case r >= 'ぁ' && r <= 'ゔ':
		return r - 'ぁ' + 'ァ'
	case r >= '！' && r <= '～':
		return r - '！' + '!'
	case r == '〜':
		return '~'
	}
	return r
}

// reading writes kana as a printer can: in half-width forms where it has a page
// for them, else in Latin letters (Hepburn, long vowels written out). Chinese
// characters have no reading here.
func (e *encoder) reading(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return r >= 0x3000 }) {
		return text
	}
	half := e.has('ｱ')
	var b strings.Builder
	word := "" // Latin spelling of the kana before this one
	double := false
	for _, r := range text {
		r = katakana(r)
		k, known := kanas[r]
		switch {
		case !known:
			b.WriteString(word)
			word, double = "", false
			b.WriteRune(r)
		case half:
			b.WriteString(k.half)
		case r == 'ッ':
			double = true
		default:
			word = join(word, r, k.latin, double)
			double = false
		}
	}
	b.WriteString(word)
	return b.String()
}

// join adds a kana to the spelling of those before it: kya, sha, fa, ti, tcha,
// kōhī as koohii.
func join(word string, r rune, latin string, double bool) string {
	switch {
	case r == 'ー':
		if n := len(word); n > 0 {
			return word + word[n-1:]
		}
		return "-"
	case double && strings.HasPrefix(latin, "ch"):
		latin = "t" + latin
	case double:
		latin = latin[:1] + latin
	}
	stem := strings.TrimRight(word, "aiueo")
	switch {
	case word == stem:
	case strings.ContainsRune("ャュョ", r) && strings.HasSuffix(word, "i"):
		if strings.HasSuffix(stem, "sh") || strings.HasSuffix(stem, "ch") || strings.HasSuffix(stem, "j") {
			return stem + latin[1:]
		}
		return stem + latin
	case strings.ContainsRune("ァィゥェォ", r) && stem == "":
		return word[:len(word)-1] + "w" + latin // ウェ
	case strings.ContainsRune("ァィゥェォ", r):
		return word[:len(word)-1] + latin
	}
	return word + latin
}
