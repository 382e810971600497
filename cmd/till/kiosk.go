package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"till/cmd/internal/config"
	"till/protocol"
	"till/tui"
)

// kiosk is `till kiosk`: self-service on the same engine, locked down.
func (p *program) kiosk() *cobra.Command {
	var practice bool
	x := practising{counter: counter{p: p, kiosk: true}}
	command := &cobra.Command{
		Use: "kiosk", Short: "Self-service: nobody attends it and no key leaves it",
		Args: x.args,
		RunE: func(command *cobra.Command, more []string) error {
			if practice {
				return x.run(command.Context(), more, "kiosk", "--practice")
			}
			if len(x.scripts) > 0 || x.fresh {
				return usage("till kiosk --practice", "start kiosk: stories and fresh data are for practice")
			}
			return x.open(command.Context())
		},
	}
	command.Flags().BoolVar(&practice, "practice", false, "without hardware, network or real money")
	x.flags(command)
	return command
}

// practicePIN opens the service menu of a practice kiosk that has no PIN of its
// own: the practice manager's.
const practicePIN = "2222"

// least and most digits of a service PIN.
const leastPIN, mostPIN = 4, 32

// selfService are the kiosk's ways as configured, nil at a counter.
func (c counter) selfService() (*tui.Kiosk, error) {
	if !c.kiosk {
		return nil, nil
	}
	pin, err := servicePIN(c.config.Kiosk.ServicePINFile)
	if err != nil {
		return nil, &failure{exitUsage, err, "write 4 to 32 digits into the file that kiosk.service_pin_file names, mode 0600"}
	}
	if pin.Empty() && c.practice {
		pin = protocol.NewSecret(practicePIN)
	}
	return &tui.Kiosk{
		Idle: time.Duration(c.config.Kiosk.IdleSeconds) * time.Second, PIN: pin,
		Offline: c.config.Kiosk.OfflineMax, Needs: c.config.Kiosk.Needs, Redeem: c.config.Kiosk.Redeem,
	}, nil
}

// servicePIN reads the PIN of the service menu; no file is no menu.
func servicePIN(path string) (protocol.Secret, error) {
	if path == "" {
		return protocol.Secret{}, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return protocol.Secret{}, fmt.Errorf("read service PIN: %w", err)
	}
	defer clear(text)
	pin := strings.TrimSpace(string(text))
	if len(pin) < leastPIN || len(pin) > mostPIN || strings.Trim(pin, "0123456789") != "" {
		return protocol.Secret{}, fmt.Errorf("read service PIN: %s does not hold %d to %d digits", path, leastPIN, mostPIN)
	}
	return protocol.NewSecret(pin), nil
}

// halfBlocks tells whether the console has ▀ ▄ █: as configured, else as the
// kernel says (devices.md §8).
func halfBlocks(c *config.Config, out any) bool {
	switch c.Terminal.HalfBlocks {
	case "yes":
		return true
	case "no":
		return false
	}
	tty, ok := out.(*os.File)
	return ok && fontHolds(tty, "▀▄█")
}

// again runs the program anew in the place of this process: a restart that was
// asked for at the service menu. It returns only when that fails.
func again() error {
	program, err := os.Executable()
	if err == nil {
		once := func(arg string) bool { return arg == "--fresh" || strings.HasPrefix(arg, "--fresh=") }
		err = unix.Exec(program, slices.DeleteFunc(slices.Clone(os.Args), once), os.Environ())
	}
	return fmt.Errorf("restart: %w", err)
}

// restarts reports whether a command ended to begin anew.
func restarts(err error) bool { return errors.Is(err, tui.ErrRestart) }
