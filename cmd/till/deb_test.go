package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// debian is a system of its own in a directory.
type debian struct {
	t    *testing.T
	root string
}

func newDebian(t *testing.T) *debian {
	t.Helper()
	if testing.Short() {
		t.Skip("installs a Debian")
	}
	if os.Geteuid() != 0 {
		t.Skip("only root installs packages")
	}
	for _, tool := range []string{"debootstrap", "dpkg-deb", "chroot"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(tool + " is not installed")
		}
	}
	d := &debian{t, filepath.Join(t.TempDir(), "root")}
	out, err := exec.CommandContext(t.Context(), "debootstrap", "--variant=minbase",
		"--include=ca-certificates,console-setup-linux,kbd,tzdata", "bookworm", d.root).CombinedOutput()
	if err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		t.Skipf("no Debian to install in: %v: %s", err, lines[len(lines)-1])
	}
	return d
}

// run runs a shell in it as root.
func (d *debian) run(script string) (string, error) {
	c := exec.CommandContext(d.t.Context(), "chroot", d.root, "/bin/sh", "-c", script)
	c.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8", "HOME=/"}
	out, err := c.CombinedOutput()
	return string(out), err
}

func (d *debian) must(script string) string {
	d.t.Helper()
	out, err := d.run(script)
	if err != nil {
		d.t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return out
}

func (d *debian) has(path string, want bool) {
	d.t.Helper()
	_, err := os.Lstat(filepath.Join(d.root, path))
	if (err == nil) != want {
		d.t.Errorf("%s: there %v, not %v", path, err == nil, want)
	}
}

// serve runs the unit's ExecStart as the unit's user, in practice, until it serves,
// and gives what ends it.
func (d *debian) serve() (stop func()) {
	d.t.Helper()
	unit, err := os.ReadFile(filepath.Join(d.root, "lib/systemd/system/till.service"))
	if err != nil {
		d.t.Fatal(err)
	}
	_, start, _ := strings.Cut(string(unit), "\nExecStart=")
	start, _, _ = strings.Cut(start, "\n")
	at := filepath.Join(d.root, "var/lib/till/at.json")
	options := "--practice --rpc 127.0.0.1:0 --control 127.0.0.1:0 --merchant 127.0.0.1:0 --metrics 127.0.0.1:0 --mint 127.0.0.1:0 --addresses-file /var/lib/till/at.json"
	c := exec.Command("chroot", "--userspec=till:till", d.root, "/bin/sh", "-c", "cd /var/lib/till && TILL_OPTS='"+options+"' && exec "+start)
	c.Env = []string{"PATH=/usr/bin:/bin"}
	log := &lockedBuffer{}
	c.Stderr = log
	if err := c.Start(); err != nil {
		d.t.Fatal(err)
	}
	for deadline := time.Now().Add(startTime); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(at); err == nil {
			break
		}
		if time.Now().After(deadline) {
			_ = c.Process.Kill()
			d.t.Fatalf("ExecStart does not come up: %s\n%s", start, log.String())
		}
	}
	return func() {
		d.t.Helper()
		began := c.Process.Signal(syscall.SIGTERM)
		if err := errors.Join(began, c.Wait()); err != nil {
			d.t.Errorf("ends with %v\n%s", err, log.String())
		}
	}
}

// pack builds a package of the program under test.
func (d *debian) pack(binary, version string) {
	d.t.Helper()
	c := exec.Command("../../packaging/deb", version, "amd64", binary, binary, filepath.Join(d.root, "srv"))
	c.Env = append(os.Environ(), "DEB_FLAGS=-Zgzip -z1")
	out, err := c.CombinedOutput()
	if err != nil {
		d.t.Fatalf("build package: %v\n%s", err, out)
	}
}

// TestThePackageInACleanDebian installs, runs, upgrades, removes and purges it.
func TestThePackageInACleanDebian(t *testing.T) {
	d := newDebian(t)
	arch, err := exec.Command("dpkg", "--print-architecture").Output()
	if err != nil || strings.TrimSpace(string(arch)) != "amd64" {
		t.Skip("the package is tried on amd64")
	}
	binary := filepath.Join(t.TempDir(), "till")
	if out, err := exec.Command("go", "build", "-ldflags", "-s -w", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	d.pack(binary, "1.0.0")
	d.pack(binary, "1.0.1")
	d.must("dpkg -i /srv/till_1.0.0_amd64.deb")
	for _, path := range []string{"usr/bin/till", "usr/share/man/man1/till.1.gz", "lib/systemd/system/till-kiosk.service", "lib/systemd/system/till.socket",
		"lib/udev/rules.d/70-till.rules", "usr/share/bash-completion/completions/till", "etc/till/till.toml"} {
		d.has(path, true)
	}
	d.must("till config check")
	if who := d.must("id -un till till-kiosk 2>/dev/null; stat -c '%U %a' /var/lib/till /var/lib/till-kiosk"); !strings.Contains(who, "till 700\ntill-kiosk 700") {
		t.Errorf("the data belongs to %s", who)
	}
	font := d.must(`sed -n 's/^Environment=FONT=//p' /lib/systemd/system/till-kiosk.service`)
	d.has("usr/share/consolefonts/"+strings.TrimSpace(font)+".psf.gz", true)

	stop := d.serve()
	var names [2]string
	names[0] = d.must("till user list --data /var/lib/till --json")
	stop()
	d.must("echo '# edited' >>/etc/till/till.toml; touch /var/lib/till-kiosk/kept")
	d.must("dpkg -i --force-confold /srv/till_1.0.1_amd64.deb")
	if v := d.must("dpkg-query -W -f '${Version} ${Status}' till; tail -1 /etc/till/till.toml"); v != "1.0.1 install ok installed# edited\n" {
		t.Errorf("upgraded to %q", v)
	}
	stop = d.serve()
	if names[1] = d.must("till user list --data /var/lib/till --json"); names[0] != names[1] {
		t.Errorf("the upgrade made of %s %s", names[0], names[1])
	}
	stop()

	d.must("dpkg -r till")
	d.has("usr/bin/till", false)
	d.has("var/lib/till/practice/server.db", true)
	d.has("etc/till/till.toml", true)
	d.must("dpkg -P till")
	d.has("var/lib/till/practice/server.db", true)
	d.has("var/lib/till-kiosk/kept", true)
	d.has("etc/till", false)

	d.must("dpkg -i /srv/till_1.0.1_amd64.deb && echo 'till till/forget boolean true' | debconf-set-selections && dpkg -P till")
	d.has("var/lib/till", false)
	d.has("var/lib/till-kiosk", false)
}

// TestTheUnitsAreSandboxed asks systemd how exposed they leave the machine.
func TestTheUnitsAreSandboxed(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	for _, unit := range []string{"till.service", "till-kiosk.service"} {
		out, err := exec.Command("systemd-analyze", "security", "--offline=true", "--threshold=25", "--no-pager", filepath.Join("../../packaging", unit)).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", unit, err, out)
		}
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		t.Log(lines[len(lines)-1])
	}
}
