package wallet

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// page is memory outside of the Go heap for a secret: one page, kept out of swap
// and of core dumps where the limits of the process permit it.
type page struct {
	mem    []byte
	locked bool
}

func newPage() (*page, error) {
	mem, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("map memory for the key: %w", err)
	}
	p := &page{mem: mem}
	p.locked = unix.Mlock(mem) == nil && unix.Madvise(mem, unix.MADV_DONTDUMP) == nil
	return p, nil
}

// close wipes and gives back the memory.
func (p *page) close() error {
	clear(p.mem)
	mem := p.mem
	p.mem = nil
	if err := unix.Munmap(mem); err != nil {
		return fmt.Errorf("unmap memory of the key: %w", err)
	}
	return nil
}
