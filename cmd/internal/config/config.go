package config

import (
	"time"

	"till/protocol"
)

// Config is the whole configuration with defaults filled in. Amounts of money
// are in the shop's currency.
type Config struct {
	Shop struct {
		Name, TaxNumber, ReceiptFooter string
		Address                        []string
		Currency                       string
		Locale                         string
		TimeZone                       string
		Tax                            []Tax
		TipsBP                         []int64
	}
	Terminal struct {
		Name       string
		HalfBlocks string
		Theme      string
		Language   string
		Mouse      bool
		Sound      bool
		Receipt    string
	}
	Server struct {
		URL        string
		RPC        string
		PublicHost []string
		OfflineMax time.Duration
		Poll       time.Duration
	}
	SSH   struct{ Listen, KeysFile string }
	Store struct{ URL, KeyFile string }
	Chain struct {
		Backend          string
		Network          string
		NodeURL          string
		NodeUser         string
		NodePasswordFile string
		NodeCertFile     string
		FeeFallback      int64 // sat/vB, 0 none
		MaxTipAge        time.Duration
	}
	Wallet struct {
		Descriptor     string
		SeedFile       string
		PassphraseFile string
		GapLimit       int64
		FeeFloor       int64 // sat/vB
		FeeCeiling     int64
		FeeTarget      int64 // blocks
	}
	Rates struct {
		Sources       []string
		Fixed         string
		File          string
		JSONURL       string
		JSONPath      string
		QuoteLifetime time.Duration
		MaxAge        time.Duration
		MaxJumpBP     int64
		MinSources    int64
		BuySpreadBP   int64
		SellSpreadBP  int64
	}
	Acceptance struct {
		Steps             []Step
		Watch             time.Duration
		PaymentWindow     time.Duration
		ToleranceSat      int64
		TolerancePermille int64
	}
	Limits struct {
		PerPayout, PerTerminalDay, PerUserDay, ShopDay             string
		PerPayoutSat, PerTerminalDaySat, PerUserDaySat, ShopDaySat int64
		PinApproval, PinApprovalDay                                string
		SelfApproval                                               bool
	}
	Ecash struct {
		Mints        []Mint
		MaxFee       string
		LotteryBelow string
		PublicURL    string
		IBAN         string
		BIC          string
		Holder       string
	}
	Lightning struct{ URL, MacaroonFile, CertFile string }
	Alerts    struct {
		WebhookURL, WebhookSecretFile      string
		SMTPServer, SMTPSecurity, SMTPUser string
		SMTPPasswordFile, MailFrom         string
		MailTo                             []string
	}
	Printer struct{ URL, Profile string }
	Card    struct{ URL, Coercivity string }
	Scanner struct{ URL, Suffix, Trigger string }
	Display struct {
		URL, Set      string
		BehindPrinter bool
	}
	Drawer struct {
		Pin, OnMS, OffMS int64
		OpenWhen         string
	}
	Vault struct{ URL, SecretFile, Tamper string }
	Kiosk struct {
		IdleSeconds    int64
		ServicePINFile string
		Sell, Redeem   bool
		OfflineMax     time.Duration
		Needs          []string
	}
	Log      struct{ Level, Format string }
	Keys     []Binding
	Practice struct {
		BlockEvery time.Duration
		Rate       string
	}
}

// Binding gives an action of the screens other keys: a line of [keys].
type Binding struct {
	Action string
	Keys   []string
	Where  string // FILE:LINE
}

// Step is one acceptance step; UpTo "" is the last.
type Step struct {
	UpTo          string
	Confirmations int64
}

// Tax is one rate of sales tax.
type Tax struct {
	Code     string
	RateBP   int64
	Included bool
}

// Mint is an e-cash mint that is trusted.
type Mint struct{ URL, MasterPub string }

// Money reads an amount of the configuration in the shop's currency; "" is nil.
func (c *Config) Money(text string) (*protocol.Money, error) {
	if text == "" {
		return nil, nil
	}
	m, err := protocol.ParseMoney(protocol.Currency(c.Shop.Currency), text)
	if err != nil {
		return nil, err
	}
	return &m, nil
}
