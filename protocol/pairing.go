package protocol

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Link is what makes a terminal of a machine (terminal.md §2):
// till://HOST:PORT/enroll?ca=HEX&code=XXXX-XXXX-XXXX. It is good once, for one hour.
type Link struct {
	Host string // HOST:PORT
	CA   Hash   // SHA-256 of the DER of the server's CA certificate
	Code Secret // Crockford base32 in capitals, 60 bits: "XXXX-XXXX-XXXX"
}

const (
	crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	linkHead  = "till://"
	linkPath  = "/enroll?ca="
	linkCode  = "&code="
	maxLink   = 512
)

// URL is the link to print; it holds the code.
func (l Link) URL() string {
	return linkHead + l.Host + linkPath + string(l.CA) + linkCode + l.Code.Reveal()
}

// ParseLink reads a link in its one form. The error repeats nothing of it.
func ParseLink(text string) (Link, error) {
	var l Link
	rest, ok := strings.CutPrefix(text, linkHead)
	if !ok || len(text) > maxLink {
		return l, fmt.Errorf("a pairing link begins with %s", linkHead)
	}
	host, rest, ok := strings.Cut(rest, linkPath)
	if !ok || !validHostPort(host) {
		return l, fmt.Errorf("the pairing link names no HOST:PORT before %s", linkPath)
	}
	ca, code, ok := strings.Cut(rest, linkCode)
	if !ok || !Hash(ca).Valid() {
		return l, fmt.Errorf("the pairing link's ca is not 64 lower-case hex digits")
	}
	if !ValidCode(code) {
		return l, fmt.Errorf("the pairing link's code is not XXXX-XXXX-XXXX in capitals; take the link whole")
	}
	return Link{host, Hash(ca), NewSecret(code)}, nil
}

// ValidCode reports whether text has the form of a pairing code.
func ValidCode(text string) bool {
	if len(text) != len("XXXX-XXXX-XXXX") {
		return false
	}
	for i := range len(text) {
		if i == 4 || i == 9 {
			if text[i] != '-' {
				return false
			}
		} else if strings.IndexByte(crockford, text[i]) < 0 {
			return false
		}
	}
	return true
}

// validHostPort accepts a host name, an IPv4 or a bracketed IPv6 address in its
// shortest form, with a port.
func validHostPort(text string) bool {
	host, port, err := net.SplitHostPort(text)
	if err != nil || net.JoinHostPort(host, port) != text {
		return false
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || strconv.FormatUint(n, 10) != port {
		return false
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.String() == host && ip.Zone() == ""
	}
	return validHost(host)
}

// validHost accepts names of labels of letters, digits and hyphens (RFC 1123
// §2.1). One that ends in a number would be read as an address.
func validHost(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	if len(name) > 253 || strings.Trim(last, "0123456789") == "" {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			c := label[i] | 0x20
			if (c < 'a' || c > 'z') && (label[i] < '0' || label[i] > '9') && label[i] != '-' {
				return false
			}
		}
	}
	return true
}

// ValidTerminalName reports whether name is 1 to 64 of A-Za-z0-9._-.
func ValidTerminalName(name string) bool {
	if name == "" || len(name) > 64 {
		return false
	}
	for i := range len(name) {
		switch c := name[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}
