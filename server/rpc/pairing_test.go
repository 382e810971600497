package rpc_test

import (
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"crypto/ecdsa"

	"till/protocol"
)

const refused = `{"error":"pairing refused"}`

func pairing(link protocol.Link, name, request string) object {
	return object{"code": link.Code.Reveal(), "name": name, "csr": request}
}

func TestPairingMakesATerminalOnce(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	link, stranger, key := s.invite("kasse1"), s.with(nil), newKey(t)
	var result protocol.EnrollResult
	stranger.post("/enroll", pairing(link, "kasse1", csr(t, key, nil))).want(200).into(&result)
	if !result.ID.Valid() || len(result.QuoteKeys) != 1 || result.QuoteKeys[0].ID != "k1" || len(result.QuoteKeys[0].Ed25519) != 64 {
		t.Errorf("got %+v", result)
	}
	if block, _ := pem.Decode([]byte(result.CA)); block == nil || protocol.HashOf(block.Bytes) != link.CA {
		t.Error("the CA is not the one that the link names")
	}
	s.with(keyPair(t, result.Certificate, key)).checkIn(greeting())

	stranger.post("/enroll", pairing(link, "kasse1", csr(t, newKey(t), nil))).exactly(403, refused)
}

func TestWhateverIsWrongWithAPairingIsRefusedAlike(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	link, key := s.invite("kasse1"), newKey(t)
	s.enroll("living")
	good := csr(t, key, nil)

	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	must(t, err)
	block, _ := pem.Decode([]byte(good))
	block.Bytes[len(block.Bytes)-1] ^= 1
	unsigned := string(pem.EncodeToMemory(block))

	for name, body := range map[string]any{
		"wrong code":            object{"code": "0000-0000-0000", "name": "kasse1", "csr": good},
		"code in small letters": object{"code": strings.ToLower("ZZZZ-ZZZZ-ZZZZ"), "name": "kasse1", "csr": good},
		"another name":          pairing(link, "kasse2", good),
		"a living terminal":     pairing(link, "living", good),
		"RSA":                   pairing(link, "other", csr(t, rsaKey, nil)),
		"P-384":                 pairing(link, "other", csr(t, p384, nil)),
		"bad self-signature":    pairing(link, "other", unsigned),
		"not a request":         pairing(link, "other", "-----BEGIN CERTIFICATE-----"),
		"two requests":          pairing(link, "other", good+good),
		"unknown member":        object{"code": link.Code.Reveal(), "name": "kasse1", "csr": good, "smell": 1},
		"number as code":        object{"code": 1, "name": "kasse1", "csr": good},
		"nothing":               object{},
		"not an object":         []int{1},
	} {
		s.with(nil).post("/enroll", body).exactly(403, refused)
		t.Log(name, "refused")
		s.clock.advance(time.Minute) // not what is tested here
	}
	s.with(nil).do(http.MethodPost, "/enroll", asJSON, strings.NewReader(`{"code":`)).exactly(403, refused)
	// Nothing of it used up the link but the one try in its name.
	s.with(nil).post("/enroll", pairing(link, "kasse1", good)).want(200)
	if strings.Contains(s.log.String(), "request failed") {
		t.Errorf("a refusal stands in the log as a fault:\n%s", s.log)
	}
}

func TestARequestOfAnotherKeyDoesNotPassWithTheRightCode(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	must(t, err)
	for name, key := range map[string]any{"rsa": rsaKey, "p384": p384} {
		s.with(nil).post("/enroll", pairing(s.invite(name), name, csr(t, key, nil))).exactly(403, refused)
	}
	good := csr(t, newKey(t), nil)
	block, _ := pem.Decode([]byte(good))
	block.Bytes[len(block.Bytes)-1] ^= 1
	s.with(nil).post("/enroll", pairing(s.invite("bad"), "bad", string(pem.EncodeToMemory(block)))).exactly(403, refused)
}

func TestALinkDiesAfterAnHourAndAfterFiveTries(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	request := csr(t, newKey(t), nil)

	late := s.invite("late")
	s.clock.advance(time.Hour)
	s.with(nil).post("/enroll", pairing(late, "late", request)).exactly(403, refused)

	link := s.invite("tried")
	for range 4 {
		s.with(nil).post("/enroll", object{"code": "0000-0000-0000", "name": "tried", "csr": request}).exactly(403, refused)
	}
	s.with(nil).post("/enroll", pairing(link, "tried", request)).want(200)

	link = s.invite("dead")
	for range 5 {
		s.with(nil).post("/enroll", object{"code": "0000-0000-0000", "name": "dead", "csr": request}).exactly(403, refused)
	}
	s.with(nil).post("/enroll", pairing(link, "dead", request)).exactly(403, refused)
}

func TestTwentyRefusalsAMinuteAreEnoughForOneAddress(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	link, request := s.invite("kasse1"), csr(t, newKey(t), nil)
	statuses := make(chan int, 60)
	var all sync.WaitGroup
	for i := range cap(statuses) { // at once: a race must not buy more tries
		all.Go(func() {
			statuses <- s.with(nil).post("/enroll", object{"code": "0000-0000-0000", "name": fmt.Sprint("guess", i), "csr": request}).status
		})
	}
	all.Wait()
	close(statuses)
	count := map[int]int{}
	for status := range statuses {
		count[status]++
	}
	if count[403] != 20 || count[429] != 40 {
		t.Fatalf("statuses %v, want 20 times 403 and then 429", count)
	}
	a := s.with(nil).post("/enroll", pairing(link, "kasse1", request))
	a.exactly(429, `{"error":"too many requests; wait a little"}`)
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	s.clock.advance(time.Minute)
	s.with(nil).post("/enroll", pairing(link, "kasse1", request)).want(200)
	// What succeeded was not counted.
	for range 20 {
		s.with(nil).post("/enroll", object{}).exactly(403, refused)
	}
	s.with(nil).post("/enroll", object{}).want(429)
}

func TestPairingTakesPOSTOfJSONOnly(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	stranger := s.with(nil)
	a := stranger.do(http.MethodGet, "/enroll", nil, nil)
	a.exactly(405, `{"error":"use POST"}`)
	if a.header.Get("Allow") != "POST" {
		t.Errorf("Allow %q", a.header.Get("Allow"))
	}
	stranger.do(http.MethodPost, "/enroll", nil, strings.NewReader("{}")).exactly(415, `{"error":"send application/json"}`)
	stranger.do(http.MethodPost, "/enroll", asJSON, strings.NewReader(strings.Repeat(" ", 64<<10+1))).want(413)
}

func TestAReplacedTerminalIsRevokedAndTheNewOneIsAnother(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	old := s.enroll("kasse1")
	invitation, err := s.core.AddTerminal(t.Context(), "kasse1", true, s.addr)
	must(t, err)
	link, err := protocol.ParseLink(invitation.Link)
	must(t, err)
	old.checkIn(greeting()) // until the link is used
	var result protocol.EnrollResult
	s.with(nil).post("/enroll", pairing(link, "kasse1", csr(t, newKey(t), nil))).want(200).into(&result)
	if result.ID == old.id {
		t.Error("the new terminal has the old one's id")
	}
	old.post("/rpc", object{}).exactly(403, `{"error":"this terminal is revoked"}`)
}

// renewed asks for a new certificate and gives the terminal that shows it.
func (c *till) renewed() *till {
	c.t.Helper()
	key := newKey(c.t)
	var result protocol.RenewResult
	c.post("/renew", object{"csr": csr(c.t, key, nil)}).want(200).into(&result)
	next := c.s.with(keyPair(c.t, result.Certificate, key))
	next.id, next.name, next.journal = c.id, c.name, c.journal
	return next
}

const day = 24 * time.Hour

func TestARenewedCertificateLeavesTheOldOneGoodForADay(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	old := s.enroll("kasse1")
	s.clock.advance(60 * day)
	lost := old.renewed() // its answer may have been lost: the old one renews again
	next := old.renewed()
	next.checkIn(greeting())
	old.checkIn(greeting())
	lost.checkIn(greeting())
	s.clock.advance(day + time.Minute)
	next.checkIn(greeting())
	for _, c := range []*till{old, lost} {
		c.post("/rpc", object{}).exactly(401, `{"error":"this certificate is not good here"}`)
		c.post("/renew", object{"csr": csr(t, newKey(t), nil)}).want(401)
	}
}

func TestAnExpiredCertificateRenewsForSixtyDaysAndDoesNothingElse(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c, open := s.enroll("kasse1"), s.enroll("kasse2")
	open.checkIn(greeting()) // its connection outlives its certificate
	s.clock.advance(90*day + time.Minute)
	const expired = `{"error":"this certificate has expired"}`
	for _, c := range []*till{c, open} {
		c.post("/rpc", object{}).exactly(401, expired)
		c.do(http.MethodGet, "/openrpc.json", nil, nil).exactly(401, expired)
	}
	c.renewed().checkIn(greeting())

	s.clock.advance(60 * day)
	open.post("/renew", object{"csr": csr(t, newKey(t), nil)}).want(401)
	if _, err := s.handshake(s.config(open.certificate)); err == nil {
		t.Error("a certificate that expired 60 days ago got past the handshake")
	}
}

func TestARenewalWithoutAGoodRequestSaysSo(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c := s.enroll("kasse1")
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	must(t, err)
	c.post("/renew", object{"csr": csr(t, p384, nil)}).exactly(400, `{"error":"csr: is not a signed request for a P-256 key"}`)
	c.post("/renew", object{"csr": base64.StdEncoding.EncodeToString([]byte("x"))}).want(400)
	c.post("/renew", object{}).exactly(400, `{"error":"csr: is missing"}`)
	c.do(http.MethodGet, "/renew", nil, nil).exactly(405, `{"error":"use POST"}`)
	key := newKey(t)
	var result protocol.RenewResult
	c.post("/renew", object{"csr": csr(t, key, func(r *x509.CertificateRequest) { r.Subject.CommonName = "other" })}).want(200).into(&result)
	if leaf := keyPair(t, result.Certificate, key).Leaf; leaf.Subject.CommonName != string(c.id) {
		t.Errorf("certificate of %q, want the terminal's own id", leaf.Subject.CommonName)
	}
}
