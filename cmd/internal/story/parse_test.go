package story

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"till/protocol"
)

func TestEveryFormOfTheGrammarIsRead(t *testing.T) {
	sat := protocol.Sat(25000)
	for line, want := range map[string]Step{
		`size 80x24`:   Size{80, 24},
		`size 40 x 20`: Size{40, 20},
		`term linux`:   Term{"linux"},
		`locale de-AT`: Locale{"de-AT"},
		`colour 16`:    Colour{"16"},
		`patience 8s`:  Patience{8 * time.Second},
		`press f1 ctrl+p alt+x shift+tab a # comment`: Press{[]string{"f1", "ctrl+p", "alt+x", "shift+tab", "a"}},
		`press #`:                               nil, // a comment: no key
		`hold backspace 12`:                     Hold{"backspace", 12},
		`type "a\"b\\\n\t\e\x41"`:               TypeText{Text{Literal: "a\"b\\\n\t\x1bA"}},
		`paste $uri`:                            Paste{Text{Var: "uri"}},
		`scan "x" by keyboard`:                  Scan{Text{Literal: "x"}, "keyboard"},
		`scan "x"`:                              Scan{Text{Literal: "x"}, "serial"},
		`do tender.bitcoin`:                     Act{"tender.bitcoin"},
		`can print`:                             Can{Action: "print"},
		`cannot pay because "nothing"`:          Can{Action: "pay", Not: true, Because: &Text{Literal: "nothing"}},
		`screen out-of-service`:                 OnScreen{"out-of-service"},
		`see "PAID" in dialog within 2s`:        See{Text{Literal: "PAID"}, "dialog", 2 * time.Second},
		`see state underpaid within 1m`:         SeeState{"underpaid", time.Minute},
		`not "x" in health`:                     NotSee{Text{Literal: "x"}, "health"},
		`never "PAID" for 3s`:                   Never{Text{Literal: "PAID"}, 3 * time.Second},
		`sign in 1 1111`:                        SignIn{"1", "1111"},
		`sign out`:                              SignOut{},
		`ring 12.50 "Open item"`:                Ring{Amount{Decimal: "12.50"}, "Open item"},
		`add "Espresso" x 2`:                    Add{"Espresso", 2},
		`add "Espresso" x2`:                     Add{"Espresso", 2},
		`customer pays`:                         Pays{},
		`customer pays 50 %`:                    Pays{Percent: 50},
		`customer pays 50% fee 0.5 replaceable`: Pays{Percent: 50, Fee: "0.5", Replaceable: true},
		`customer pays 25000sat`:                Pays{Amount: &Amount{Sat: &sat}},
		`customer pays 0.00025btc fee 3`:        Pays{Amount: &Amount{Sat: &sat}, Fee: "3"},
		`customer replaces fee 20`:              Replaces{"20"},
		`customer taps`:                         Taps{},
		`customer walks away`:                   WalksAway{},
		`mine`:                                  Mine{1},
		`mine 3`:                                Mine{3},
		`reorg 2 drop`:                          Reorg{2, true},
		`rate EUR 58123.45`:                     Rate{Name: "EUR", Value: "58123.45"},
		`rate EUR down`:                         Rate{Name: "EUR", Down: true},
		`mint slow 2s`:                          Mint{"slow", 2 * time.Second},
		`node down`:                             Node{false},
		`pull network`:                          Pull{"network"},
		`plug power`:                            Plug{"power"},
		`printer paper out after 5 lines`:       PrinterIs{"paper", "out", 5},
		`printer garble 0.1`:                    PrinterIs{"garble", "0.1", 0},
		`reader takes hi "%X?" ";1?"`:           Reader{"takes", "hi", []Text{{Literal: "%X?"}, {Literal: ";1?"}}},
		`reader swipe half`:                     Reader{What: "swipe", Arg: "half"},
		`tamper`:                                Tamper{},
		`paper "12.30" within 5s`:               Paper{"text", &Text{Literal: "12.30"}, 0, 5 * time.Second},
		`paper not "COPY"`:                      Paper{"not", &Text{Literal: "COPY"}, 0, 0},
		`paper count "PAID" 2`:                  Paper{"count", &Text{Literal: "PAID"}, 2, 0},
		`paper qr`:                              Paper{What: "qr"},
		`paper cut 1`:                           Paper{"cut", nil, 1, 0},
		`display 2 "12.30"`:                     SeeDisplay{2, Text{Literal: "12.30"}},
		`drawer opened`:                         SeeDrawer{"opened"},
		`card holds minikey`:                    CardHolds{"minikey"},
		`qr as uri within 1s`:                   ReadQR{nil, "uri", time.Second},
		`let id = "x"`:                          Let{Var: "id", Text: "x"},
		`expect @sale.due_sat == 21162`:         Expect{"@sale.due_sat", "==", "21162"},
		`expect $uri ~ "bitcoin"`:               Expect{"$uri", "~", `"bitcoin`},
		`clock +24h`:                            Advance{24 * time.Hour},
		`clock + 5m`:                            Advance{5 * time.Minute},
		`wait 1s`:                               Wait{time.Second},
		`stop kill`:                             Stop{true},
		`stop`:                                  Stop{},
		`start`:                                 Start{},
		`signal TERM`:                           Signal{"TERM"},
		`shot first.png`:                        Shot{"first.png"},
		`journal verify`:                        Verify{},
		`include other.story`:                   Include{"other.story"},
		`say "hello"`:                           Say{"hello"},
	} {
		story, err := Parse("t", line)
		if want == nil {
			if err == nil {
				t.Errorf("%s: taken as %+v", line, story)
			}
			continue
		}
		if err != nil || len(story) != 1 || !reflect.DeepEqual(story[0].Do, want) {
			t.Errorf("%s: %v, %+v, want %+v", line, err, story, want)
		}
	}
}

func TestAPatternMayIgnoreCaseAndHoldASlash(t *testing.T) {
	story, err := Parse("t", `see /^BITCOIN:\/x/i`)
	if err != nil {
		t.Fatal(err)
	}
	if p := story[0].Do.(See).Text.Pattern; !p.MatchString("bitcoin:/x") || p.MatchString("see bitcoin:/x") {
		t.Errorf("pattern %s", p)
	}
}

func TestATerminalMayBeNamed(t *testing.T) {
	story, err := Parse("t", "on bar: do pay\n\non bar : mine\nmine")
	if err != nil || len(story) != 3 || story[0].On != "bar" || story[1].On != "bar" || story[2].On != "main" || story[2].Line != 4 {
		t.Errorf("%v %+v", err, story)
	}
}

func TestEveryWrongLineIsNamed(t *testing.T) {
	_, err := Parse("day.story", strings.Join([]string{
		`dance`, `do dance`, `see`, `see "open`, `see /(/`, `press f13`, `ring 12,50`, `mine 3 4`, `expect 1 = 1`, `screen pays`, `say "\q"`, `on bar do pay`, `size 0x0`,
	}, "\n"))
	var wrong SyntaxError
	if !errors.As(err, &wrong) || len(wrong) != 13 {
		t.Fatalf("%d: %v", len(wrong), err)
	}
	for i, line := range wrong {
		if !strings.HasPrefix(line, "day.story:") || !strings.Contains(line, ":"+string(rune('0'+(i+1)%10))) && i < 9 {
			t.Errorf("line %d: %s", i+1, line)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("on bar: see \"\\x41\" in body within 5s\nqr /^bitcoin:/i as uri\nlet a = /x/\n")
	f.Fuzz(func(t *testing.T, text string) {
		story, err := Parse("fuzz", text)
		if err != nil && story != nil {
			t.Errorf("a story beside its error: %v", err)
		}
		for _, s := range story {
			if s.Do == nil || s.Line < 1 || s.On == "" {
				t.Errorf("an empty statement: %+v", s)
			}
		}
	})
}
