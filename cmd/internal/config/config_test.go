package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func load(t *testing.T, text string, env ...string) (*Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "till.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(Sources{File: path, Env: env})
}

func TestDefaultsAreWhole(t *testing.T) {
	c, err := Load(Sources{})
	if err != nil {
		t.Fatal(err)
	}
	if c.Acceptance.Watch != 3*time.Second || len(c.Acceptance.Steps) != 3 || c.Acceptance.Steps[1] != (Step{"1000.00", 1}) {
		t.Errorf("acceptance %+v", c.Acceptance)
	}
	if c.Wallet.GapLimit != 1000 || c.Rates.SellSpreadBP != 200 || c.Limits.PerPayout != "200" || c.Drawer.OffMS != 500 {
		t.Errorf("defaults %+v %+v %+v %+v", c.Wallet, c.Rates, c.Limits, c.Drawer)
	}
}

func TestFlagsBeatEnvironmentBeatsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "till.toml")
	if err := os.WriteFile(path, []byte("[shop]\nname = \"file\"\ntax_number = \"file\"\nlocale = \"de-AT\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(Sources{File: path, Env: []string{"TILL_SHOP_NAME=env", "TILL_SHOP_TAX_NUMBER=env", "TILL_NO_SUCH=1"},
		Flags: map[string]string{"shop.name": "flag"}})
	if err != nil {
		t.Fatal(err)
	}
	if c.Shop.Name != "flag" || c.Shop.TaxNumber != "env" || c.Shop.Locale != "de-AT" {
		t.Errorf("%+v", c.Shop)
	}
}

func TestEveryFaultIsListedWithItsLine(t *testing.T) {
	_, err := load(t, strings.Join([]string{
		`[acceptance]`,         // 1
		`wach = "3s"`,          // 2
		`watch = 3`,            // 3
		`tolerance_sat = -1`,   // 4
		`[card]`,               // 5
		`coercivity = "mid"`,   // 6
		`[wallet]`,             // 7
		`gap_limit = 1.5`,      // 8
		`gap_limit = 30`,       // 9
		`[limits]`,             // 10
		`per_payout = "1.234"`, // 11
		``,
	}, "\n"))
	var faults Faults
	if !errors.As(err, &faults) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{
		":2: there is no key acceptance.wach; did you mean acceptance.watch?",
		":3: acceptance.watch must be time", ":4: acceptance.tolerance_sat", ":6: card.coercivity", ":8: wallet.gap_limit",
		":9: wallet.gap_limit stands at", ":11: limits.per_payout",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
	if len(faults) != 7 {
		t.Errorf("%d faults, want 7:\n%v", len(faults), err)
	}
}

func TestListsAndTables(t *testing.T) {
	c, err := load(t, `
[shop]
currency = "JPY"
address = ["1 Main Street", "Vienna"]
tax = [{code = "A", rate_bp = 2000, included = true}]
tips_bp = [0, 10000]
[acceptance]
steps = [{up_to = "5000", confirmations = 0}, {confirmations = 2}]
[practice]
rate = "9000000"
`)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(c.Shop.Address, []string{"1 Main Street", "Vienna"}) || c.Shop.Tax[0] != (Tax{"A", 2000, true}) || c.Acceptance.Steps[0].UpTo != "5000" {
		t.Errorf("%+v %+v", c.Shop, c.Acceptance)
	}
}

func TestStepsMustRiseAndEndOpen(t *testing.T) {
	for _, steps := range []string{
		`[]`,
		`[{up_to = "5", confirmations = 0}]`,
		`[{confirmations = 0}, {confirmations = 1}]`,
		`[{up_to = "5", confirmations = 0}, {up_to = "5", confirmations = 1}, {confirmations = 2}]`,
		`[{up_to = "5", confirmations = 101}, {confirmations = 2}]`,
		`[{up_to = "5", blocks = 1}, {confirmations = 2}]`,
	} {
		if _, err := load(t, "[acceptance]\nsteps = "+steps+"\n"); err == nil {
			t.Errorf("%s is taken", steps)
		}
	}
}

func TestTheReferenceIsAFileThatChangesNothing(t *testing.T) {
	defaults, err := Load(Sources{})
	if err != nil {
		t.Fatal(err)
	}
	same, err := load(t, Reference())
	if err != nil || !reflect.DeepEqual(defaults, same) {
		t.Fatalf("%v: %+v", err, same)
	}
	var b strings.Builder
	for _, line := range strings.Split(Reference(), "\n") {
		// Keys are written "#name = value", words "# words".
		if strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "# ") {
			line = line[1:]
		}
		b.WriteString(line + "\n")
	}
	edited, err := load(t, b.String())
	if err != nil {
		t.Fatalf("with every # removed: %v", err)
	}
	edited.Rates.Sources, edited.Shop.Address, edited.Shop.Tax, edited.Server.PublicHost, edited.Ecash.Mints = nil, nil, nil, nil, nil
	if !reflect.DeepEqual(defaults, edited) {
		t.Errorf("removing every # changes something:\n%+v\n%+v", defaults, edited)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(Reference())
	f.Add("[acceptance]\nsteps = [{up_to=\"1\", confirmations=0}, {confirmations=3}]\n")
	f.Add("[[shop]]\na.b.c = 1979-05-27\n")
	f.Fuzz(func(t *testing.T, text string) {
		l := loader{config: &Config{}, set: map[string]string{}}
		l.file("till.toml", []byte(text))
		l.judge()
	})
}

func TestOtherKeysStandAtTheirLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "till.toml")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("[keys]\nsales = \"f4\"\ntender.cash = [\"9\", \"f5\"]\n")
	c, err := Load(Sources{File: path})
	if err != nil {
		t.Fatal(err)
	}
	want := []Binding{{"sales", []string{"f4"}, path + ":2"}, {"tender.cash", []string{"9", "f5"}, path + ":3"}}
	if !reflect.DeepEqual(c.Keys, want) {
		t.Errorf("got %v", c.Keys)
	}
	write("[keys]\nsales = 4\nsell = []\npark = \"f4\"\npark = \"f5\"\n")
	_, err = Load(Sources{File: path, Judge: func(b []Binding) []Fault { return []Fault{{b[0].Where, "judged"}} }})
	for _, want := range []string{":2: keys.sales must be a key", ":3: keys.sell must be a key", ":5: keys.park stands at", ":4: judged"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
}
