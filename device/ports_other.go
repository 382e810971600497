//go:build !linux

package device

import "go.bug.st/serial"

// listPorts tells names only: details need cgo on some systems.
func listPorts() ([]Port, error) {
	names, err := serial.GetPortsList()
	if err != nil {
		return nil, err
	}
	ports := make([]Port, len(names))
	for i, name := range names {
		ports[i] = Port{Path: name}
	}
	return ports, nil
}
