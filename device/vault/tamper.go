package vault

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"
)

// Switch is a sensor that knows whether the case is open.
type Switch interface {
	// Name is what the journal calls it.
	Name() string
	// Wait returns nil once the case is open, or closed; for open it is enough
	// that it was since the last Wait.
	Wait(ctx context.Context, open bool) error
	// Close lets the sensor go.
	Close() error
}

// Eraser is what a guard destroys; every [Vault] is one.
type Eraser interface {
	Tamper(sensor string) error
}

// The pauses of a guard.
const (
	eraseAgain  = time.Second     // after an erase that failed
	sensorAgain = 5 * time.Second // after a sensor that failed
)

// Guard watches the case until ctx ends, and destroys the key as soon as it is
// open, at its start too. An erase that fails is tried again until it does not;
// tampered hears of it afterwards. The case must be closed before it is watched
// again. A sensor that fails is no open case, since wires that are cut read as
// one: fault hears of it, and nil when it is back.
func Guard(ctx context.Context, open func() (Switch, error), v Eraser, tampered func(sensor string), fault func(error)) {
	broken := false
	for ctx.Err() == nil {
		s, err := open()
		if err == nil {
			if broken {
				broken = false
				fault(nil)
			}
			err = watch(ctx, s, v, tampered, fault)
			_ = s.Close() // read only
		}
		if ctx.Err() == nil {
			broken = true
			fault(err)
			pause(ctx, sensorAgain)
		}
	}
}

// watch watches one sensor until it fails or the context ends.
func watch(ctx context.Context, s Switch, v Eraser, tampered func(string), fault func(error)) error {
	for {
		if err := s.Wait(ctx, true); err != nil {
			return fmt.Errorf("watch %s: %w", s.Name(), err)
		}
		for {
			err := v.Tamper(s.Name())
			if err == nil {
				break
			}
			fault(err)
			if !pause(ctx, eraseAgain) {
				return ctx.Err()
			}
		}
		tampered(s.Name())
		if err := s.Wait(ctx, false); err != nil {
			return fmt.Errorf("watch %s: %w", s.Name(), err)
		}
	}
}

// pause waits, and tells whether the context still runs.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// SwitchURL is a parsed URL of a sensor.
type SwitchURL struct {
	raw  string
	path string
	gpio bool
	line int    // GPIO
	bias string // GPIO: up, down, none
	word string // serial: dsr, cts, ri, dcd
	high bool   // the line is high, or on, when the case is open
}

// ParseSwitch reads the URL of a case switch:
//
//	gpio:/dev/gpiochip0?line=17&open=high|low&bias=up|down|none
//	serial:///dev/ttyS0?line=dsr|cts|ri|dcd&open=off|on
//
// A GPIO line is pulled up and high when open unless told otherwise: the switch
// holds it to ground, and so does no cut wire. A serial port feeds the switch
// from DTR and RTS, and its line is off when open.
func ParseSwitch(raw string) (SwitchURL, error) {
	refuse := func(why string) (SwitchURL, error) {
		return SwitchURL{}, fmt.Errorf("case switch URL %q: %s", raw, why)
	}
	if len(raw) > maxURL {
		return SwitchURL{}, fmt.Errorf("case switch URL of %d bytes: longer than %d", len(raw), maxURL)
	}
	u := SwitchURL{raw: raw, bias: "up"}
	where, query, _ := strings.Cut(raw, "?")
	switch scheme, rest, _ := strings.Cut(where, ":"); scheme {
	case "gpio":
		u.gpio, u.path, u.high = true, rest, true
	case "serial":
		u.path = strings.TrimPrefix(rest, "//")
	default:
		return refuse("write gpio:/dev/gpiochip0?line=N or serial:///dev/ttyS0?line=dsr")
	}
	if !plain(u.path) || path.Dir(u.path) == "/" {
		return refuse("it names no device")
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return refuse("its parameters are malformed")
	}
	for name, v := range values {
		if len(v) != 1 || !u.set(name, v[0]) {
			return refuse(fmt.Sprintf("%s=%s is unknown", name, strings.Join(v, ",")))
		}
	}
	if values.Get("line") == "" {
		return refuse("line is missing")
	}
	return u, nil
}

// set takes a parameter, if there is one of that name and value.
func (u *SwitchURL) set(name, value string) bool {
	switch {
	case name == "line" && u.gpio:
		n, err := strconv.ParseUint(value, 10, 16)
		u.line = int(n)
		return err == nil && value == strconv.Itoa(u.line)
	case name == "line":
		u.word = value
		return value == "dsr" || value == "cts" || value == "ri" || value == "dcd"
	case name == "bias" && u.gpio:
		u.bias = value
		return value == "up" || value == "down" || value == "none"
	case name == "open" && u.gpio:
		u.high = value == "high"
		return u.high || value == "low"
	case name == "open":
		u.high = value == "on"
		return u.high || value == "off"
	}
	return false
}

// Name is what the journal calls the sensor: gpiochip0-17, ttyS0-dsr.
func (u SwitchURL) Name() string {
	if u.gpio {
		return nameOfSensor(path.Base(u.path) + "-" + strconv.Itoa(u.line))
	}
	return nameOfSensor(path.Base(u.path) + "-" + u.word)
}
