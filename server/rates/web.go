package rates

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"till/protocol"
)

const (
	maxAnswer    = 64 << 10 // bytes of an answer
	maxRedirects = 3
)

// Web is a source that finds a price in the JSON of an HTTP answer.
type Web struct {
	name     string
	url      string
	path     string // to the price
	timePath string // to when it was so, in Unix seconds; "" when not told
	currency protocol.Currency
	client   *http.Client
}

var _ Source = Web{}

// NewWeb makes a source of any JSON. The path to the price is member names and
// array indexes joined by dots, "data.0.price"; "*" is the only member of an
// object. The price is a number or a string with one.
func NewWeb(name, address, path string, currency protocol.Currency, client *http.Client) (Web, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		return Web{}, fmt.Errorf("rate source %s: its address must be https://HOST/…", name)
	case name == "" || path == "" || strings.Contains("."+path+".", ".."):
		return Web{}, fmt.Errorf("rate source %s: path %q has an empty step", name, path)
	case !currency.Valid() || client == nil:
		return Web{}, fmt.Errorf("rate source %s: currency and client are needed", name)
	}
	careful := *client
	careful.CheckRedirect = func(next *http.Request, before []*http.Request) error {
		if len(before) > maxRedirects || before[0].URL.Scheme == "https" && next.URL.Scheme != "https" {
			return errors.New("redirected too often or out of TLS")
		}
		return nil
	}
	return Web{name: name, url: address, path: path, currency: currency, client: &careful}, nil
}

// presets are exchanges whose answers are known, with {CUR} and {cur} for the
// currency in capital and small letters. Sources: docs.kraken.com "Get Ticker
// Information" (c is the last trade), docs.cdp.coinbase.com "Get spot price",
// bitstamp.net/api "Ticker", docs.coingecko.com "Coin Price by IDs".
var presets = map[string]Web{
	"kraken": {
		url:  "https://api.kraken.com/0/public/Ticker?pair=XBT{CUR}",
		path: "result.*.c.0",
	},
	"coinbase": {
		url:  "https://api.coinbase.com/v2/prices/BTC-{CUR}/spot",
		path: "data.amount",
	},
	"bitstamp": {
		url:  "https://www.bitstamp.net/api/v2/ticker/btc{cur}/",
		path: "last", timePath: "timestamp",
	},
	"coingecko": {
		url:  "https://api.coingecko.com/api/v3/simple/price?ids=bitcoin&vs_currencies={cur}&include_last_updated_at=true",
		path: "bitcoin.{cur}", timePath: "bitcoin.last_updated_at",
	},
}

// NewExchange makes one of the known sources: kraken, coinbase, bitstamp,
// coingecko. Whether it trades in the currency shows when it is asked.
func NewExchange(name string, currency protocol.Currency, client *http.Client) (Web, error) {
	preset, ok := presets[name]
	if !ok {
		return Web{}, fmt.Errorf("rate source %q is not one of kraken, coinbase, bitstamp, coingecko", name)
	}
	fill := strings.NewReplacer("{CUR}", string(currency), "{cur}", strings.ToLower(string(currency)))
	w, err := NewWeb(name, fill.Replace(preset.url), fill.Replace(preset.path), currency, client)
	w.timePath = preset.timePath
	return w, err
}

// Name implements [Source].
func (w Web) Name() string { return w.name }

// Ask implements [Source].
func (w Web) Ask(ctx context.Context) (Reading, error) {
	body, err := w.fetch(ctx)
	if err != nil {
		return Reading{}, fmt.Errorf("ask %s: %w", w.name, err)
	}
	r, err := w.read(body)
	if err != nil {
		return Reading{}, fmt.Errorf("ask %s: %w", w.name, err)
	}
	return r, nil
}

func (w Web) fetch(ctx context.Context) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "till")
	answer, err := w.client.Do(request)
	var about *url.Error
	if errors.As(err, &about) {
		err = about.Err // without the address, which may hold a key
	}
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answers %s", answer.Status)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxAnswer {
		return nil, fmt.Errorf("its answer is longer than %d bytes", maxAnswer)
	}
	return body, nil
}

// read finds price and time in an answer.
func (w Web) read(body []byte) (Reading, error) {
	var r Reading
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var whole any
	if err := decoder.Decode(&whole); err != nil {
		return r, fmt.Errorf("its answer is not JSON: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return r, errors.New("its answer goes on after the JSON")
	}
	text, err := find(whole, w.path)
	if err != nil {
		return r, err
	}
	if r.Rate, err = parseRate(text, w.currency); err != nil || w.timePath == "" {
		return r, err
	}
	if text, err = find(whole, w.timePath); err != nil {
		return r, err
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if r.At = protocol.Time(seconds * 1000); err != nil || seconds <= 0 || seconds > 1<<40 || !r.At.Valid() {
		return r, fmt.Errorf("%.40q is not a time", text)
	}
	return r, nil
}

// find follows a path to a number or a string.
func find(value any, path string) (string, error) {
	for _, step := range strings.Split(path, ".") {
		switch node := value.(type) {
		case map[string]any:
			next, ok := node[step]
			if step == "*" && len(node) == 1 {
				for _, next = range node {
					ok = true
				}
			}
			if !ok {
				return "", fmt.Errorf("its answer has no %q of %s", step, path)
			}
			value = next
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(node) {
				return "", fmt.Errorf("its answer has no %q of %s", step, path)
			}
			value = node[i]
		default:
			return "", fmt.Errorf("its answer ends before %q of %s", step, path)
		}
	}
	switch leaf := value.(type) {
	case string:
		return leaf, nil
	case json.Number:
		return leaf.String(), nil
	}
	return "", fmt.Errorf("its answer has no number at %s", path)
}
