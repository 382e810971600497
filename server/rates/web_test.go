package rates

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"till/protocol"
)

// toward sends every request to one server, whatever host it names.
type toward struct {
	host string
	next http.RoundTripper
}

func (x toward) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Host = x.host
	return x.next.RoundTrip(r)
}

// TestExchangesAreUnderstood gives each preset an answer as its documentation
// shows it, at the address it asks.
func TestExchangesAreUnderstood(t *testing.T) {
	answers := map[string]string{
		"/0/public/Ticker?pair=XBTEUR": `{"error":[],"result":{"XXBTZEUR":{"a":["58124.00000","1","1.000"],"b":["58123.00000","2","2.000"],"c":["58123.45000","0.00067643"],"t":[34619,38907],"o":"57502.80000"}}}`,
		"/v2/prices/BTC-EUR/spot":      `{"data":{"amount":"58123.455","base":"BTC","currency":"EUR"}}`,
		"/api/v2/ticker/btceur/":       `{"timestamp":"1800000000","open":"57000","high":"59000","low":"56000","last":"58123","volume":"213.26801100","vwap":"58000","bid":"58122","ask":"58124","side":"0"}`,
		"/api/v3/simple/price?ids=bitcoin&vs_currencies=eur&include_last_updated_at=true": `{"bitcoin":{"eur":58123.4,"last_updated_at":1800000001}}`,
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, ok := answers[r.URL.RequestURI()]
		if !ok {
			http.NotFound(w, r)
		}
		_, _ = io.WriteString(w, answer)
	}))
	defer server.Close()
	client := server.Client()
	client.Transport.(*http.Transport).TLSClientConfig.ServerName = "example.com" // the name of the test certificate
	client.Transport = toward{strings.TrimPrefix(server.URL, "https://"), client.Transport}
	for name, want := range map[string]Reading{
		"kraken":    {Rate: 5_812_345},
		"coinbase":  {Rate: 5_812_346},
		"bitstamp":  {5_812_300, 1_800_000_000_000},
		"coingecko": {5_812_340, 1_800_000_001_000},
	} {
		source, err := NewExchange(name, "EUR", client)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := source.Ask(context.Background()); err != nil || got != want || source.Name() != name {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, want)
		}
		if source, err = NewExchange(name, "XXX", client); err != nil {
			t.Fatal(err)
		}
		if got, err := source.Ask(context.Background()); err == nil {
			t.Errorf("%s in no currency: %+v", name, got)
		}
	}
	if _, err := NewExchange("mtgox", "EUR", client); err == nil {
		t.Error("an unknown exchange was taken")
	}
}

func TestAnswersThatGiveNoPrice(t *testing.T) {
	x := newTeller(t, "")
	source := x.source(t, "x")
	for _, answer := range []string{
		"", "nothing", "[]", "{}", `{"price":null}`, `{"price":true}`, `{"price":{}}`, `{"price":"-1"}`, `{"price":0}`, `{"price":1e5}`,
		`{"price":"1,000"}`, `{"price":1} {"price":2}`, `{"price":"` + strings.Repeat("9", 41) + `"}`,
		`{"price":1,"` + strings.Repeat("x", maxAnswer) + `":1}`,
	} {
		x.says.Store(answer)
		if got, err := source.Ask(context.Background()); err == nil {
			t.Errorf("%.40q: %+v", answer, got)
		}
	}
	x.price("58123.45")
	x.status.Store(429)
	if got, err := source.Ask(context.Background()); err == nil {
		t.Errorf("refused with 429: %+v", got)
	}
}

func TestCertificateOfTheSourceIsChecked(t *testing.T) {
	x := newTeller(t, `{"price":1}`)
	source, err := NewWeb("x", x.URL, "price", "EUR", http.DefaultClient)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := source.Ask(context.Background()); err == nil {
		t.Fatalf("%+v", got)
	}
}

func TestRedirectOutOfTLSIsNotFollowed(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"price":1}`)
	}))
	defer plain.Close()
	safe := httptest.NewTLSServer(http.RedirectHandler(plain.URL, http.StatusFound))
	defer safe.Close()
	source, err := NewWeb("x", safe.URL, "price", "EUR", safe.Client())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := source.Ask(context.Background()); err == nil {
		t.Fatalf("%+v", got)
	}
}

func TestSilentSourceEndsWithTheDeadlineAndHidesItsAddress(t *testing.T) {
	hold := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hold }))
	defer server.Close()
	defer close(hold)
	source, err := NewWeb("x", server.URL+"/?key=hunter2", "price", "EUR", server.Client())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err = source.Ask(ctx)
	if !errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "hunter2") {
		t.Fatal(err)
	}
}

func TestWebConfigIsChecked(t *testing.T) {
	for _, c := range []struct{ address, path string }{
		{"ftp://example.com", "price"}, {"example.com", "price"}, {"https://", "price"}, {"https://example.com", ""},
		{"https://example.com", "a..b"}, {"https://example.com", ".a"}, {"https://example.com", "a."},
	} {
		if _, err := NewWeb("x", c.address, c.path, "EUR", http.DefaultClient); err == nil {
			t.Errorf("%+v: accepted", c)
		}
	}
}

func TestRateIsReadExactly(t *testing.T) {
	for _, c := range []struct {
		text     string
		currency protocol.Currency
		want     protocol.Rate
	}{
		{"58123.45", "EUR", 5_812_345}, {"58123", "EUR", 5_812_300}, {"58123.4", "EUR", 5_812_340},
		{"58123.4549", "EUR", 5_812_345}, {"58123.455", "EUR", 5_812_346}, {"0.995", "EUR", 100}, {"0.004", "EUR", 0},
		{"9400123.5", "JPY", 9_400_124}, {"18000.1234", "KWD", 18_000_123}, {"0058123.45", "EUR", 5_812_345},
		{"10000000000000.00", "EUR", protocol.MaxMinor}, {"10000000000000.01", "EUR", 0}, {"9999999999999999999999", "EUR", 0},
		{"", "EUR", 0}, {".5", "EUR", 0}, {"5.", "EUR", 0}, {"+5", "EUR", 0}, {"-5", "EUR", 0}, {"5e4", "EUR", 0}, {"5 000", "EUR", 0},
		{"0x5", "EUR", 0}, {"1.2.3", "EUR", 0}, {"٥", "EUR", 0}, {"NaN", "EUR", 0},
	} {
		got, err := parseRate(c.text, c.currency)
		if got != c.want || (err == nil) != (c.want > 0) {
			t.Errorf("%q %s: %d, %v, want %d", c.text, c.currency, got, err, c.want)
		}
	}
}

func FuzzRate(f *testing.F) {
	f.Add("58123.45")
	f.Add("0.005")
	f.Fuzz(func(t *testing.T, text string) {
		rate, err := parseRate(text, "EUR")
		if err != nil {
			return
		}
		again, err := parseRate(protocol.Money{Currency: "EUR", Minor: int64(rate)}.Decimal(), "EUR")
		if err != nil || again != rate || !rate.Valid() {
			t.Fatalf("%q is %d and then %d, %v", text, rate, again, err)
		}
	})
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"error":[],"result":{"XXBTZEUR":{"c":["58123.45000","0.1"]}}}`))
	f.Add([]byte(`{"result":[1,2]}`))
	u, err := url.Parse("https://example.com")
	if err != nil {
		f.Fatal(err)
	}
	source, err := NewWeb("x", u.String(), "result.*.c.0", "EUR", http.DefaultClient)
	if err != nil {
		f.Fatal(err)
	}
	source.timePath = "at"
	f.Fuzz(func(t *testing.T, body []byte) {
		if r, err := source.read(body); err == nil && (!r.Rate.Valid() || !r.At.Valid()) {
			t.Fatalf("%q reads as %+v", body, r)
		}
	})
}
