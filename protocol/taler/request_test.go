package taler

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestContractsAreAskedForByQueryAsByBody(t *testing.T) {
	id := TransactionID(42)
	for _, c := range []struct {
		query, body string
		want        ContractRequest
	}{
		{"sale=a", `{"sale":"a"}`, ContractRequest{Sale: "a"}},
		{"product=tea", `{"product":"tea"}`, ContractRequest{Product: "tea", Quantity: 1}},
		{"product=tea&quantity=999", `{"product":"tea","quantity":999}`, ContractRequest{Product: "tea", Quantity: 999}},
		{"transaction_id=000000000002m", `{"transaction_id":"000000000002M"}`, ContractRequest{TransactionID: &id}},
	} {
		byQuery, err := ContractQuery(c.query)
		if err != nil {
			t.Fatal(err)
		}
		byBody := new(ContractRequest)
		if err := Decode([]byte(c.body), byBody); err != nil {
			t.Fatal(err)
		}
		for _, got := range []*ContractRequest{byQuery, byBody} {
			same := got.Sale == c.want.Sale && got.Product == c.want.Product && got.Quantity == c.want.Quantity &&
				(got.TransactionID == nil) == (c.want.TransactionID == nil) && (got.TransactionID == nil || *got.TransactionID == id)
			if !same {
				t.Errorf("%s is %+v", c.query, got)
			}
		}
	}
	for query, parameter := range map[string]string{
		"": "sale", "sale=": "sale", "sale=a&sale=b": "sale", "sale=a&product=b": "sale", "sale=a&quantity=1": "quantity", "sale=a&tip=1": "tip",
		"product=tea&quantity=0": "quantity", "product=tea&quantity=1000": "quantity", "product=tea&quantity=01": "quantity",
		"product=tea&quantity=1.5": "quantity", "product=tea&quantity=": "quantity", "transaction_id=1": "transaction_id",
		"sale=%zz": "query", "sale=a;b": "query", "sale=%07": "sale", "sale=a&%c3%a9=1": `\u00e9`, "sale=" + strings.Repeat("a", 600): "query",
	} {
		if _, err := ContractQuery(query); !errors.Is(err, &Error{Status: 400, Parameter: parameter}) {
			t.Errorf("%q: %v instead of %s", query, err, parameter)
		}
	}
}

func FuzzContractQuery(f *testing.F) {
	f.Add("product=tea&quantity=9")
	f.Add("sale=a&%c3%a9=%00")
	f.Fuzz(func(t *testing.T, query string) {
		r, err := ContractQuery(query)
		var e *Error
		if err != nil {
			if !errors.As(err, &e) {
				t.Fatalf("%q: %v", query, err)
			}
			if _, err := Encode(e); err != nil {
				t.Fatalf("%q: the answer cannot be written: %v", query, err)
			}
			return
		}
		if err := Decode(must(Encode(r)), new(ContractRequest)); err != nil {
			t.Fatalf("%q: %v", query, err)
		}
	})
}

func TestBodiesAreJSONOfALimitedLength(t *testing.T) {
	for _, c := range []struct {
		kind   string
		length int
		status int
	}{
		{"application/json", MaxRequest, 0}, {"application/json; charset=UTF-8", 1, 0}, {"Application/JSON", 1, 0},
		{"application/json", MaxRequest + 1, 413}, {"", 1, 415}, {"text/plain", 1, 415}, {"application/json; charset=latin1", 1, 415},
		{"application/jsonp", 1, 415}, {"application/json;;", 1, 415},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(strings.Repeat(" ", c.length)))
		r.Header.Set("Content-Type", c.kind)
		body, err := ReadBody(httptest.NewRecorder(), r)
		if c.status == 0 && (err != nil || len(body) != c.length) || c.status != 0 && !errors.Is(err, &Error{Status: c.status}) {
			t.Errorf("%q, %d bytes: %d, %v", c.kind, c.length, len(body), err)
		}
	}
}

func TestAnswersAreNotStored(t *testing.T) {
	w := httptest.NewRecorder()
	if err := WriteMessage(w, 403, refused("csig", "not signed")); err != nil {
		t.Fatal(err)
	}
	if got := w.Body.String(); w.Code != 403 || got != `{"error":"not signed","parameter":"csig"}` ||
		w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%d %s %v", w.Code, got, w.Header())
	}
}

func TestOtherMethodsAreNotAllowed(t *testing.T) {
	h := Methods(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), "GET", "POST")
	for method, want := range map[string]int{"GET": 200, "POST": 200, "HEAD": 405, "PUT": 405, "get": 405} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, "/", nil))
		if w.Code != want || (want == 405) != (w.Header().Get("Allow") == "GET, POST") {
			t.Errorf("%s: %d %v", method, w.Code, w.Header())
		}
	}
}
