//go:build !linux

package vault

import "errors"

// Open opens the sensor.
func (u SwitchURL) Open() (Switch, error) {
	return nil, errors.New("open case switch: only on Linux")
}
