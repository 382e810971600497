package main

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"till/cmd/internal/story"
)

// TestTheConsolesPictureIsScanned draws what a kiosk shows on a bare Linux console,
// in its sixteen colours, with and without half blocks in its font, and lets
// another program read the code in the picture.
func TestTheConsolesPictureIsScanned(t *testing.T) {
	reader, err := exec.LookPath("zbarimg")
	if err != nil {
		t.Skip("zbarimg is not installed")
	}
	if testing.Short() {
		t.Skip("plays whole shops")
	}
	for blocks, size := range map[string]string{"yes": "80x24", "no": "160x50"} {
		t.Run("half blocks "+blocks, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "console.story")
			text := "term linux\nsize " + size + "\nscreen attract\nring 12.30\ndo pay\ndo tender.bitcoin\nqr /^bitcoin:/i as uri\nshot console.png\n"
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			program := tillProgram(t)
			results, err := story.Play(t.Context(), story.Options{
				Open: func(context.Context) (*story.Shop, error) {
					shop, err := openStage(program, staging{command: []string{"kiosk", "--practice"}})
					if err == nil {
						s := shop.Program.(*stage)
						s.env = append(s.env, "TILL_TERMINAL_HALF_BLOCKS="+blocks)
					}
					return shop, err
				},
				Now: time.Now, Out: t.Output(), Shots: dir,
			}, []string{file})
			if err != nil {
				t.Fatal(err)
			}
			if !results[0].Held {
				t.Fatal(results[0].Failure)
			}
			out, err := exec.Command(reader, "--quiet", "--raw", filepath.Join(dir, "console.png")).Output()
			if err != nil || !strings.HasPrefix(strings.ToLower(string(out)), "bitcoin:bcrt1") {
				t.Fatalf("zbarimg reads %q, %v", out, err)
			}
		})
	}
}

// TestAKioskTellsTheServiceManager: READY once it is on the screen, then a sign of
// life within the watchdog's time.
func TestAKioskTellsTheServiceManager(t *testing.T) {
	if testing.Short() {
		t.Skip("plays a whole shop")
	}
	path := filepath.Join(t.TempDir(), "notify.sock")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = manager.Close() }()
	shop, err := openStage(tillProgram(t), staging{command: []string{"kiosk", "--practice"}})
	if err != nil {
		t.Fatal(err)
	}
	s := shop.Program.(*stage)
	defer func() { _ = shop.Close() }()
	s.env = append(s.env, "NOTIFY_SOCKET="+path, "WATCHDOG_USEC=2000000")
	if err := shop.Program.Start(t.Context(), story.TTY{Input: strings.NewReader(""), Output: &tail{}, Width: 80, Height: 24, Env: []string{"TERM=linux"}}); err != nil {
		t.Fatal(err)
	}
	told := ""
	for !strings.Contains(told, "READY=1") || strings.Count(told, "WATCHDOG=1") < 2 {
		packet := make([]byte, 256)
		if err := manager.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
			t.Fatal(err)
		}
		n, err := manager.Read(packet)
		if err != nil {
			t.Fatalf("told only %q: %v", told, err)
		}
		told += string(packet[:n]) + "\n"
	}
	if !strings.HasPrefix(told, "READY=1") {
		t.Errorf("the first word was %q", told)
	}
}
