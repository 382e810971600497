package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"till/cmd/internal/boot"
	"till/cmd/internal/config"
	"till/cmd/internal/purse"
	"till/protocol"
	"till/server/chain"
)

func (p *program) practice() *cobra.Command {
	x := practising{counter: counter{p: p}}
	command := &cobra.Command{
		Use: "practice", Short: "The whole shop without hardware, network or real money",
		Args: x.args,
		RunE: func(command *cobra.Command, more []string) error { return x.run(command.Context(), more, "practice") },
	}
	x.flags(command)
	return command
}

// practising is a counter or a kiosk as the flags want it.
type practising struct {
	counter
	fresh   bool
	scripts []string
	played  scripted
	devices map[string]*string // URLs given, by name
}

func (x *practising) flags(command *cobra.Command) {
	command.Flags().BoolVar(&x.fresh, "fresh", false, "begin with fresh practice data")
	command.Flags().StringArrayVar(&x.scripts, "script", nil, "play a story instead, - for standard input; may be given several times")
	x.devices = map[string]*string{}
	for _, name := range boot.DeviceNames() {
		x.devices[name] = command.Flags().String(name, "", "URL of a real "+name+" instead of the simulated one")
	}
	command.Flags().BoolVar(&x.join, "join", false, "a further terminal of a practice shop that runs elsewhere, paired by till enroll")
	_ = command.Flags().MarkHidden("join") // it exists
	x.listen.flags(command, "", "", "", "", "")
	x.played.flags(command)
}

// args: behind --script FILE may stand more files.
func (x *practising) args(command *cobra.Command, more []string) error {
	if len(x.scripts) > 0 {
		return nil
	}
	return cobra.NoArgs(command, more)
}

// run opens the practice shop, or plays stories in shops of their own that the
// command opens.
func (x *practising) run(ctx context.Context, more []string, command ...string) error {
	if scripts := append(x.scripts, more...); len(scripts) > 0 {
		shop, err := x.staging(command)
		if err != nil {
			return err
		}
		return x.p.playStories(ctx, scripts, x.played, shop)
	}
	x.practice = true
	return x.open(ctx)
}

// staging is the shop that stories play in: with the listeners and devices of the
// flags, and those of a configuration that is named.
func (x *practising) staging(command []string) (staging, error) {
	shop := staging{command: command, devices: x.given(), listen: x.listen}
	if x.p.configFile == "" {
		return shop, nil
	}
	named, err := x.p.load(nil)
	if err != nil {
		return staging{}, fail("play stories", err)
	}
	file, err := filepath.Abs(x.p.configFile)
	if err != nil {
		return staging{}, fail("play stories", err)
	}
	shop.command = append([]string{"--config", file}, command...)
	for name, url := range map[string]string{"printer": named.Printer.URL, "card": named.Card.URL, "scanner": named.Scanner.URL, "display": named.Display.URL} {
		if shop.devices[name] == "" && url != "none" && url != "sim:" {
			shop.devices[name] = url
		}
	}
	return shop, nil
}

// given are the URLs of the devices that are not to be simulated.
func (x *practising) given() map[string]string {
	urls := map[string]string{}
	for name, url := range x.devices {
		if *url != "" {
			urls[name] = *url
		}
	}
	return urls
}

// open runs the counter or the kiosk.
func (x *practising) open(ctx context.Context) error {
	flags := map[string]string{}
	for name, url := range x.given() {
		flags[name+".url"] = url
	}
	c := x.counter
	sources, loaded, err := c.p.sources(flags)
	if err != nil {
		return fail("start", err)
	}
	c.config, c.sources, c.dir = loaded, sources, c.p.dataDir()
	if c.practice {
		x.pretend(loaded)
		c.dir = c.p.practiceDir()
	}
	if x.fresh {
		if err := forget(c.dir); err != nil {
			return fail("begin afresh", err)
		}
	}
	return c.run(ctx)
}

// pretend puts simulated devices where none are named, and keeps practice off a
// real key and the case's switch.
func (x *practising) pretend(c *config.Config) {
	for name, url := range map[string]*string{"printer": &c.Printer.URL, "card": &c.Card.URL, "scanner": &c.Scanner.URL, "display": &c.Display.URL} {
		if *url == "none" && *x.devices[name] == "" {
			*url = "sim:"
		}
	}
	if x.join {
		c.Server.URL = "" // the pairing knows where
	}
	c.Vault.URL, c.Vault.SecretFile, c.Vault.Tamper = "file:", "", "sim:"
}

// forget removes practice data that nobody holds.
func forget(dir string) error {
	lock, err := boot.TakeLock(dir)
	if err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(dir), lock.Release())
}

// patron is the simulated customer in front of the practice till.
type patron struct {
	back *backroom
	path string // of the wallet for e-cash

	tabs   chan func(context.Context) error // to be opened
	mu     sync.Mutex
	wallet *tapper // once the shop is open
}

// customer is nil for real money.
func (b *backroom) customer() *patron {
	if !b.counter.practice {
		return nil
	}
	b.server = make(chan *boot.Server, 1)
	b.patron = &patron{back: b, path: filepath.Join(b.counter.dir, "customer.json"), tabs: make(chan func(context.Context) error)}
	return b.patron
}

// Pay pays what the link asks for, or amount of it.
func (c *patron) Pay(ctx context.Context, link string, amount protocol.Sat) (string, error) {
	s, err := c.shop(ctx)
	if err != nil {
		return "", err
	}
	return s.World().PayLink(ctx, link, amount, chain.DefaultPayRate)
}

// Tap pays an e-cash bill, or opens a tab: its rounds are signed as long as the
// program runs, and after a restart another tap goes on with it.
func (c *patron) Tap(ctx context.Context, bill string, amount protocol.Money) error {
	s, err := c.shop(ctx)
	if err != nil {
		return err
	}
	wallet := c.ecash(s)
	if _, tab := purse.TabOf(bill); !tab {
		return wallet.tap(ctx, s.MintURL(), bill, amount)
	}
	select {
	case c.tabs <- func(ctx context.Context) error { return wallet.tab(ctx, s.MintURL(), bill, amount) }:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// serveTabs signs the rounds of tabs until ctx ends.
func (c *patron) serveTabs(ctx context.Context) {
	var open sync.WaitGroup
	defer open.Wait()
	for {
		select {
		case tab := <-c.tabs:
			open.Go(func() {
				if err := tab(ctx); err != nil && ctx.Err() == nil {
					c.back.log.WarnContext(ctx, "practice customer's tab ended", "error", err)
				}
			})
		case <-ctx.Done():
			return
		}
	}
}

func (c *patron) ecash(s *boot.Server) *tapper {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wallet == nil {
		c.wallet = newTapper(c.path, c.back.clock.Now, s.CustomerHTTP())
	}
	return c.wallet
}

// shop is the server in front of which the customer stands.
func (c *patron) shop(ctx context.Context) (*boot.Server, error) {
	ctx, cancel := context.WithTimeout(ctx, waitForServer)
	defer cancel()
	select {
	case s := <-c.back.server:
		c.back.server <- s
		return s, nil
	case <-ctx.Done():
		return nil, errShopClosed
	}
}

var errShopClosed = errors.New("the practice shop is not open yet")

// waitForServer is how long the simulated customer waits for the shop to open.
const waitForServer = 5 * time.Second
