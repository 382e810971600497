package config

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"sort"
	"strings"
	"time"

	"till/protocol"
)

// Fault is one thing wrong with the configuration.
type Fault struct {
	Where string // "FILE:LINE", the name of a variable, or of a flag
	What  string
}

// Faults is every fault found; it is an error.
type Faults []Fault

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.Where + ": " + fault.What
	}
	return strings.Join(lines, "\n")
}

// MaxFile is the most bytes a configuration file may have.
const MaxFile = 1 << 20

// Sources are where values come from, in rising order of weight.
type Sources struct {
	File  string            // path of the TOML file, "" for none
	Env   []string          // NAME=VALUE; unknown TILL_ variables are ignored
	Flags map[string]string // key name to value
	// Text is the file's content where it was read before; nil: [Load] reads it.
	Text []byte
	// Judge tells what is wrong with other keys, by their order; nil: nobody knows.
	Judge func([]Binding) []Fault
	// Push is the text of a pushed configuration, which may set what [Pushable]
	// allows and beats all the rest; "" none.
	Push string
}

// Read reads the file, so that loading again sees the same.
func (s Sources) Read() (Sources, error) {
	if s.File == "" || s.Text != nil {
		return s, nil
	}
	text, err := os.ReadFile(s.File)
	if err != nil {
		return s, fmt.Errorf("read configuration: %w", err)
	}
	s.Text = append([]byte{}, text...) // not nil
	return s, nil
}

// Load reads all sources over the defaults. The error is [Faults], or tells why
// the file cannot be read.
func Load(s Sources) (*Config, error) {
	l := loader{config: &Config{}, set: map[string]string{}}
	for _, k := range Keys {
		if k.Default != "" {
			l.bindText(k, k.Default, "default of "+k.Name)
		}
	}
	l.set = map[string]string{}
	s, err := s.Read()
	if err != nil {
		return nil, err
	}
	if s.File != "" {
		l.file(s.File, s.Text)
	}
	for _, k := range Keys {
		for _, pair := range s.Env {
			if name, value, _ := strings.Cut(pair, "="); name == k.Env() {
				l.set[k.Name] = name
				l.bindText(k, value, name)
			}
		}
		if value, given := s.Flags[k.Name]; given {
			where := "--" + k.Name
			l.set[k.Name] = where
			l.bindText(k, value, where)
		}
	}
	if s.Push != "" {
		l.push(s.Push)
	}
	l.judge()
	if s.Judge != nil {
		l.faults = append(l.faults, s.Judge(l.config.Keys)...)
	}
	if len(l.faults) > 0 {
		return nil, l.faults
	}
	return l.config, nil
}

// Find gives the file that is read: the flag's, else the variable's, else the
// first that exists of the user's and the machine's; "" when there is none.
func Find(flag string, getenv func(string) string) string {
	if flag != "" {
		return flag
	}
	if path := getenv("TILL_CONFIG"); path != "" {
		return path
	}
	var places []string
	if home := getenv("XDG_CONFIG_HOME"); home != "" {
		places = append(places, home+"/till/till.toml")
	} else if home := getenv("HOME"); home != "" {
		places = append(places, home+"/.config/till/till.toml")
	}
	for _, path := range append(places, "/etc/till/till.toml") {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return ""
}

type loader struct {
	config *Config
	faults Faults
	set    map[string]string // key to where it was set last
}

func (l *loader) fault(where, format string, args ...any) {
	l.faults = append(l.faults, Fault{where, fmt.Sprintf(format, args...)})
}

func find(name string) (Key, bool) {
	for _, k := range Keys {
		if k.Name == name {
			return k, true
		}
	}
	return Key{}, false
}

// nearest names the known key that is written most alike, for a hint.
func nearest(name string) string {
	best, least := "", 4
	for _, k := range Keys {
		if d := distance(name, k.Name); d < least {
			best, least = k.Name, d
		}
	}
	return best
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := before
			if a[i] != b[j] {
				cost = min(before, row[j], row[j+1]) + 1
			}
			before, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}

// bindText binds a value written as TOML, or as plain text where TOML would
// want quotes.
func (l *loader) bindText(k Key, text, where string) {
	v, err := parseValue(text)
	if err != nil {
		v = value{kind: kindText, text: text}
	}
	l.bind(k, v, where)
}

func (l *loader) bind(k Key, v value, where string) {
	if err := assign(k, v, k.bind(l.config)); err != nil {
		l.fault(where, "%s must be %s: %v", k.Name, k.Type, err)
	}
}

func assign(k Key, v value, into any) error {
	switch p := into.(type) {
	case *string:
		if v.kind != kindText {
			return v.not("a text in quotes")
		}
		if len(k.choices) > 0 && !contains(k.choices, v.text) {
			return fmt.Errorf("%q is none of them", v.text)
		}
		*p = v.text
	case money:
		if v.kind != kindText && v.kind != kindInteger {
			return v.not(`an amount in quotes such as "12.50"`)
		}
		*p.at = v.text
	case *bool:
		if v.kind != kindBool {
			return v.not("true or false")
		}
		*p = v.text == "true"
	case *int64:
		return v.integer(k, p)
	case *time.Duration:
		if v.kind == kindInteger && v.text == "0" {
			*p = 0
		} else if v.kind != kindText {
			return v.not(`a time in quotes such as "90s"`)
		} else if d, err := time.ParseDuration(v.text); err != nil {
			return fmt.Errorf("%q is not a time such as 90s or 15m", v.text)
		} else {
			*p = d
		}
		if int64(*p) < k.min || int64(*p) > k.max {
			return fmt.Errorf("%s is out of range", *p)
		}
	default:
		return assignList(k, v, into)
	}
	return nil
}

func assignList(k Key, v value, into any) error {
	if v.kind != kindList {
		return v.not("a list in brackets")
	}
	switch p := into.(type) {
	case *[]string:
		*p = nil
		for _, item := range v.items {
			var text string
			if err := assign(Key{}, item, &text); err != nil {
				return err
			}
			*p = append(*p, text)
		}
	case *[]int64:
		*p = nil
		for _, item := range v.items {
			var n int64
			if err := item.integer(k, &n); err != nil {
				return err
			}
			*p = append(*p, n)
		}
	case *[]Step:
		*p = nil
		for _, item := range v.items {
			var s Step
			if err := item.table(map[string]any{"up_to": money{&s.UpTo}, "confirmations": &s.Confirmations}); err != nil {
				return err
			}
			*p = append(*p, s)
		}
	case *[]Tax:
		*p = nil
		for _, item := range v.items {
			var t Tax
			if err := item.table(map[string]any{"code": &t.Code, "rate_bp": &t.RateBP, "included": &t.Included}); err != nil {
				return err
			}
			*p = append(*p, t)
		}
	case *[]Mint:
		*p = nil
		for _, item := range v.items {
			var m Mint
			if err := item.table(map[string]any{"url": &m.URL, "master_pub": &m.MasterPub}); err != nil {
				return err
			}
			*p = append(*p, m)
		}
	default:
		return fmt.Errorf("the program cannot hold it (%T)", into)
	}
	return nil
}

// judge checks what no single value shows.
func (l *loader) judge() {
	c := l.config
	where := func(key string) string {
		if at := l.set[key]; at != "" {
			return at
		}
		return key
	}
	if !protocol.Currency(c.Shop.Currency).Valid() {
		l.fault(where("shop.currency"), "%q is not an ISO 4217 code such as EUR", c.Shop.Currency)
		return
	}
	for _, k := range Keys {
		if m, ok := k.bind(c).(money); ok && *m.at != "" {
			if _, err := c.Money(*m.at); err != nil {
				l.fault(where(k.Name), "%s: %v", k.Name, err)
			}
		}
	}
	l.judgeSteps(where("acceptance.steps"))
	if c.Shop.TimeZone != "" {
		if _, err := time.LoadLocation(c.Shop.TimeZone); err != nil {
			l.fault(where("shop.time_zone"), "%q is not a time zone such as Europe/Vienna", c.Shop.TimeZone)
		}
	}
	if c.Wallet.FeeFloor > c.Wallet.FeeCeiling {
		l.fault(where("wallet.fee_ceiling"), "is below wallet.fee_floor")
	}
	if c.Server.URL != "" {
		if u, err := url.Parse(c.Server.URL); err != nil || u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" {
			l.fault(where("server.url"), "must be https://HOST:PORT")
		}
	}
	if _, _, err := net.SplitHostPort(c.Server.RPC); err != nil {
		l.fault(where("server.rpc"), "must be HOST:PORT")
	}
	if a := c.Alerts; a.WebhookURL != "" {
		if u, err := url.Parse(a.WebhookURL); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			l.fault(where("alerts.webhook_url"), "must be https://HOST/…")
		}
	}
	if a := c.Alerts; a.SMTPServer != "" && (a.MailFrom == "" || len(a.MailTo) == 0) {
		l.fault(where("alerts.smtp_server"), "alerts.mail_from and alerts.mail_to are needed, too")
	}
	for _, source := range c.Rates.Sources {
		if !contains([]string{"kraken", "coinbase", "bitstamp", "coingecko", "json", "file", "fixed"}, source) {
			l.fault(where("rates.sources"), "there is no source %q", source)
		}
	}
	sort.SliceStable(l.faults, func(i, j int) bool { return l.faults[i].Where < l.faults[j].Where })
}

func (l *loader) judgeSteps(where string) {
	steps := l.config.Acceptance.Steps
	var before int64 = -1
	for i, s := range steps {
		last := i == len(steps)-1
		if (s.UpTo == "") != last {
			l.fault(where, "acceptance.steps: every step but the last needs up_to")
			return
		}
		if s.Confirmations < 0 || s.Confirmations > 100 {
			l.fault(where, "acceptance.steps: confirmations are 0 to 100")
		}
		if last {
			continue
		}
		m, err := l.config.Money(s.UpTo)
		if err != nil {
			l.fault(where, "acceptance.steps: %v", err)
		} else if m.Minor <= before {
			l.fault(where, "acceptance.steps: amounts must rise")
		} else {
			before = m.Minor
		}
	}
	if len(steps) == 0 {
		l.fault(where, "acceptance.steps: at least one step is needed")
	}
}

func contains(list []string, item string) bool {
	for _, have := range list {
		if have == item {
			return true
		}
	}
	return false
}
