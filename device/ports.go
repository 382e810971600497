package device

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Port is a serial port found on this machine.
type Port struct {
	// URL opens it: by its stable name under /dev/serial/by-id where it has one.
	URL     string `json:"url"`
	Path    string `json:"path"`
	Product string `json:"product,omitempty"`
	USB     string `json:"usb,omitempty"` // vendor:product, hexadecimal
	Serial  string `json:"serial,omitempty"`
}

// byID is where udev keeps names that survive unplugging.
const byID = "/dev/serial/by-id"

// Ports lists the serial ports, by path.
func Ports() ([]Port, error) {
	ports, err := listPorts()
	if err != nil {
		return nil, fmt.Errorf("list serial ports: %w", err)
	}
	stable := stableNames(byID)
	for i, p := range ports {
		name := p.Path
		if s, ok := stable[name]; ok {
			name = s
		}
		ports[i].URL = "serial://" + name
	}
	slices.SortFunc(ports, func(a, b Port) int { return strings.Compare(a.Path, b.Path) })
	return ports, nil
}

// stableNames maps device paths to their names in a folder of links. A folder
// that is not there has none: machines without USB ports have none.
func stableNames(folder string) map[string]string {
	names := make(map[string]string)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return names
	}
	for _, e := range entries {
		link := filepath.Join(folder, e.Name())
		if target, err := filepath.EvalSymlinks(link); err == nil {
			names[target] = link
		}
	}
	return names
}
