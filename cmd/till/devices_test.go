package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"till/device"
)

// simulated is a simulator as a process of its own, with its standard input.
type simulated struct {
	at string
	in io.Writer
}

func (s simulated) obey(t *testing.T, line string) {
	t.Helper()
	if _, err := io.WriteString(s.in, line+"\n"); err != nil {
		t.Fatal(err)
	}
}

// background starts till and gives the first line that it prints.
func background(t *testing.T, args ...string) simulated {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	child := exec.CommandContext(ctx, tillProgram(t), args...)
	child.Cancel = func() error { return child.Process.Signal(os.Interrupt) }
	child.WaitDelay = 5 * time.Second
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = child.Wait() }) // stopped, so it says so
	lines := bufio.NewReader(out)
	at, err := lines.ReadString('\n')
	if err != nil {
		t.Fatalf("till %v: %v", args, err)
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	return simulated{strings.TrimSpace(at), in}
}

// checked runs till devices check and gives its objects and exit code.
func checked(t *testing.T, env []string, args ...string) (checks []device.Check, code int) {
	t.Helper()
	child := exec.CommandContext(t.Context(), tillProgram(t), append([]string{"devices", "check", "--json"}, args...)...)
	child.Env = append([]string{"HOME=" + t.TempDir()}, env...)
	var complaint bytes.Buffer
	child.Stderr = &complaint
	out, err := child.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	for line := range bytes.Lines(out) {
		var c struct {
			device.Check
			State string `json:"state"`
		}
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatalf("%v: %s%s", err, out, complaint.Bytes())
		}
		c.Check.State = map[string]device.State{"ready": device.Ready, "faulted": device.Faulted, "absent": device.Absent}[c.State]
		checks = append(checks, c.Check)
	}
	return checks, child.ProcessState.ExitCode()
}

// TestDevicesAreChecked on simulators of their own process, as on real hardware.
func TestDevicesAreChecked(t *testing.T) {
	if testing.Short() {
		t.Skip("runs four simulators")
	}
	t.Parallel()
	dir := t.TempDir()
	printer := background(t, "devices", "sim", "printer", "--link", filepath.Join(dir, "printer"))
	card := background(t, "devices", "sim", "card", "--link", filepath.Join(dir, "card"), "--profile", "msr606")
	scanner := background(t, "devices", "sim", "scanner")
	display := background(t, "devices", "sim", "display", "--tcp", "127.0.0.1:0", "--profile", "cd5220")
	env := []string{"TILL_PRINTER_URL=serial://" + printer.at, "TILL_CARD_URL=serial://" + card.at, "TILL_SCANNER_URL=serial://" + scanner.at, "TILL_DISPLAY_URL=tcp://" + display.at}

	checks, code := checked(t, env, "--unattended")
	if len(checks) != 4 || code != 0 {
		t.Fatalf("exit %d: %+v", code, checks)
	}
	for i, name := range []string{"printer", "card", "scanner", "display"} {
		if c := checks[i]; c.Device != name || c.State != device.Ready || len(c.Steps) == 0 {
			t.Errorf("%s is %+v", name, c)
		}
	}
	if !slices.ContainsFunc(checks[1].Steps, func(s device.Step) bool { return s.What == "model" && strings.Contains(s.Detail, "REVH6.06") }) {
		t.Errorf("the card reader does not say what it is: %+v", checks[1].Steps)
	}

	printer.obey(t, "cover open")
	await(t, "the open cover", func() error {
		checks, code := checked(t, env, "printer")
		if code != exitNo || checks[0].State != device.Faulted || !strings.Contains(checks[0].Steps[len(checks[0].Steps)-1].Detail, "cover") {
			return errors.New("not seen")
		}
		return nil
	})
	scanner.obey(t, "unplug")
	await(t, "the pulled plug", func() error {
		if checks, code := checked(t, env, "scanner"); code != exitNo || checks[0].State != device.Absent {
			return errors.New("not seen")
		}
		return nil
	})
	if checks, code := checked(t, nil, "card"); code != exitNo || checks[0].State != device.Absent {
		t.Errorf("a reader that is not configured: exit %d, %+v", code, checks)
	}
	if _, code := checked(t, []string{"TILL_PRINTER_URL=usb:1"}, "printer"); code != exitUsage {
		t.Errorf("a wrong URL: exit %d", code)
	}
	if _, code := checked(t, nil, "toaster"); code != exitUsage {
		t.Errorf("an unknown device: exit %d", code)
	}
}

// TestAPersonIsAskedWhatAProgramCannotSee: the slip, the drawer.
func TestAPersonIsAskedWhatAProgramCannotSee(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a simulator")
	}
	t.Parallel()
	printer := background(t, "devices", "sim", "printer")
	child := exec.CommandContext(t.Context(), tillProgram(t), "devices", "check", "printer")
	child.Env = []string{"HOME=" + t.TempDir(), "TILL_PRINTER_URL=serial://" + printer.at}
	tty, err := pty.Start(child)
	if err != nil {
		t.Fatal(err)
	}
	var seen strings.Builder
	buffer := make([]byte, 256)
	for answered := 0; ; {
		n, err := tty.Read(buffer)
		seen.Write(buffer[:n])
		if err != nil {
			break // the other side has ended
		}
		if strings.Count(seen.String(), "[y/N]") > answered {
			if _, err := io.WriteString(tty, []string{"y\n", "n\n"}[answered%2]); err != nil {
				t.Fatal(err)
			}
			answered++
		}
	}
	_ = child.Wait() // exit 1, checked below
	for _, want := range []string{"Is the slip on paper", "Did the drawer open", "confirmed by the printer", "slip seen    a person says yes", "drawer seen  a person says no"} {
		if !strings.Contains(strings.Join(strings.Fields(seen.String()), " "), strings.Join(strings.Fields(want), " ")) {
			t.Errorf("no %q in\n%s", want, seen.String())
		}
	}
	if code := child.ProcessState.ExitCode(); code != exitNo {
		t.Errorf("exit %d", code)
	}
}

// TestAConversationIsRecordedAndPlayed: a check that was recorded can be made
// again without the printer, and another one is found to deviate.
func TestAConversationIsRecordedAndPlayed(t *testing.T) {
	if testing.Short() {
		t.Skip("runs simulators")
	}
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "conversation")
	printer := background(t, "devices", "sim", "printer", "--tcp", "127.0.0.1:0")
	between := background(t, "devices", "record", "tcp://"+printer.at, file, "--tcp", "127.0.0.1:0")
	if checks, code := checked(t, []string{"TILL_PRINTER_URL=tcp://" + between.at}, "printer"); code != 0 {
		t.Fatalf("between: %+v", checks)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 || info.Size() == 0 {
		t.Fatalf("the conversation is %v, %v", info, err)
	}
	played := background(t, "devices", "play", file, "--link", filepath.Join(dir, "played"))
	checks, code := checked(t, []string{"TILL_PRINTER_URL=serial://" + played.at}, "printer")
	if code != 0 || !slices.ContainsFunc(checks[0].Steps, func(s device.Step) bool { return s.Detail == "EPSON TM-T88V" }) {
		t.Errorf("played: exit %d, %+v", code, checks)
	}

	deviates := exec.CommandContext(t.Context(), tillProgram(t), "devices", "play", file, "--link", filepath.Join(dir, "other"))
	out, err := deviates.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaint bytes.Buffer
	deviates.Stderr = &complaint
	if err := deviates.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	checked(t, []string{"TILL_DISPLAY_URL=serial://" + filepath.Join(dir, "other")}, "display")
	if err := deviates.Wait(); err == nil || !strings.Contains(complaint.String(), "deviates from the recorded conversation") {
		t.Errorf("another conversation: %v, %s", err, complaint.String())
	}
}
