//go:build !linux

package wallet

// page is memory for a secret. Only Linux locks it.
type page struct {
	mem    []byte
	locked bool
}

func newPage() (*page, error) { return &page{mem: make([]byte, 4096)}, nil }

func (p *page) close() error {
	clear(p.mem)
	p.mem = nil
	return nil
}
