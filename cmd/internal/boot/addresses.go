package boot

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Addresses are where a server really listens, HOST:PORT each, "" for what it
// does not serve.
type Addresses struct {
	RPC      string `json:"rpc,omitempty"`
	Merchant string `json:"merchant,omitempty"`
	Metrics  string `json:"metrics,omitempty"`
	Control  string `json:"control,omitempty"`
	Mint     string `json:"mint,omitempty"`
	SSH      string `json:"ssh,omitempty"`
}

// WriteAddresses writes the file of --addresses-file with mode 0600, renamed
// into place so that whoever waits for it reads it whole.
func WriteAddresses(path string, a Addresses) error {
	text, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("write addresses: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".addresses-*") // mode 0600
	if err != nil {
		return fmt.Errorf("write addresses: %w", err)
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write addresses: %w", err), os.Remove(f.Name()))
	}
	return nil
}

// RemoveAddresses removes the file, at start and at the end; a missing one is fine.
func RemoveAddresses(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove addresses: %w", err)
	}
	return nil
}
