//go:build !linux

package device

import "errors"

// OpenPTY makes a pseudo-terminal on Linux; elsewhere it fails.
func OpenPTY() (Link, string, error) {
	return nil, "", errors.New("open pseudo-terminal: works on Linux only")
}
