package boot

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Groups of third-party modules, by the job they are let in for.
var (
	charm   = []string{"charm.land/bubbletea/v2", "charm.land/lipgloss/v2", "charm.land/bubbles/v2", "github.com/charmbracelet/x/ansi", "github.com/charmbracelet/colorprofile"}
	btc     = []string{"github.com/btcsuite/"}
	sqlite  = []string{"modernc.org/sqlite"}
	pgx     = []string{"github.com/jackc/pgx/v5"}
	sys     = []string{"golang.org/x/sys"}
	xcrypto = []string{"golang.org/x/crypto"}
	serial  = []string{"go.bug.st/serial"}
	qrcode  = []string{"github.com/skip2/go-qrcode"}
	tpm     = []string{"github.com/google/go-tpm"}
	words   = []string{"golang.org/x/text"}
	bip39   = []string{"github.com/tyler-smith/go-bip39"}
	toml    = []string{"github.com/pelletier/go-toml/v2"}
	wish    = []string{"charm.land/wish/v2", "charm.land/ssh"}
	agefile = []string{"filippo.io/age"}
	cobra   = []string{"github.com/spf13/cobra", "github.com/spf13/pflag"}
	terms   = []string{"github.com/creack/pty"}
	readers = []string{"github.com/charmbracelet/x/vt", "github.com/charmbracelet/ultraviolet", "github.com/makiuchi-d/gozxing", "golang.org/x/image/font"}
)

func our(names ...string) []string {
	for i, name := range names {
		names[i] = "till/" + name
	}
	return names
}

func join(lists ...[]string) []string { return slices.Concat(lists...) }

// walls says who may import whom, beside the standard library. A package that
// is not listed fails the test: its place is decided here first.
var walls = map[string][]string{
	"protocol":          nil,
	"protocol/bitcoin":  join(our("protocol"), btc, xcrypto, words),
	"protocol/taler":    our("protocol"),
	"protocol/terminal": join(our("protocol"), sqlite),

	"device":        join(serial, sys, qrcode),
	"device/escpos": our("device"),
	"device/msr605": our("device"),
	"device/sim":    our("device"),
	"device/vault":  join(our("device"), tpm, xcrypto, sys),

	"server":          our("protocol", "protocol/taler"),
	"server/store":    join(our("server", "protocol"), sqlite, pgx),
	"server/chain":    join(our("server", "protocol", "protocol/bitcoin"), btc),
	"server/wallet":   join(our("server", "protocol", "protocol/bitcoin"), btc, xcrypto, sys, bip39),
	"server/mint":     our("server", "protocol", "protocol/taler"),
	"server/merchant": our("server", "protocol", "protocol/taler"),
	"server/rpc":      our("server", "protocol"),
	"server/rates":    our("server", "protocol"),
	"server/alert":    our("server", "protocol"),

	"tui/widget":   charm,
	"tui/register": our("protocol", "protocol/bitcoin", "protocol/taler", "device"),
	"tui":          join(our("tui/register", "tui/widget", "protocol", "protocol/terminal", "device"), charm),

	"cmd/internal/config": join(our("protocol"), toml),
	"cmd/internal/boot": join(our("protocol", "protocol/bitcoin", "protocol/taler", "protocol/terminal",
		"device", "device/escpos", "device/msr605", "device/sim", "device/vault",
		"server", "server/store", "server/chain", "server/wallet", "server/mint", "server/merchant", "server/rpc", "server/rates", "server/alert",
		"cmd/internal/config"), sys, xcrypto, agefile),
	"cmd/internal/crowd":      our("protocol"),
	"cmd/internal/backoffice": join(charm, wish, xcrypto),
	"cmd/internal/purse":      join(our("protocol", "protocol/taler"), sys),
	"cmd/internal/story":      join(our("protocol", "device", "device/sim", "tui", "tui/register", "cmd/internal/boot", "cmd/internal/config"), charm, readers),
	// The commands speak of what they are given: the nouns of server, terminal and
	// device in their results, words and descriptors of a wallet. Making the parts
	// of a shop is boot's; the stage of stories starts processes and simulators.
	"cmd/till": join(our("protocol", "protocol/bitcoin", "protocol/terminal", "device", "device/sim", "server", "server/chain", "server/wallet",
		"tui", "tui/register", "cmd/internal/boot", "cmd/internal/backoffice", "cmd/internal/config", "cmd/internal/story", "cmd/internal/purse", "cmd/internal/crowd"), charm, cobra, sys, terms),
}

// forTests may be imported by test files anywhere, as may whatever a test of
// boot or till starts for real.
var forTests = []string{"github.com/creack/pty", "github.com/makiuchi-d/gozxing", "github.com/rogpeppe/go-internal", "till/"}

// TestEveryImportIsOnTheList reads the imports of every file of the tree
// (house.md §2).
func TestEveryImportIsOnTheList(t *testing.T) {
	root := "../../.."
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "testdata") {
			return fs.SkipDir
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		checkFile(t, path, filepath.ToSlash(filepath.Dir(rel)), strings.HasSuffix(name, "_test.go"))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func checkFile(t *testing.T, path, pkg string, test bool) {
	t.Helper()
	allowed, listed := walls[pkg]
	if !listed {
		t.Errorf("package %s is not on the list of walls: decide its place first", pkg)
		return
	}
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range file.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(name, "/")
		ours := first == "till"
		if !ours && !strings.Contains(first, ".") {
			continue // the standard library
		}
		if within(name, allowed) || test && (within(name, forTests) || thirdPartyOfAnyone(name)) {
			continue
		}
		t.Errorf("%s: %s may not import %s", path, pkg, name)
	}
}

// within reports whether the list names the package itself or, for third-party
// modules, a package inside one.
func within(name string, list []string) bool {
	return slices.ContainsFunc(list, func(allowed string) bool {
		if strings.HasSuffix(allowed, "/") {
			return strings.HasPrefix(name, allowed)
		}
		return name == allowed || !strings.HasPrefix(allowed, "till/") && strings.HasPrefix(name, allowed+"/")
	})
}

// thirdPartyOfAnyone lets a test use a module that some package may use.
func thirdPartyOfAnyone(name string) bool {
	if strings.HasPrefix(name, "till/") {
		return false
	}
	for _, allowed := range walls {
		if within(name, allowed) {
			return true
		}
	}
	return false
}
