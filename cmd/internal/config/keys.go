package config

import (
	"fmt"
	"strings"
	"time"
)

// Key is one key of the configuration.
type Key struct {
	Name    string // "acceptance.watch"
	Type    string // what a value is, in words
	Default string // as TOML; "" is not set
	Words   string // what it is for

	bind    func(c *Config) any // a pointer into c
	min     int64
	max     int64
	choices []string
}

// Section is the part before the point.
func (k Key) Section() string { section, _, _ := strings.Cut(k.Name, "."); return section }

// Env is the variable that sets the key: TILL_ACCEPTANCE_WATCH.
func (k Key) Env() string {
	return "TILL_" + strings.ToUpper(strings.ReplaceAll(k.Name, ".", "_"))
}

const (
	second = int64(time.Second)
	hour   = int64(time.Hour)
	many   = int64(1) << 40
)

func text(name, def, words string, bind func(*Config) *string) Key {
	return Key{Name: name, Type: "text", Default: quoted(def), Words: words, bind: func(c *Config) any { return bind(c) }}
}

// money is an amount in the shop's currency, written as text.
type money struct{ at *string }

func amount(name, def, words string, bind func(*Config) *string) Key {
	return Key{Name: name, Type: "amount of the shop's currency", Default: quoted(def), Words: words, bind: func(c *Config) any { return money{bind(c)} }}
}

func choice(name, def, words string, choices []string, bind func(*Config) *string) Key {
	return Key{Name: name, Type: "one of " + strings.Join(choices, ", "), Default: quoted(def), Words: words, choices: choices, bind: func(c *Config) any { return bind(c) }}
}

func number(name, def, words string, min, max int64, bind func(*Config) *int64) Key {
	return Key{Name: name, Type: fmt.Sprintf("integer %d to %d", min, max), Default: def, Words: words, min: min, max: max, bind: func(c *Config) any { return bind(c) }}
}

func yesno(name, def, words string, bind func(*Config) *bool) Key {
	return Key{Name: name, Type: "true or false", Default: def, Words: words, bind: func(c *Config) any { return bind(c) }}
}

func span(name, def, words string, min, max int64, bind func(*Config) *time.Duration) Key {
	return Key{Name: name, Type: fmt.Sprintf("time, %s to %s", time.Duration(min), time.Duration(max)), Default: quoted(def), Words: words, min: min, max: max, bind: func(c *Config) any { return bind(c) }}
}

func list(name, def, words string, bind func(*Config) *[]string) Key {
	return Key{Name: name, Type: "list of texts", Default: def, Words: words, bind: func(c *Config) any { return bind(c) }}
}

func quoted(def string) string {
	if def == "" {
		return ""
	}
	return fmt.Sprintf("%q", def)
}

// Keys lists every key, by section.
var Keys = []Key{
	text("shop.name", "", "name on screens and receipts", func(c *Config) *string { return &c.Shop.Name }),
	list("shop.address", "", "lines of the address on receipts", func(c *Config) *[]string { return &c.Shop.Address }),
	text("shop.tax_number", "", "tax number on receipts", func(c *Config) *string { return &c.Shop.TaxNumber }),
	text("shop.receipt_footer", "", "last line of receipts", func(c *Config) *string { return &c.Shop.ReceiptFooter }),
	text("shop.currency", "EUR", "ISO 4217 code of the prices", func(c *Config) *string { return &c.Shop.Currency }),
	text("shop.locale", "en-IE", "how numbers and dates are written", func(c *Config) *string { return &c.Shop.Locale }),
	text("shop.time_zone", "", "IANA name such as Europe/Vienna; empty is the machine's", func(c *Config) *string { return &c.Shop.TimeZone }),
	{Name: "shop.tax", Type: "list of {code, rate_bp, included}", Words: "rates of sales tax, in hundredths of a percent", bind: func(c *Config) any { return &c.Shop.Tax }},
	{Name: "shop.tips_bp", Type: "list of integers", Default: "[500, 1000, 1500]", Words: "tips offered, in hundredths of a percent", max: 10000, bind: func(c *Config) any { return &c.Shop.TipsBP }},

	text("terminal.name", "counter", "name of the terminal with the embedded server", func(c *Config) *string { return &c.Terminal.Name }),
	choice("terminal.half_blocks", "auto", "whether the console font has half blocks for QR codes", []string{"auto", "yes", "no"}, func(c *Config) *string { return &c.Terminal.HalfBlocks }),
	choice("terminal.theme", "dark", "colours", []string{"dark", "light", "high-contrast", "colour-blind", "16", "none"}, func(c *Config) *string { return &c.Terminal.Theme }),
	choice("terminal.language", "auto", "words; auto follows the shop's locale", []string{"auto", "en", "de", "fr", "es", "ja"}, func(c *Config) *string { return &c.Terminal.Language }),
	yesno("terminal.mouse", "true", "mouse and touch", func(c *Config) *bool { return &c.Terminal.Mouse }),
	yesno("terminal.sound", "true", "sounds for paid and failed", func(c *Config) *bool { return &c.Terminal.Sound }),
	choice("terminal.receipt", "auto", "print when first accepted, when asked, or never", []string{"auto", "ask", "never"}, func(c *Config) *string { return &c.Terminal.Receipt }),

	text("server.url", "", "https://HOST:PORT of a remote server; empty is the embedded one", func(c *Config) *string { return &c.Server.URL }),
	text("server.rpc", "127.0.0.1:8443", "where terminals check in", func(c *Config) *string { return &c.Server.RPC }),
	list("server.public_host", "", "HOST or HOST:PORT that pairing links name", func(c *Config) *[]string { return &c.Server.PublicHost }),
	span("server.offline_max", "24h", "how late an entry with a quote may arrive", 60*second, 30*24*hour, func(c *Config) *time.Duration { return &c.Server.OfflineMax }),
	span("server.poll", "15s", "time between idle check-ins", 15*second, 60*second, func(c *Config) *time.Duration { return &c.Server.Poll }),

	text("ssh.listen", "", "HOST:PORT of the owner's back office over SSH; empty is none", func(c *Config) *string { return &c.SSH.Listen }),
	text("ssh.keys_file", "", "authorized_keys of who may come in; empty is authorized_keys in the data directory", func(c *Config) *string { return &c.SSH.KeysFile }),

	text("store.url", "", "postgres://… or empty for server.db in the data directory", func(c *Config) *string { return &c.Store.URL }),
	text("store.key_file", "", "key that seals the database's secrets, the same for all servers on it; empty is server.key in the data directory", func(c *Config) *string { return &c.Store.KeyFile }),

	choice("chain.backend", "node", "how payments are seen", []string{"node", "practice"}, func(c *Config) *string { return &c.Chain.Backend }),
	choice("chain.network", "mainnet", "Bitcoin network", []string{"mainnet", "testnet3", "testnet4", "signet", "regtest"}, func(c *Config) *string { return &c.Chain.Network }),
	text("chain.node_url", "", "wss://HOST:PORT of btcd", func(c *Config) *string { return &c.Chain.NodeURL }),
	text("chain.node_user", "", "its RPC user", func(c *Config) *string { return &c.Chain.NodeUser }),
	text("chain.node_password_file", "", "file with its RPC password", func(c *Config) *string { return &c.Chain.NodePasswordFile }),
	text("chain.node_cert_file", "", "its TLS certificate (rpc.cert)", func(c *Config) *string { return &c.Chain.NodeCertFile }),
	number("chain.fee_fallback", "0", "sat/vB assumed while the node cannot estimate; 0 is none", 0, 10000, func(c *Config) *int64 { return &c.Chain.FeeFallback }),
	span("chain.max_tip_age", "90m", "older tips stop zero-confirmation sales", 60*second, 30*24*hour, func(c *Config) *time.Duration { return &c.Chain.MaxTipAge }),

	text("wallet.descriptor", "", "descriptor or extended public key: receives only", func(c *Config) *string { return &c.Wallet.Descriptor }),
	text("wallet.seed_file", "", "sealed seed of a hot wallet; empty is wallet.seed in the data directory", func(c *Config) *string { return &c.Wallet.SeedFile }),
	text("wallet.passphrase_file", "", "file with the passphrase that unlocks it", func(c *Config) *string { return &c.Wallet.PassphraseFile }),
	number("wallet.gap_limit", "1000", "unpaid addresses given out beyond the last paid one", 20, 100000, func(c *Config) *int64 { return &c.Wallet.GapLimit }),
	number("wallet.fee_floor", "1", "least sat/vB of a payout", 1, 10000, func(c *Config) *int64 { return &c.Wallet.FeeFloor }),
	number("wallet.fee_ceiling", "500", "most sat/vB; above it a payout is refused", 1, 100000, func(c *Config) *int64 { return &c.Wallet.FeeCeiling }),
	number("wallet.fee_target", "6", "blocks within which a payout should be mined", 1, 1008, func(c *Config) *int64 { return &c.Wallet.FeeTarget }),

	list("rates.sources", "", "kraken, coinbase, bitstamp, coingecko, json, file, fixed", func(c *Config) *[]string { return &c.Rates.Sources }),
	amount("rates.fixed", "", "price of a bitcoin for the source fixed", func(c *Config) *string { return &c.Rates.Fixed }),
	text("rates.file", "", "file with a price for the source file", func(c *Config) *string { return &c.Rates.File }),
	text("rates.json_url", "", "address for the source json", func(c *Config) *string { return &c.Rates.JSONURL }),
	text("rates.json_path", "", "where the price stands in its answer, such as data.0.price", func(c *Config) *string { return &c.Rates.JSONPath }),
	span("rates.quote_lifetime", "10m", "how long a price is held", 60*second, 24*hour, func(c *Config) *time.Duration { return &c.Rates.QuoteLifetime }),
	span("rates.max_age", "5m", "older rates do not count", 10*second, 24*hour, func(c *Config) *time.Duration { return &c.Rates.MaxAge }),
	number("rates.max_jump_bp", "1000", "a larger jump within 10 minutes stops quotes, in hundredths of a percent", 1, 10000, func(c *Config) *int64 { return &c.Rates.MaxJumpBP }),
	number("rates.min_sources", "1", "sources that must agree to exist", 1, 10, func(c *Config) *int64 { return &c.Rates.MinSources }),
	number("rates.buy_spread_bp", "0", "taken off the rate for sales, in hundredths of a percent", 0, 5000, func(c *Config) *int64 { return &c.Rates.BuySpreadBP }),
	number("rates.sell_spread_bp", "200", "added to the rate when bitcoin is sold", 0, 5000, func(c *Config) *int64 { return &c.Rates.SellSpreadBP }),

	{Name: "acceptance.steps", Type: "list of {up_to, confirmations}", Default: `[{up_to="50.00", confirmations=0}, {up_to="1000.00", confirmations=1}, {confirmations=3}]`, Words: "confirmations by amount, the last without up_to", bind: func(c *Config) any { return &c.Acceptance.Steps }},
	span("acceptance.watch", "3s", "time after first sight in which nothing may go wrong", 0, 600*second, func(c *Config) *time.Duration { return &c.Acceptance.Watch }),
	span("acceptance.payment_window", "15m", "time a customer has to pay", 60*second, 24*hour, func(c *Config) *time.Duration { return &c.Acceptance.PaymentWindow }),
	number("acceptance.tolerance_sat", "0", "satoshi that may be missing", 0, 1_000_000, func(c *Config) *int64 { return &c.Acceptance.ToleranceSat }),
	number("acceptance.tolerance_permille", "0", "thousandths of the amount that may be missing", 0, 100, func(c *Config) *int64 { return &c.Acceptance.TolerancePermille }),

	amount("limits.per_payout", "200", "most that one payout may be", func(c *Config) *string { return &c.Limits.PerPayout }),
	amount("limits.per_terminal_day", "500", "most a terminal pays out in a day", func(c *Config) *string { return &c.Limits.PerTerminalDay }),
	amount("limits.per_user_day", "500", "most a person approves in a day", func(c *Config) *string { return &c.Limits.PerUserDay }),
	amount("limits.shop_day", "2000", "most the shop pays out in a day", func(c *Config) *string { return &c.Limits.ShopDay }),
	number("limits.per_payout_sat", "", "the same in satoshi", 0, many*1000, func(c *Config) *int64 { return &c.Limits.PerPayoutSat }),
	number("limits.per_terminal_day_sat", "", "the same in satoshi", 0, many*1000, func(c *Config) *int64 { return &c.Limits.PerTerminalDaySat }),
	number("limits.per_user_day_sat", "", "the same in satoshi", 0, many*1000, func(c *Config) *int64 { return &c.Limits.PerUserDaySat }),
	number("limits.shop_day_sat", "", "the same in satoshi", 0, many*1000, func(c *Config) *int64 { return &c.Limits.ShopDaySat }),
	amount("limits.pin_approval", "0", "most that a PIN may approve; 0 is off", func(c *Config) *string { return &c.Limits.PinApproval }),
	amount("limits.pin_approval_day", "0", "most that PINs of one person approve in a day", func(c *Config) *string { return &c.Limits.PinApprovalDay }),
	yesno("limits.self_approval", "false", "whether the signed-in user may approve", func(c *Config) *bool { return &c.Limits.SelfApproval }),

	{Name: "ecash.mints", Type: "list of {url, master_pub}", Words: "mints whose coins are taken", bind: func(c *Config) any { return &c.Ecash.Mints }},
	amount("ecash.max_fee", "", "dearest deposit fee of a coin", func(c *Config) *string { return &c.Ecash.MaxFee }),
	amount("ecash.lottery_below", "0", "smaller amounts are paid by lottery; 0 is off", func(c *Config) *string { return &c.Ecash.LotteryBelow }),
	text("ecash.public_url", "", "http://HOST:PORT by which customers reach the shop; empty is where it listens", func(c *Config) *string { return &c.Ecash.PublicURL }),
	text("ecash.iban", "", "account that mints pay to", func(c *Config) *string { return &c.Ecash.IBAN }),
	text("ecash.bic", "", "its bank", func(c *Config) *string { return &c.Ecash.BIC }),
	text("ecash.holder", "", "its holder", func(c *Config) *string { return &c.Ecash.Holder }),

	text("lightning.url", "", "https://HOST:PORT of LND", func(c *Config) *string { return &c.Lightning.URL }),
	text("lightning.macaroon_file", "", "its macaroon", func(c *Config) *string { return &c.Lightning.MacaroonFile }),
	text("lightning.cert_file", "", "its TLS certificate", func(c *Config) *string { return &c.Lightning.CertFile }),

	text("alerts.webhook_url", "", "https://… where what the owner should know is posted as JSON", func(c *Config) *string { return &c.Alerts.WebhookURL }),
	text("alerts.webhook_secret_file", "", "file with the secret that signs it: HMAC-SHA-256 over TIME.BODY", func(c *Config) *string { return &c.Alerts.WebhookSecretFile }),
	text("alerts.smtp_server", "", "HOST:PORT of a mail server, such as mail.example.com:587", func(c *Config) *string { return &c.Alerts.SMTPServer }),
	choice("alerts.smtp_security", "starttls", "how the connection is protected", []string{"starttls", "tls", "none"}, func(c *Config) *string { return &c.Alerts.SMTPSecurity }),
	text("alerts.smtp_user", "", "user of the mail server; empty signs nobody in", func(c *Config) *string { return &c.Alerts.SMTPUser }),
	text("alerts.smtp_password_file", "", "file with the password", func(c *Config) *string { return &c.Alerts.SMTPPasswordFile }),
	text("alerts.mail_from", "", "sender of the mail", func(c *Config) *string { return &c.Alerts.MailFrom }),
	list("alerts.mail_to", "", "who gets it", func(c *Config) *[]string { return &c.Alerts.MailTo }),

	text("printer.url", "none", "serial:///dev/…?baud=38400, tcp://HOST:9100, sim:, none", func(c *Config) *string { return &c.Printer.URL }),
	choice("printer.profile", "auto", "what the printer can do", []string{"auto", "epson-80", "epson-80-wide", "clone-80", "clone-58", "generic"}, func(c *Config) *string { return &c.Printer.Profile }),
	text("card.url", "none", "card reader and writer", func(c *Config) *string { return &c.Card.URL }),
	choice("card.coercivity", "hi", "of the cards that are written", []string{"hi", "lo"}, func(c *Config) *string { return &c.Card.Coercivity }),
	text("scanner.url", "none", "serial scanner", func(c *Config) *string { return &c.Scanner.URL }),
	choice("scanner.suffix", "any", "what ends a code", []string{"any", "cr", "lf", "none"}, func(c *Config) *string { return &c.Scanner.Suffix }),
	choice("scanner.trigger", "none", "how a scan is started", []string{"none", "honeywell", "gm65"}, func(c *Config) *string { return &c.Scanner.Trigger }),
	text("display.url", "none", "customer display", func(c *Config) *string { return &c.Display.URL }),
	choice("display.set", "epson", "its commands", []string{"epson", "cd5220"}, func(c *Config) *string { return &c.Display.Set }),
	yesno("display.behind_printer", "false", "connected through the printer", func(c *Config) *bool { return &c.Display.BehindPrinter }),
	number("drawer.pin", "2", "of the drawer connector", 2, 5, func(c *Config) *int64 { return &c.Drawer.Pin }),
	number("drawer.on_ms", "50", "length of the pulse", 2, 510, func(c *Config) *int64 { return &c.Drawer.OnMS }),
	number("drawer.off_ms", "500", "pause after it", 2, 510, func(c *Config) *int64 { return &c.Drawer.OffMS }),
	choice("drawer.open_when", "high", "level of the sense pin of an open drawer", []string{"high", "low"}, func(c *Config) *string { return &c.Drawer.OpenWhen }),

	text("vault.url", "file:", "where the terminal's key is kept: file:, tpm:/dev/tpmrm0", func(c *Config) *string { return &c.Vault.URL }),
	text("vault.secret_file", "", "boot secret that seals the file", func(c *Config) *string { return &c.Vault.SecretFile }),
	text("vault.tamper", "none", "switch that erases the key when the case is opened: gpio:/dev/gpiochip0?line=17, serial:///dev/ttyS0?line=dsr, none", func(c *Config) *string { return &c.Vault.Tamper }),

	number("kiosk.idle_seconds", "60", "pause after which a kiosk begins again", 5, 3600, func(c *Config) *int64 { return &c.Kiosk.IdleSeconds }),
	text("kiosk.service_pin_file", "", "PIN of the service menu", func(c *Config) *string { return &c.Kiosk.ServicePINFile }),
	yesno("kiosk.sell", "false", "sells bitcoin", func(c *Config) *bool { return &c.Kiosk.Sell }),
	span("kiosk.offline_max", "1m", "how long a kiosk sells without the server", 0, 24*hour, func(c *Config) *time.Duration { return &c.Kiosk.OfflineMax }),
	list("kiosk.needs", `["printer"]`, "devices without which a kiosk is out of service, of those configured: printer, scanner, card, display", func(c *Config) *[]string { return &c.Kiosk.Needs }),
	yesno("kiosk.redeem", "false", "takes coins", func(c *Config) *bool { return &c.Kiosk.Redeem }),

	choice("log.level", "info", "least that is logged", []string{"debug", "info", "warn", "error"}, func(c *Config) *string { return &c.Log.Level }),
	choice("log.format", "text", "of the log", []string{"text", "json"}, func(c *Config) *string { return &c.Log.Format }),

	span("practice.block_every", "10s", "time between practice blocks; 0 mines on demand", 0, hour, func(c *Config) *time.Duration { return &c.Practice.BlockEvery }),
	amount("practice.rate", "58123.45", "price of a practice bitcoin", func(c *Config) *string { return &c.Practice.Rate }),
}
