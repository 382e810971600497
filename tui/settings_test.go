package tui

import (
	"encoding/json"
	"testing"

	"till/tui/register"
	"till/tui/widget"
)

// TestSettingsHoldAtOnce and are what a restart reads.
func TestSettingsHoldAtOnce(t *testing.T) {
	b := counter(t, 80, 24, func(o *Options) { o.Mouse = true })
	b.press("f11", "enter")
	if b.theme.Name() != widget.ThemeNames()[1] {
		t.Errorf("the theme is %s", b.theme.Name())
	}
	b.press("down", "enter", "enter")
	if b.w != french {
		t.Errorf("the words are %s", b.w.Language)
	}
	b.press("left")
	if b.w != german {
		t.Errorf("back, the words are %s", b.w.Language)
	}
	if b.View().MouseMode == 0 {
		t.Error("the mouse is off already")
	}
	b.press("down", "enter")
	if b.View().MouseMode != 0 {
		t.Error("the mouse is not off")
	}
	kept, err := json.Marshal(b.chosen)
	if want := `{"theme":"light","language":"de","mouse":"off"}`; err != nil || string(kept) != want {
		t.Errorf("kept is %s, want %s", kept, want)
	}
}

// TestACashierDoesNotSilenceTheShop: sounds and receipts are for those who lead.
func TestACashierDoesNotSilenceTheShop(t *testing.T) {
	b := counter(t, 80, 24)
	b.press("f11", "down", "down", "down", "enter", "left")
	if b.silent() || b.notice.text != english.SettingLeading {
		t.Errorf("silent %v, said %q", b.silent(), b.notice.text)
	}
	b.reg.User = shop().Users[1]
	if b.press("enter"); !b.silent() {
		t.Error("a manager cannot")
	}
	if b.sound(register.SoundPaid) != nil {
		t.Error("it rings")
	}
	b.press("down", "enter")
	if b.receipts() != "ask" {
		t.Errorf("receipts %s", b.receipts())
	}
}

// TestTheShopsRegionHolds where the chosen language is the shop's.
func TestTheShopsRegionHolds(t *testing.T) {
	b := counter(t, 80, 24)
	b.reg.Config.Locale = "de-CH"
	b.chosen.Language = "de"
	b.speak("de-CH")
	if got := b.w.money(eur(123456)); got != "1’234.56" {
		t.Errorf("got %s", got)
	}
	b.chosen.Language = "fr"
	b.speak("de-CH")
	if got := b.w.money(eur(123456)); got != "1 234,56" {
		t.Errorf("got %s", got)
	}
}
