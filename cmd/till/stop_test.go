package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestAServerWhoseDiskIsGoneStopsAllTheSame: the practice chain's database tries for
// ever to write its last changes.
func TestAServerWhoseDiskIsGoneStopsAllTheSame(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a server")
	}
	t.Parallel()
	dir, listing := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "addresses.json")
	args := []string{"serve", "--practice", "--data", dir, "--addresses-file", listing}
	for _, name := range []string{"rpc", "control", "merchant", "mint", "metrics"} {
		args = append(args, "--"+name, "127.0.0.1:0")
	}
	server := exec.CommandContext(t.Context(), tillProgram(t), args...)
	server.Stderr = t.Output()
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(startTime); ; time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(listing); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the server did not start")
		}
	}
	if err := errors.Join(os.RemoveAll(dir), server.Process.Signal(syscall.SIGTERM)); err != nil {
		t.Fatal(err)
	}
	_ = server.Wait() // how it ends is chance; that it does is not
}
