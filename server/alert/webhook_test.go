package alert

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"till/protocol"
)

func hook(t *testing.T, address string) Webhook {
	t.Helper()
	w, err := NewWebhook(address, protocol.NewSecret("key"), Shop{Name: "Café"}, func() protocol.Time { return 1_795_000_000_000 }, http.DefaultClient)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWebhookIsSignedSoThatTheReceiverCanCheckIt(t *testing.T) {
	var body []byte
	var header http.Header
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ = io.ReadAll(r.Body)
		header = r.Header
		w.WriteHeader(http.StatusNoContent)
	}))
	defer receiver.Close()
	over := tamper
	over.Kind, over.Lasting, over.Ended = "rate_stale", true, tamper.At+60_000
	if err := hook(t, receiver.URL).Deliver(t.Context(), over); err != nil {
		t.Fatal(err)
	}
	stamp, given, _ := strings.Cut(header.Get("Till-Signature"), ",v1=")
	mac := hmac.New(sha256.New, []byte("key"))
	mac.Write([]byte(strings.TrimPrefix(stamp, "t=") + "." + string(body)))
	if stamp != "t=1795000000" || hex.EncodeToString(mac.Sum(nil)) != given {
		t.Errorf("signature %q of %s", header.Get("Till-Signature"), body)
	}
	var m map[string]any
	if err := json.Unmarshal(body, &m); err != nil || m["state"] != "over" || m["kind"] != "rate_stale" || m["shop"] != "Café" || m["terminal"] != "bar" || m["ended"] == nil {
		t.Errorf("%v in %s", err, body)
	}
	if header.Get("Till-Delivery") != string(over.ID)+"-over" {
		t.Errorf("delivery %q", header.Get("Till-Delivery"))
	}
}

func TestWebhookCountsNothingButASuccessAsArrived(t *testing.T) {
	elsewhere := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere = true }))
	defer other.Close()
	for _, status := range []int{302, 307, 400, 410, 500, 503} {
		receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", other.URL)
			w.WriteHeader(status)
		}))
		if err := hook(t, receiver.URL).Deliver(t.Context(), tamper); err == nil {
			t.Errorf("%d counts as arrived", status)
		}
		receiver.Close()
	}
	if elsewhere {
		t.Error("what was signed for one receiver went to another")
	}
}

func TestWebhookFaultDoesNotTellItsAddress(t *testing.T) {
	receiver := httptest.NewServer(nil)
	receiver.Close()
	if err := hook(t, receiver.URL+"/token-4711").Deliver(t.Context(), tamper); err == nil || strings.Contains(err.Error(), "4711") {
		t.Errorf("it says %v", err)
	}
}
