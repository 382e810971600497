package boot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"till/cmd/internal/config"
	"till/device"
	"till/protocol"
	"till/protocol/terminal"
	"till/server/store"
)

// Finding is one line of `till doctor`.
type Finding struct {
	What   string `json:"what"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	Try    string `json:"try,omitempty"` // what to do when it is not
}

// leastFree is the free space below which a shop should not open its doors.
const leastFree = 200 << 20

// Examine looks at everything a shop stands on and changes nothing. A server or
// terminal that runs on the data meanwhile is left alone.
func Examine(ctx context.Context, c *config.Config, dir string, clock *Clock) []Finding {
	findings := []Finding{examineClock(clock), examineDisk(dir)}
	if c.Server.URL == "" {
		findings = append(findings, examineDatabase(ctx, c, dir), examineWallet(c, dir), examineChain(ctx, c), examineRates(ctx, c, clock), examineAlerts(c, clock))
		findings = append(findings, examineMints(ctx, c, clock)...)
	}
	return append(append(findings, examineTerminal(ctx, c, dir, clock)), examineDevices(ctx, c)...)
}

func good(what, format string, args ...any) Finding {
	return Finding{What: what, OK: true, Detail: fmt.Sprintf(format, args...)}
}

func bad(what, try string, err error) Finding {
	return Finding{What: what, Detail: err.Error(), Try: try}
}

// examineClock asks the kernel whether something keeps the clock right
// (adjtimex(2)); approvals and quotes depend on it.
func examineClock(clock *Clock) Finding {
	state, err := unix.Adjtimex(&unix.Timex{})
	const timeError = 5 // TIME_ERROR: not synchronised
	now := clock.Now().Local().Format("2006-01-02 15:04:05 MST")
	if err == nil && state == timeError {
		return good("clock", "%s, and nothing keeps it right: run an NTP client", now)
	}
	return good("clock", "%s", now)
}

func examineDisk(dir string) Finding {
	existing := dir
	for existing != filepath.Dir(existing) {
		if _, err := os.Stat(existing); err == nil {
			break
		}
		existing = filepath.Dir(existing)
	}
	var s unix.Statfs_t
	if err := unix.Statfs(existing, &s); err != nil {
		return bad("disk", "name another directory with --data", err)
	}
	free := int64(s.Bavail) * int64(s.Bsize)
	if err := unix.Access(existing, unix.W_OK); err != nil {
		return bad("disk", "give the data directory to the user till runs as", fmt.Errorf("%s cannot be written: %w", existing, err))
	}
	if free < leastFree {
		return bad("disk", "free some space", fmt.Errorf("only %d MB are free in %s", free>>20, existing))
	}
	return good("disk", "%d MB free in %s", free>>20, existing)
}

func examineDatabase(ctx context.Context, c *config.Config, dir string) Finding {
	location := c.Store.URL
	if location == "" {
		location = filepath.Join(dir, "server.db")
		if _, err := os.Stat(location); errors.Is(err, os.ErrNotExist) {
			return good("database", "not made yet: the first start makes it")
		}
	}
	db, err := store.Open(ctx, location)
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		return bad("database", "restore a backup, or check store.url", err)
	}
	return good("database", "opens")
}

func examineWallet(c *config.Config, dir string) Finding {
	sealed, err := ReadSeed(c, dir)
	if err == nil {
		if sealed.Network().String() != c.Chain.Network {
			return bad("wallet", "set chain.network to the wallet's", fmt.Errorf("the wallet is of %s and chain.network is %s", sealed.Network(), c.Chain.Network))
		}
		if c.Wallet.PassphraseFile == "" {
			return good("wallet", "hot, fingerprint %s; its passphrase is asked at start", sealed.Watch().Identity().Fingerprint)
		}
	}
	w, err := OpenWallet(c, dir, protocol.Secret{})
	if err != nil {
		return bad("wallet", "till wallet init, or till wallet import --descriptor …", err)
	}
	id := w.Identity()
	if err := w.Close(); err != nil {
		return bad("wallet", "", err)
	}
	kind := "receives only"
	if id.Hot {
		kind = "hot"
	}
	return good("wallet", "%s, fingerprint %s", kind, id.Fingerprint)
}

func examineChain(ctx context.Context, c *config.Config) Finding {
	node, err := openNode(c)
	if err != nil {
		return bad("chain", "set the keys of [chain]", err)
	}
	defer func() { _ = node.Close() }()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	tip, err := node.Tip(ctx)
	if err != nil {
		return bad("chain", "start the node, and check chain.node_url, user, password and certificate", err)
	}
	return good("chain", "block %d of %s", tip.Height, tip.Time.Time().Local().Format("2006-01-02 15:04"))
}

func examineTerminal(ctx context.Context, c *config.Config, dir string, clock *Clock) Finding {
	path := filepath.Join(dir, "terminal.db")
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		if c.Server.URL == "" {
			return good("terminal", "not paired yet: the first start pairs it with the embedded server")
		}
		return bad("terminal", "till terminal add NAME on the server, then till enroll LINK here", terminal.ErrNotPaired)
	}
	v, err := terminal.VerifyFile(ctx, path)
	if err != nil {
		return bad("terminal", "restore a backup", err)
	}
	if v.Bad != 0 {
		return bad("terminal", "keep the file as it is and call the owner", fmt.Errorf("the journal is broken at entry %d: %s", v.Bad, v.Why))
	}
	return good("terminal", "journal whole, %d entries", v.Entries)
}

// examineDevices opens every configured device and asks it how it is; nothing
// moves.
func examineDevices(ctx context.Context, c *config.Config) (findings []Finding) {
	for _, name := range DeviceNames() {
		check, err := CheckDevice(ctx, c, name, true)
		switch {
		case err != nil:
			findings = append(findings, bad(name, "till config check", err))
		case check.URL == "none":
			if name == "printer" {
				findings = append(findings, good(name, "none is configured"))
			}
		case check.State != device.Ready:
			why := check.Steps[len(check.Steps)-1].Detail
			findings = append(findings, bad(name, "till devices check "+name, fmt.Errorf("%s: %s: %s", check.URL, check.State, why)))
		default:
			findings = append(findings, good(name, "%s is ready", check.URL))
		}
	}
	return findings
}
