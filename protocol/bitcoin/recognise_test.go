package bitcoin

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

func TestRecogniseWhatACustomerHandsOver(t *testing.T) {
	for text, want := range map[string]Kind{
		"S6c56bnXQiBjk9mqSYE7ykVQ7NzrRy":                                 KindMiniKey,
		"  SzavMBLoXU6kDrqtUVmffv\r\n":                                   KindMiniKey,
		"SuyDQs4NAvXN6sZPDTupycYzB8":                                     KindMiniKey,
		"5JuW2AMDYu4xVwRG9DZW18VbzQrGcd5RCgb99sS6ehJsNQXu5b9":            KindWIF,
		"L5nJeqKmpHp4P7F8ZYyjwc5a7P4d8EabuGAzfGJk7yC1BJyzNaEd":           KindWIF,
		"6PRVWUbkzzsbcVac2qwfssoUJAN1Xhrg6bNk8J7Nzm5H7kxEbn2Nh2ZoGg":     KindBIP38,
		strings.Repeat("ab", 32):                                         KindHexKey,
		"1FsSia9rv4NeEwvJ2GvXrX7LyxYspbN2mo":                             KindAddress,
		"BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4":                     KindAddress,
		"bc1p83n3au0rjylefxq2nc2xh2y4jzz4pm6zxj4mw5pagdjjr2a9f36s6jjnnu": KindAddress,
		"bitcoin:" + shopAddress + "?amount=0.5":                         KindURI,
		"BITCOIN:BC1QCR8TE4KR609GCAWUTMRZA0J4XV80JY8Z306FYU":             KindURI,
		"taler+http://shop:8080/contract?sale=1#a.b":                     KindBill,
		"TALER+HTTPS://shop/contract":                                    KindBill,
		"%X059KCRSN6SH6WP2HD516MTSSDNRN6PA56XWPPNJH6X77MWJJF7YP90F4?":    KindMiniKey,
		"X059KCRSN6SH6WP2HD516MTSSDNRN6PA56XWPPNJH6X77MWJJF7YP90F4":      KindMiniKey,
	} {
		f, err := Recognise(text, Mainnet)
		if err != nil || f.Kind != want {
			t.Errorf("%s: %s, %v; want %s", text, f.Kind, err, want)
		}
	}
}

func TestRecogniseSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]error{
		"S6c56bnXQiBjk9mqSYE7ykVQ7NzrRz":                              ErrTypo,
		"SQE6yipP5oW8RBaStWoB47xsRQ8paT":                              ErrTypo,
		"5JuW2AMDYu4xVwRG9DZW18VbzQrGcd5RCgb99sS6ehJsNQXu5b8":         ErrTypo,
		"6PRVWUbkzzsbcVac2qwfssoUJAN1Xhrg6bNk8J7Nzm5H7kxEbn2Nh2ZoGh":  ErrTypo,
		"KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73Nd2Mcv1":        ErrKey,
		"cV83kKisF3RQSvXbUCm9ox3kaz5JjEUBWcx8tNydfGJcyeUxuH47":        ErrWrongNetwork,
		strings.Repeat("0", 64):                                       ErrKey,
		"1FsSia9rv4NeEwvJ2GvXrX7LyxYspbN2mp":                          ErrAddress,
		"bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyv":                  ErrAddress,
		"mzK2FFDEhxqHcmrJw1ysqFkVyhUULo45hZ":                          ErrWrongNetwork,
		"bitcoin:":                                                    ErrURI,
		"%X059KCRSN6SH6WP2HD516MTSSDNRN6PA56XWPPNJH6X77MWJJF7YP90F5?": ErrCard,
		"":                                ErrUnknown,
		"hello":                           ErrUnknown,
		"taler://pay/x":                   ErrUnknown,
		"https://example.com":             ErrUnknown,
		"taler+http://a\x1b[2J":           ErrUnknown,
		"4006381333931":                   ErrUnknown, // a barcode
		strings.Repeat("1", maxURI+1):     ErrUnknown,
		"litecoin:" + shopAddress:         ErrUnknown,
		"%B4111111111111111^X/Y^2512101?": ErrUnknown, // a bank card
		"S6c56bnXQiBjk9mqSYE7ykVQ7NzrRy;anything": ErrUnknown,
	} {
		if f, err := Recognise(text, Mainnet); !errors.Is(err, want) || f.Kind != 0 {
			t.Errorf("%.60s: %s, %v; want %v", text, f.Kind, err, want)
		}
	}
}

type cardVectors struct {
	Card []struct {
		Type   int
		Text   string
		Key    string `json:"key_hex"`
		Track1 string
	}
}

func TestCardsOfThePublishedVectors(t *testing.T) {
	var v cardVectors
	load(t, "magstripe.json", &v)
	const key = "4c7a9640c72dc2099f23715d0c8a0d8a35f8906e3cab61dd3f78b67bf887c9ab"
	for _, c := range v.Card {
		net := Mainnet
		if c.Type&cardTestNetwork != 0 {
			net = Regtest
		}
		f, err := ParseCard(c.Track1, net)
		if err != nil {
			t.Errorf("type %d: %v", c.Type, err)
			continue
		}
		var track string
		switch c.Type &^ cardTestNetwork {
		case cardMiniKey:
			s, err := CardOfMiniKey(c.Text, net)
			if err != nil {
				t.Fatal(err)
			}
			track = s.Reveal()
		case cardCompressed, cardUncompressed:
			if got := hex.EncodeToString(f.Key.bytes()); got != key {
				t.Errorf("type %d: %s", c.Type, got)
			}
			s, err := CardOfKey(f.Key, net)
			if err != nil {
				t.Fatal(err)
			}
			track = s.Reveal()
		case cardBIP38:
			if f.BIP38.String() != c.Text {
				t.Errorf("type %d: %s", c.Type, f.BIP38)
			}
			track = CardOfBIP38(f.BIP38, net)
		case cardDestination:
			if f.URI.String() != "bitcoin:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4?amount=0.00025" {
				t.Errorf("destination %s", f.URI)
			}
			if track, err = CardOfDestination(f.URI.Addresses[0], f.URI.Amount); err != nil {
				t.Fatal(err)
			}
		}
		if track != c.Track1 {
			t.Errorf("type %d is written %s, want %s", c.Type, track, c.Track1)
		}
		other := Regtest
		if net == Regtest {
			other = Mainnet
		}
		if _, err := ParseCard(c.Track1, other); !errors.Is(err, ErrWrongNetwork) {
			t.Errorf("type %d on %s: %v", c.Type, other, err)
		}
	}
}

func TestCardsAreReadAsPeopleTypeThem(t *testing.T) {
	const track = "%X0967N5J0RWPW42CZ4DRNT34A1P53BY4GDRYAPREX7XWBCYZRGZ4TPS98HN0G?"
	for _, text := range []string{
		strings.ToLower(track), strings.ReplaceAll(track, "0", "O"), strings.ReplaceAll(track, "1", "L"), strings.ReplaceAll(track, "1", "i"),
	} {
		if _, err := ParseCard(text, Mainnet); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for name, text := range map[string]string{
		"superfluous symbol": strings.TrimSuffix(track, "?") + "0?",
		"non-zero filling":   strings.TrimSuffix(track, "G?") + "H?",
		"a letter U":         strings.Replace(track, "P", "U", 1),
		"sentinel inside":    strings.Replace(track, "W", "?", 1),
	} {
		if _, err := ParseCard(text, Mainnet); !errors.Is(err, ErrCard) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, c := range map[string]card{
		"unknown type":             {6, make([]byte, 32)},
		"key of 31 bytes":          {cardCompressed, bytes.Repeat([]byte{1}, 31)},
		"key of zero":              {cardCompressed, make([]byte, 32)},
		"mini key with a typo":     {cardMiniKey, []byte("S6c56bnXQiBjk9mqSYE7ykVQ7NzrRz")},
		"encrypted key, 38 bytes":  {cardBIP38, make([]byte, 38)},
		"empty destination":        {cardDestination, nil},
		"unknown form":             {cardDestination, append([]byte{5}, make([]byte, 20)...)},
		"P2WSH of 20 bytes":        {cardDestination, append([]byte{3}, make([]byte, 20)...)},
		"half an amount":           {cardDestination, make([]byte, 25)},
		"an amount of zero":        {cardDestination, make([]byte, 29)},
		"more than all the coins":  {cardDestination, append(make([]byte, 21), 0xff, 0, 0, 0, 0, 0, 0, 0)},
		"no payload in a mini key": {cardMiniKey, nil},
	} {
		if f, err := ParseCard(c.track(Mainnet).Reveal(), Mainnet); err == nil {
			t.Errorf("%s: %s", name, f.Kind)
		}
	}
	future, _ := ParseAddress("bc1z2rksukkjr8", Mainnet)
	if _, err := CardOfDestination(future, 0); !errors.Is(err, ErrAddress) {
		t.Errorf("a witness program of the future on a card: %v", err)
	}
}

func FuzzParseCard(f *testing.F) {
	var v cardVectors
	load(f, "magstripe.json", &v)
	for _, c := range v.Card {
		f.Add(c.Track1)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseTrack(text)
		if err != nil {
			return
		}
		net := Mainnet
		if c.kind&cardTestNetwork != 0 {
			net = Regtest
		}
		canonical := strings.NewReplacer("O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(text))
		got := c.track(net).Reveal()
		if strings.Trim(got, "%?") != strings.TrimSuffix(strings.TrimPrefix(canonical, "%"), "?") {
			t.Fatalf("%q is written %q", text, got)
		}
	})
}

func FuzzRecognise(f *testing.F) {
	var m miniKeyVectors
	load(f, "minikeys.json", &m)
	for _, c := range m.Vectors {
		f.Add(c.MiniKey)
	}
	for _, c := range m.Invalid {
		f.Add(c.MiniKey)
	}
	f.Add("taler+http://shop:8080/contract?sale=1#a.b")
	f.Add("bitcoin:" + shopAddress)
	f.Add("%X059KCRSN6SH6WP2HD516MTSSDNRN6PA56XWPPNJH6X77MWJJF7YP90F4?")
	f.Fuzz(func(t *testing.T, text string) {
		found, err := Recognise(text, Mainnet)
		if (err == nil) != (found.Kind != 0) {
			t.Fatalf("%q: %s, %v", text, found.Kind, err)
		}
		switch found.Kind {
		case KindMiniKey, KindWIF, KindHexKey:
			if found.Key.IsZero() || len(found.Key.Addresses(Mainnet)) == 0 {
				t.Fatalf("%q: a key without addresses", text)
			}
		case KindAddress:
			if len(found.URI.Addresses) != 1 {
				t.Fatalf("%q: %v", text, found.URI)
			}
		}
	})
}
