package escpos

import "testing"

func TestKanaIsHalfWidthOrSpelledInLatinLetters(t *testing.T) {
	epson, plain := encoder{profile: profile{pages: epsonPages}}, encoder{profile: profile{pages: fewPages}}
	for _, c := range []struct{ text, half, latin string }{
		{"ゴウケイ 1,200", "ｺﾞｳｹｲ 1,200", "goukei 1,200"},
		{"オツリ: 80", "ｵﾂﾘ: 80", "otsuri: 80"},
		{"コーヒー", "ｺｰﾋｰ", "koohii"},
		{"こーひー（大盛）", "ｺｰﾋｰ(??)", "koohii(??)"},
		{"キャッシュ", "ｷｬｯｼｭ", "kyasshu"},
		{"マッチャ", "ﾏｯﾁｬ", "matcha"},
		{"ファミリー", "ﾌｧﾐﾘｰ", "famirii"},
		{"ウォレット", "ｳｫﾚｯﾄ", "woretto"},
		{"ティラミス・ジュース", "ﾃｨﾗﾐｽ･ｼﾞｭｰｽ", "tiramisu/juusu"},
		{"ヴァン、シェリー。", "ｳﾞｧﾝ､ｼｪﾘｰ｡", "van,sherii."},
		{"ＡＢＣ１２　３", "ABC12 3", "ABC12 3"},
		{"Käse – 4 €", "Käse – 4 €", "Käse - 4 €"},
		{"ッ", "ｯ", ""},
		{"ー", "ｰ", "-"},
	} {
		if got := epson.spell(c.text); got != c.half {
			t.Errorf("%q is %q, want %q", c.text, got, c.half)
		}
		if got := plain.spell(c.text); got != c.latin {
			t.Errorf("%q is %q in Latin letters, want %q", c.text, got, c.latin)
		}
	}
}

// TestADisplayLineIsTwentyCharacters: what stands after a tab is kept whole.
func TestADisplayLineIsTwentyCharacters(t *testing.T) {
	for _, c := range []struct{ text, epson, cd5220 string }{
		{"Kasekrainer mit Senf\t4.80", "Kasekrainer mit 4.80", "Kasekrainer mit 4.80"},
		{"\t1", "                   1", "                   1"},
		{"TOTAL\t123,456,789.00 JPYEN", "123,456,789.00 JPYEN", "123,456,789.00 JPYEN"},
		{"TOTAL\t123,456,789,000.00 EUR", "123,456,789,000.00 E", "123,456,789,000.00 E"},
		{"a\tb\t2", "a b                2", "a b                2"},
		{"ゴウケイ\t1,200 JPY", "\x1bt\x01\xba\xde\xb3\xb9\xb2      1,200 JPY\x1bt\x13", "goukei     1,200 JPY"},
	} {
		for _, l := range []struct {
			language DisplayLanguage
			want     string
		}{{DisplayLanguage{}, c.epson}, {DisplayLanguage{cd5220: true}, c.cd5220}} {
			if got := string(l.language.line(c.text)); got != l.want {
				t.Errorf("%q is %q, want %q", c.text, got, l.want)
			}
		}
	}
}
