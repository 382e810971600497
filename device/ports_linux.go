package device

import (
	"strings"

	"go.bug.st/serial/enumerator"
)

// listPorts tells what USB says of a port as well.
func listPorts() ([]Port, error) {
	details, err := enumerator.GetDetailedPortsList()
	if err != nil {
		return nil, err
	}
	ports := make([]Port, len(details))
	for i, d := range details {
		ports[i] = Port{Path: d.Name, Product: d.Product, Serial: d.SerialNumber}
		if d.IsUSB {
			ports[i].USB = strings.ToLower(d.VID + ":" + d.PID)
		}
	}
	return ports, nil
}
