package config

import (
	"reflect"
	"slices"
	"strings"
)

// pushed is the file name in faults of a pushed configuration.
const pushed = "pushed"

// Pushable reports whether a pushed configuration may set the key: what a terminal
// is told or judged by, nothing that belongs to one machine or to the whole shop.
func Pushable(name string) bool {
	section, _, _ := strings.Cut(name, ".")
	switch section {
	case "acceptance", "limits":
		return true
	case "shop":
		return name != "shop.currency" && name != "shop.time_zone"
	}
	return name == "server.offline_max" || name == "server.poll"
}

// Live reports whether a running server takes up another value of the key; others
// hold from the next start on.
func Live(name string) bool {
	switch name {
	case "shop.time_zone", "chain.max_tip_age", "rates.quote_lifetime", "rates.buy_spread_bp", "rates.sell_spread_bp",
		"wallet.gap_limit", "wallet.fee_floor", "wallet.fee_ceiling", "wallet.fee_target", "server.public_host", "log.level":
		return true
	}
	return Pushable(name)
}

// push lays a pushed configuration over all that was read before.
func (l *loader) push(text string) {
	before := l.set
	l.set = map[string]string{}
	l.file(pushed, []byte(text))
	for _, k := range Keys {
		if where := l.set[k.Name]; where != "" && !Pushable(k.Name) {
			l.fault(where, "%s belongs to one machine or to the whole shop and cannot be pushed", k.Name)
		}
	}
	for name, where := range before {
		if l.set[name] == "" {
			l.set[name] = where
		}
	}
}

// Changed names the keys whose values differ, in the order of [Keys].
func Changed(a, b *Config) []string {
	var names []string
	for _, k := range Keys {
		if !reflect.DeepEqual(k.bind(a), k.bind(b)) {
			names = append(names, k.Name)
		}
	}
	return slices.Clip(names)
}
