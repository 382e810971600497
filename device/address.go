package device

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
)

// maxURL is the longest device URL that is parsed.
const maxURL = 1024

// Parity is the parity bit of a serial port.
type Parity string

// The parities, as they stand in a URL.
const (
	NoParity   Parity = "none"
	OddParity  Parity = "odd"
	EvenParity Parity = "even"
)

// Flow is the flow control of a serial port.
type Flow string

// The kinds of flow control, as they stand in a URL. Linux has no DTR/DSR flow
// control: a printer's DTR is wired to CTS, and the port opened with RTSCTS.
const (
	NoFlow  Flow = "none"
	XonXoff Flow = "xonxoff"
	RTSCTS  Flow = "rtscts"
)

// Serial is a serial port: its name, and how to set it. There are always eight
// data bits and one stop bit.
type Serial struct {
	Path   string
	Baud   int
	Parity Parity
	Flow   Flow
}

// Bauds are the speeds a port may have.
var Bauds = []int{1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600}

// Address is a parsed device URL: exactly one of its members is set.
type Address struct {
	Serial *Serial
	TCP    string // host:port
	Sim    bool
	None   bool
}

// ParseURL reads a device URL (cli.md, Configuration):
//
//	serial:///dev/serial/by-id/…?baud=38400&parity=none|odd|even&flow=none|xonxoff|rtscts
//	tcp://HOST:PORT
//	sim:
//	none
//
// baud is the speed of a port whose URL names none: 38400 for printers, 9600
// for the rest (devices.md section 1). Anything else is refused, saying what
// was expected.
func ParseURL(raw string, baud int) (Address, error) {
	switch {
	case len(raw) > maxURL:
		return Address{}, fmt.Errorf("device URL of %d bytes: longer than %d", len(raw), maxURL)
	case raw == "none":
		return Address{None: true}, nil
	case raw == "sim:":
		return Address{Sim: true}, nil
	case raw == "":
		return Address{}, errors.New(`device URL is empty: write serial:///dev/…, tcp://HOST:PORT, sim: or none`)
	}
	u, err := url.Parse(raw)
	if err != nil {
		return Address{}, fmt.Errorf("device URL: %w", err)
	}
	if u.User != nil || u.Fragment != "" || strings.HasSuffix(raw, "#") {
		return Address{}, fmt.Errorf("device URL %q: takes no user and no fragment", raw)
	}
	switch u.Scheme {
	case "serial":
		return parseSerial(raw, u, baud)
	case "tcp":
		return parseTCP(raw, u)
	}
	return Address{}, fmt.Errorf("device URL %q: unknown kind: write serial:///dev/…, tcp://HOST:PORT, sim: or none", raw)
}

func parseSerial(raw string, u *url.URL, baud int) (Address, error) {
	if u.Host != "" || !strings.HasPrefix(u.Path, "/") {
		return Address{}, fmt.Errorf("device URL %q: write three slashes before the port's path, serial:///dev/ttyUSB0", raw)
	}
	if u.Path != path.Clean(u.Path) || u.Path == "/" || strings.ContainsRune(u.Path, 0) {
		return Address{}, fmt.Errorf("device URL %q: %q is not the plain path of a port", raw, u.Path)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return Address{}, fmt.Errorf("device URL %q: %w", raw, err)
	}
	s := Serial{Path: u.Path, Baud: baud, Parity: NoParity, Flow: NoFlow}
	for name, values := range query {
		if len(values) != 1 {
			return Address{}, fmt.Errorf("device URL %q: %s is given %d times", raw, name, len(values))
		}
		value, known := values[0], false
		switch name {
		case "baud":
			s.Baud, err = strconv.Atoi(value)
			if known = err == nil && value == strconv.Itoa(s.Baud) && slices.Contains(Bauds, s.Baud); !known {
				return Address{}, fmt.Errorf("device URL %q: baud=%s: must be one of %v", raw, value, Bauds)
			}
		case "parity":
			s.Parity = Parity(value)
			if known = slices.Contains([]Parity{NoParity, OddParity, EvenParity}, s.Parity); !known {
				return Address{}, fmt.Errorf("device URL %q: parity=%s: must be none, odd or even", raw, value)
			}
		case "flow":
			s.Flow = Flow(value)
			if known = slices.Contains([]Flow{NoFlow, XonXoff, RTSCTS}, s.Flow); !known {
				return Address{}, fmt.Errorf("device URL %q: flow=%s: must be none, xonxoff or rtscts", raw, value)
			}
		}
		if !known {
			return Address{}, fmt.Errorf("device URL %q: unknown parameter %q: baud, parity and flow are known", raw, name)
		}
	}
	return Address{Serial: &s}, nil
}

func parseTCP(raw string, u *url.URL) (Address, error) {
	if u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Opaque != "" {
		return Address{}, fmt.Errorf("device URL %q: write only tcp://HOST:PORT", raw)
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if u.Hostname() == "" || err != nil || port == 0 {
		return Address{}, fmt.Errorf("device URL %q: write host and port, tcp://10.0.0.5:9100", raw)
	}
	return Address{TCP: net.JoinHostPort(u.Hostname(), strconv.FormatUint(port, 10))}, nil
}

// String is the address as a URL with every parameter written out; ParseURL
// reads it back to an equal address.
func (a Address) String() string {
	switch {
	case a.Serial != nil:
		u := url.URL{Scheme: "serial", Path: a.Serial.Path}
		return "serial://" + u.EscapedPath() + fmt.Sprintf("?baud=%d&parity=%s&flow=%s", a.Serial.Baud, a.Serial.Parity, a.Serial.Flow)
	case a.TCP != "":
		return (&url.URL{Scheme: "tcp", Host: a.TCP}).String()
	case a.Sim:
		return "sim:"
	}
	return "none"
}

// Open opens the link. sim is what "sim:" stands for here; nil refuses it. The
// context bounds the opening only. FaultOf names what the error means.
func (a Address) Open(ctx context.Context, sim Dialer) (Link, error) {
	switch {
	case a.Serial != nil:
		return openSerial(*a.Serial)
	case a.TCP != "":
		return dialTCP(ctx, a.TCP)
	case a.Sim && sim != nil:
		return sim(ctx)
	case a.Sim:
		return nil, errors.New("open sim: no simulator runs in this mode: use till practice")
	}
	return nil, ErrNone
}

// Dialer is Open with its simulator, for Supervisor.
func (a Address) Dialer(sim Dialer) Dialer {
	return func(ctx context.Context) (Link, error) { return a.Open(ctx, sim) }
}
