package device_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"till/device"
	"till/device/escpos"
)

// spoken are lines of receipts, and how printers with few code pages spell them;
// "" is as written.
var spoken = []struct{ text, plain, kana string }{
	{text: "3 Käsekrainer à 4,80 €, süß"},
	{text: "Übergröße ÄÖÜ äöü ß"},
	{text: "Café crème, garçon, Noël à l'île"},
	{text: "Forêt d'hêtres, où ça?"},
	{text: "Bœuf, œuf mollet – 7,50 €", plain: "Boeuf, oeuf mollet - 7,50 €"},
	{text: "« 2 croissants »"},
	// No page of theirs has macrons: they are left off, as passports do.
	{text: "Tōkyō Ōsaka kōhī ryōri", plain: "Tokyo Osaka kohi ryori"},
	{text: "gyūnyū, Fūjī, sēru", plain: "gyunyu, Fuji, seru"},
	{text: "1.200 ¥ = 0,00012345 ₿", plain: "1.200 ¥ = 0,00012345 BTC"},
	// Epson's have katakana; others get Latin letters.
	{"ゴウケイ、そのほか ー 1,200 ¥", "goukei,sonohoka - 1,200 ¥", "ｺﾞｳｹｲ､ｿﾉﾎｶ ｰ 1,200 ¥"},
}

// onlyPlain are printers that have neither 1252 nor another page with these.
var onlyPlain = map[string]bool{"generic": true}

// TestLanguagesComeOutRightOnEveryProfile: as the simulator, with tables of its
// own, reads the bytes.
func TestLanguagesComeOutRightOnEveryProfile(t *testing.T) {
	var d device.Document
	for _, s := range spoken {
		d = append(d, device.Line{Text: s.text})
	}
	for _, profile := range escpos.Profiles() {
		t.Run(profile, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, profile, profile)
				defer s.stop()
				if err := s.printer.Print(device.Job{ID: "a", Document: d}); err != nil {
					t.Fatal(err)
				}
				s.wants("a", device.JobDone, 30*time.Second)
				paper := s.paper.Text()
				for _, line := range spoken {
					want := line.text
					macrons := strings.ContainsAny(want, "āēīōūĀĒĪŌŪ₿")
					switch {
					case line.kana != "" && (strings.HasPrefix(profile, "epson") || profile == "auto"):
						want = line.kana
					case line.kana != "":
						want = line.plain
					}
					if line.plain != "" && (macrons || onlyPlain[profile]) {
						want = line.plain
					}
					if !strings.Contains(paper, want+"\n") {
						t.Errorf("%q is not on the paper:\n%s", want, paper)
					}
				}
				if c := s.paper.Complaints(); len(c) > 0 {
					t.Errorf("complaints: %q", c)
				}
			})
		})
	}
}
