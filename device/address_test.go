package device

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestParseURL(t *testing.T) {
	for _, c := range []struct{ url, want string }{
		{"serial:///dev/ttyUSB0", "serial:///dev/ttyUSB0?baud=38400&parity=none&flow=none"},
		{"serial:///dev/ttyUSB0?baud=9600&parity=even&flow=rtscts", "serial:///dev/ttyUSB0?baud=9600&parity=even&flow=rtscts"},
		{"serial:///dev/serial/by-id/usb-FTDI%20x-if00?flow=xonxoff", "serial:///dev/serial/by-id/usb-FTDI%20x-if00?baud=38400&parity=none&flow=xonxoff"},
		{"tcp://10.0.0.5:9100", "tcp://10.0.0.5:9100"},
		{"tcp://[fe80::1]:9100", "tcp://[fe80::1]:9100"},
		{"tcp://printer.local:9100", "tcp://printer.local:9100"},
		{"sim:", "sim:"},
		{"none", "none"},
	} {
		a, err := ParseURL(c.url, 38400)
		if err != nil || a.String() != c.want {
			t.Errorf("ParseURL(%q) is %v, %v; want %s", c.url, a, err, c.want)
		}
	}
}

func TestParseURLSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ url, says string }{
		{"", "empty"},
		{"/dev/ttyUSB0", "unknown kind"},
		{"usb://1234", "unknown kind"},
		{"serial://dev/ttyUSB0", "three slashes"},
		{"serial:/dev/../etc", "plain path"},
		{"serial:///", "plain path"},
		{"serial:///dev/ttyUSB0?speed=9600", `unknown parameter "speed"`},
		{"serial:///dev/ttyUSB0?baud=12345", "must be one of"},
		{"serial:///dev/ttyUSB0?baud=09600", "must be one of"},
		{"serial:///dev/ttyUSB0?baud=", "must be one of"},
		{"serial:///dev/ttyUSB0?parity=mark", "none, odd or even"},
		{"serial:///dev/ttyUSB0?flow=dtrdsr", "none, xonxoff or rtscts"},
		{"serial:///dev/ttyUSB0?baud=9600&baud=9600", "given 2 times"},
		{"serial:///dev/ttyUSB0#x", "no fragment"},
		{"tcp://10.0.0.5", "host and port"},
		{"tcp://:9100", "host and port"},
		{"tcp://h:0", "host and port"},
		{"tcp://h:99999", "host and port"},
		{"tcp://h:9100/", "only tcp://HOST:PORT"},
		{"tcp://h:9100?x=1", "only tcp://HOST:PORT"},
		{"tcp://user@h:9100", "no user"},
		{"sim:x", "unknown kind"},
		{"none:", "unknown kind"},
		{"serial:///dev/" + strings.Repeat("x", 2000), "longer than"},
	} {
		a, err := ParseURL(c.url, 9600)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("ParseURL(%q) is %v, %v; want an error with %q", c.url, a, err, c.says)
		}
	}
}

func TestOpenRefusesWhatIsNotThere(t *testing.T) {
	for _, c := range []struct {
		address Address
		fault   Fault
	}{
		{Address{None: true}, NotFound},
		{Address{Sim: true}, Unreachable},
		{Address{Serial: &Serial{Path: "/dev/no-such-port", Baud: 9600}}, NotFound},
		{Address{Serial: &Serial{Path: "/dev/null", Baud: 9600}}, Unreachable},
		{Address{TCP: "127.0.0.1:1"}, Unreachable},
	} {
		link, err := c.address.Open(t.Context(), nil)
		if err == nil {
			link.Close()
		}
		if FaultOf(err) != c.fault {
			t.Errorf("open %v: %v is %q, want %q", c.address, err, FaultOf(err), c.fault)
		}
	}
	if _, err := (Address{}).Open(t.Context(), nil); !errors.Is(err, ErrNone) {
		t.Errorf("an empty address opens as %v", err)
	}
}

func TestSimIsWhatTheWiringSays(t *testing.T) {
	here, there := NewPipe(8)
	defer here.Close()
	link, err := Address{Sim: true}.Open(t.Context(), func(context.Context) (Link, error) { return there, nil })
	if err != nil || link != there {
		t.Errorf("sim: opens as %v, %v", link, err)
	}
}

func FuzzParseURL(f *testing.F) {
	for _, seed := range []string{"serial:///dev/ttyUSB0?baud=9600&parity=even&flow=rtscts", "tcp://[::1%25eth0]:9100", "sim:", "none", "serial:///dev/%00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		a, err := ParseURL(raw, 9600)
		if err != nil {
			return
		}
		again, err := ParseURL(a.String(), 9600)
		if err != nil || again.String() != a.String() {
			t.Errorf("%q parses to %v, which parses to %v, %v", raw, a, again, err)
		}
	})
}
