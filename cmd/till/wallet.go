package main

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"till/cmd/internal/boot"
	"till/cmd/internal/config"
	"till/protocol"
	"till/protocol/bitcoin"
	"till/server/wallet"
)

func (p *program) wallet() *cobra.Command {
	group := &cobra.Command{Use: "wallet", Short: "The merchant's wallet"}
	var w newWallet
	create := &cobra.Command{
		Use: "init", Short: "Make a hot wallet: words are shown once and asked back", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return p.initWallet(w) },
	}
	take := &cobra.Command{
		Use: "import", Short: "Take a descriptor or extended public key (receives only), the words of a hot wallet, or a backup", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return p.importWallet(w) },
	}
	for _, c := range []*cobra.Command{create, take} {
		c.Flags().StringVar(&w.kind, "kind", "bip84", "addresses of a hot wallet: bip84, bip86, bip49, bip44")
		c.Flags().StringVar(&w.passphraseFile, "passphrase-file", "", "file with the passphrase that seals the words")
	}
	create.Flags().IntVar(&w.words, "words", 24, "12 or 24")
	create.Flags().BoolVar(&w.yes, "written-down", false, "do not ask the words back")
	take.Flags().StringVar(&w.descriptor, "descriptor", "", "descriptor or extended public key")
	take.Flags().StringVar(&w.wordsFile, "words-file", "", "file with the words, - for standard input")
	take.Flags().StringVar(&w.backupFile, "backup", "", "file that till wallet backup wrote")
	group.AddCommand(create, take, p.rescan(), p.bump(), p.backUpWallet(), &cobra.Command{
		Use: "show", Short: "Show what the wallet is: network, fingerprint, descriptor, first addresses", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return p.showWallet() },
	})
	return group
}

// newWallet is what the flags of init and import say.
type newWallet struct {
	kind, passphraseFile, descriptor, wordsFile, backupFile string
	words                                                   int
	yes                                                     bool
}

var walletForms = map[string]bitcoin.Form{"bip84": bitcoin.P2WPKH, "bip86": bitcoin.P2TR, "bip49": bitcoin.P2SH, "bip44": bitcoin.P2PKH}

func (p *program) initWallet(w newWallet) error {
	if w.words != 12 && w.words != 24 {
		return usage("--words 24", "make wallet: a wallet has 12 or 24 words")
	}
	c, err := p.load(nil)
	if err != nil {
		return fail("make wallet", err)
	}
	words, err := wallet.NewWords(rand.Reader, w.words)
	if err != nil {
		return fail("make wallet", err)
	}
	defer words.Wipe()
	lines := bufio.NewReader(p.in)
	if !w.yes {
		if !isTerminal(p.in) {
			return usage("--written-down, after you have made sure the words are kept", "make wallet: the words must be asked back and there is no terminal")
		}
		if err := p.askBack(words, lines); err != nil {
			return err
		}
	} else {
		p.showWords(words)
	}
	return p.sealWallet(c, w, words, lines)
}

func (p *program) showWords(words protocol.Secret) {
	p.say("These words are the money. Write them on paper, in order; they are not shown again.\n\n")
	for i, word := range strings.Fields(words.Reveal()) {
		p.say("  %2d  %s\n", i+1, word)
	}
	p.say("\n")
}

// askBack shows the words, clears the screen and asks three of them.
func (p *program) askBack(words protocol.Secret, lines *bufio.Reader) error {
	p.showWords(words)
	p.say("Press enter when they are written down; the screen is cleared then. ")
	if _, err := lines.ReadString('\n'); err != nil {
		return fail("make wallet", err)
	}
	p.say("\x1b[3J\x1b[2J\x1b[H")
	list := strings.Fields(words.Reveal())
	var pick [3]byte
	if _, err := io.ReadFull(rand.Reader, pick[:]); err != nil {
		return fail("make wallet", err)
	}
	for i, b := range pick {
		third := len(list) / len(pick)
		n := i*third + int(b)%third
		p.say("word %d: ", n+1)
		answer, err := lines.ReadString('\n')
		if err != nil {
			return fail("make wallet", err)
		}
		if strings.TrimSpace(strings.ToLower(answer)) != list[n] {
			return &failure{exitNo, errors.New("make wallet: that is another word; nothing was kept"), "till wallet init, and write the new words down"}
		}
	}
	return nil
}

// sealWallet asks the passphrase and keeps the words sealed.
func (p *program) sealWallet(c *config.Config, w newWallet, words protocol.Secret, lines *bufio.Reader) error {
	form, known := walletForms[w.kind]
	if !known {
		return usage("--kind bip84", "make wallet: there is no kind %q", w.kind)
	}
	network, err := bitcoin.ParseNetwork(c.Chain.Network)
	if err != nil {
		return fail("make wallet", err)
	}
	passphrase, err := p.passphrase(c, w, lines)
	if err != nil {
		return err
	}
	defer passphrase.Wipe()
	sealed, err := wallet.Seal(wallet.New{Words: words, Passphrase: passphrase, Form: form, Network: network, Cost: wallet.DefaultCost}, rand.Reader)
	if err != nil {
		return fail("make wallet", err)
	}
	if err := p.makeDataDir(); err != nil {
		return err
	}
	if err := boot.WriteSeed(boot.SeedPath(c, p.dataDir()), sealed); err != nil {
		return fail("make wallet", err)
	}
	return p.walletFacts(sealed.Watch(), true)
}

func (p *program) passphrase(c *config.Config, w newWallet, lines *bufio.Reader) (protocol.Secret, error) {
	path := w.passphraseFile
	if path == "" {
		path = c.Wallet.PassphraseFile
	}
	if path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return protocol.Secret{}, fail("read passphrase", err)
		}
		return protocol.NewSecret(strings.TrimRight(string(text), "\r\n")), nil
	}
	if !isTerminal(p.in) {
		return protocol.Secret{}, usage("--passphrase-file FILE", "make wallet: a passphrase is needed and there is no terminal to ask it")
	}
	typed, same, err := p.askTwice(lines, "passphrase that seals the words: ")
	if err != nil {
		return protocol.Secret{}, fail("read passphrase", err)
	}
	if !same || typed.Empty() {
		return protocol.Secret{}, &failure{exitNo, errors.New("make wallet: the passphrases differ or are empty; nothing was kept"), "again"}
	}
	return typed, nil
}

func (p *program) importWallet(w newWallet) error {
	c, err := p.load(nil)
	if err != nil {
		return fail("import wallet", err)
	}
	given := 0
	for _, from := range []string{w.descriptor, w.wordsFile, w.backupFile} {
		if from != "" {
			given++
		}
	}
	if given != 1 {
		return usage("till wallet import --descriptor 'wpkh(…)'", "import wallet: give either --descriptor or --words-file or --backup")
	}
	if w.backupFile != "" {
		return p.restoreWallet(c, w.backupFile)
	}
	if w.descriptor != "" {
		network, err := bitcoin.ParseNetwork(c.Chain.Network)
		if err != nil {
			return fail("import wallet", err)
		}
		watch, err := wallet.Watch(w.descriptor, network)
		if err != nil {
			return &failure{exitUsage, fmt.Errorf("import wallet: %w", err), "give a descriptor such as wpkh(xpub…/<0;1>/*), or a zpub"}
		}
		if err := p.makeDataDir(); err != nil {
			return err
		}
		if err := boot.WriteDescriptor(p.dataDir(), watch.Descriptor()); err != nil {
			return fail("import wallet", err)
		}
		return p.walletFacts(watch, false)
	}
	from := p.in
	if w.wordsFile != "-" {
		f, err := os.Open(w.wordsFile)
		if err != nil {
			return fail("import wallet", err)
		}
		defer func() { _ = f.Close() }()
		from = f
	}
	lines := bufio.NewReader(from)
	text, err := lines.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fail("import wallet", err)
	}
	words, err := wallet.ReadWords(protocol.NewSecret(text))
	if err != nil {
		return &failure{exitUsage, fmt.Errorf("import wallet: %w", err), "check the words on the paper"}
	}
	defer words.Wipe()
	return p.sealWallet(c, w, words, bufio.NewReader(p.in))
}

// showWallet shows the wallet of the data directory, else that of its practice shop.
func (p *program) showWallet() error {
	o, err := p.administration()
	if err != nil {
		return fail("show wallet", err)
	}
	b, err := boot.ReadWalletForBackup(boot.ServerOptions{Dir: p.dataDir(), Config: o.Config})
	if errors.Is(err, boot.ErrNoWallet) && o.Practice {
		b, err = boot.ReadWalletForBackup(o)
	}
	if errors.Is(err, boot.ErrNoWallet) {
		return &failure{exitNo, fmt.Errorf("show wallet: %w", err), "till wallet init, or till wallet import --descriptor …"}
	}
	if err != nil {
		return fail("show wallet", err)
	}
	return p.walletFacts(b.Wallet, b.Sealed != nil)
}

func (p *program) walletFacts(w *wallet.Wallet, hot bool) error {
	const shown = 3
	facts := struct {
		Network     string   `json:"network"`
		Fingerprint string   `json:"fingerprint"`
		Hot         bool     `json:"hot"`
		Descriptor  string   `json:"descriptor"`
		First       []string `json:"first_addresses"`
	}{w.Identity().Network, w.Identity().Fingerprint, hot, w.Descriptor(), nil}
	for i := range uint32(shown) {
		a, err := w.Derive(0, i)
		if err != nil {
			return fail("derive address", err)
		}
		facts.First = append(facts.First, a.Text)
	}
	return p.print(facts, func() {
		kind := "receives only"
		if hot {
			kind = "hot: receives and pays out"
		}
		p.say("network      %s\nfingerprint  %s (%s)\ndescriptor   %s\naddresses    %s\n", facts.Network, facts.Fingerprint, kind, facts.Descriptor, strings.Join(facts.First, "\n             "))
	})
}

func (p *program) makeDataDir() error {
	if err := os.MkdirAll(p.dataDir(), 0o700); err != nil {
		return fail("make data directory", err)
	}
	return nil
}
