package taler

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// Link is the text of the merchant's QR (§8):
//
//	taler+http://HOST:PORT/contract?sale=ID#MERCHANT_PUB.TRANSACTION_ID
//
// or taler+https. Its fragment never leaves the wallet; with it nobody on the network
// can slip in a bill of his own. For a tab the fragment is the key alone.
type Link struct {
	Secure        bool   // https
	Host          string // HOST:PORT
	Sale          string
	Merchant      PublicKey
	TransactionID *TransactionID // nil for a tab
}

const (
	schemePlain  = "taler+http://"
	schemeSecure = "taler+https://"
	linkPath     = "/contract?sale="
)

// maxLink is more than the longest host name, path, sale and fragment.
const maxLink = 512

var errLink = errors.New("not a taler+http link to a contract")

// ParseLink reads the text of a QR. Only base32 has more than one spelling in it.
func ParseLink(text string) (*Link, error) {
	if len(text) > maxLink {
		return nil, fmt.Errorf("%w: longer than %d bytes", errLink, maxLink)
	}
	l := new(Link)
	rest, plain := strings.CutPrefix(text, schemePlain)
	if !plain {
		rest, l.Secure = strings.CutPrefix(text, schemeSecure)
	}
	address, fragment, marked := strings.Cut(rest, "#")
	host, sale, found := strings.Cut(address, linkPath)
	if !plain && !l.Secure || !marked || !found {
		return nil, errLink
	}
	key, id, single := strings.Cut(fragment, ".")
	l.Host, l.Sale = host, sale
	var err error
	if l.Merchant, err = ParsePublicKey(key); err != nil {
		return nil, fmt.Errorf("%w: merchant key: %w", errLink, err)
	}
	if single {
		t, err := ParseTransactionID(id)
		if err != nil {
			return nil, fmt.Errorf("%w: transaction: %w", errLink, err)
		}
		l.TransactionID = &t
	}
	if err := l.check(); err != nil {
		return nil, err
	}
	return l, nil
}

// check refuses hosts, ports and sales that have another spelling or no place in a
// URL.
func (l *Link) check() error {
	host, port, err := net.SplitHostPort(l.Host)
	n, errPort := strconv.ParseUint(port, 10, 16)
	if err != nil || errPort != nil || n == 0 || strconv.FormatUint(n, 10) != port || net.JoinHostPort(host, port) != l.Host {
		return fmt.Errorf("%w: %q is not HOST:PORT", errLink, clip(l.Host))
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		if ip.String() != host || ip.Zone() != "" {
			return fmt.Errorf("%w: %q is not how that address is written", errLink, clip(host))
		}
	} else if !isHostName(host) {
		return fmt.Errorf("%w: %q is no host name", errLink, clip(host))
	}
	if err := (name{&l.Sale}).check(); err != nil || url.QueryEscape(l.Sale) != l.Sale {
		return fmt.Errorf("%w: %q is no sale", errLink, clip(l.Sale))
	}
	if !l.Merchant.Valid() {
		return fmt.Errorf("%w: %s is no merchant key", errLink, l.Merchant)
	}
	return nil
}

// isHostName accepts lower-case names of letters, digits and hyphens between points.
func isHostName(host string) bool {
	const longest, longestLabel = 253, 63
	if len(host) > longest {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		inside := strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-")
		if label == "" || len(label) > longestLabel || inside != "" || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
	}
	return true
}

// Encode gives the text for a QR or an NDEF record. It refuses what [ParseLink]
// refuses.
func (l *Link) Encode() (string, error) {
	if err := l.check(); err != nil {
		return "", err
	}
	scheme, id := schemePlain, ""
	if l.Secure {
		scheme = schemeSecure
	}
	if l.TransactionID != nil {
		id = "." + l.TransactionID.String()
	}
	return scheme + l.Host + linkPath + l.Sale + "#" + l.Merchant.String() + id, nil
}

// Base gives the merchant's address for HTTP: "http://HOST:PORT".
func (l *Link) Base() string {
	if l.Secure {
		return "https://" + l.Host
	}
	return "http://" + l.Host
}

// Accept checks that a contract is the one the link promises: both signatures by its
// key, and its transaction, or for a tab its sale. The error is an [*Error] of status
// 403.
func (l *Link) Accept(c *Contract) error {
	if err := c.Verify(l.Merchant); err != nil {
		return err
	}
	switch t := &c.terms; {
	case l.TransactionID == nil && !t.Tab:
		return refused("tab", "the link is a tab's, the contract is not")
	case l.TransactionID == nil && t.Sale != l.Sale:
		return refused("sale", "another sale's contract")
	case l.TransactionID != nil && t.TransactionID != *l.TransactionID:
		return refused("transaction_id", "another transaction's contract")
	}
	return nil
}
