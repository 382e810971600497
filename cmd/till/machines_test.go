package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"till/cmd/internal/story"
)

// TestASaleOnOtherMachines plays testdata/machines with the binaries of arm64 and
// armv6 under qemu's user emulation: pseudo-terminals, locks, databases and the
// whole receipt path of the machines at counters.
func TestASaleOnOtherMachines(t *testing.T) {
	if testing.Short() {
		t.Skip("cross-compiles and emulates")
	}
	for _, m := range []struct {
		name, emulator string
		env            []string
	}{
		{"arm64", "qemu-aarch64", []string{"GOARCH=arm64"}},
		{"armv6", "qemu-arm", []string{"GOARCH=arm", "GOARM=6"}},
	} {
		t.Run(m.name, func(t *testing.T) {
			emulator, err := exec.LookPath(m.emulator)
			if err != nil {
				t.Skip(m.emulator + " is not installed")
			}
			dir := t.TempDir()
			binary, program := filepath.Join(dir, "till-"+m.name), filepath.Join(dir, "till")
			build := exec.Command("go", "build", "-o", binary, ".")
			build.Env = append(append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux"), m.env...)
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("build: %v\n%s", err, out)
			}
			if err := os.WriteFile(program, []byte("#!/bin/sh\nexec "+emulator+" "+binary+" \"$@\"\n"), 0o755); err != nil {
				t.Fatal(err)
			}
			results, err := story.Play(t.Context(), story.Options{
				Open: func(context.Context) (*story.Shop, error) {
					return openStage(program, staging{command: []string{"practice"}})
				},
				Now: time.Now, Out: t.Output(), Shots: dir,
			}, []string{filepath.Join("testdata", "machines", "sale.story")})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range results {
				if !r.Held {
					_ = story.Report(t.Output(), results) // the log of a test takes all
					t.Fatal(r.Failure)
				}
			}
		})
	}
}
