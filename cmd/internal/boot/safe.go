package boot

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"till/cmd/internal/config"
	"till/device"
	"till/device/vault"
	"till/protocol/terminal"
)

// Safe is a terminal's vault and the switch of its case (devices.md section 7).
type Safe struct {
	vault vault.Vault
	dir   string
	open  func() (vault.Switch, error) // nil: the case has no switch
	lid   *lid                         // the simulated switch, nil without one

	mu     sync.Mutex
	status device.Status
}

// OpenSafe opens the configured vault; an erase that was interrupted is finished
// first. simulate allows a simulated switch.
func OpenSafe(c *config.Config, dir string, random io.Reader, simulate bool) (*Safe, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	s := &Safe{dir: dir}
	switch {
	case c.Vault.Tamper == "none":
	case c.Vault.Tamper == "sim:" && simulate:
		s.lid = newLid()
		s.open = func() (vault.Switch, error) { return s.lid, nil }
	default:
		u, err := vault.ParseSwitch(c.Vault.Tamper)
		if err != nil {
			return nil, fmt.Errorf("vault.tamper: %w", err)
		}
		s.open = u.Open
	}
	secret, err := bootSecret(c)
	if err != nil {
		return nil, err
	}
	s.vault, err = vault.Open(c.Vault.URL, dir, secret, random)
	clear(secret)
	if err != nil {
		return nil, fmt.Errorf("open vault: %w", err)
	}
	return s, nil
}

// Signer gives the key, or an error that wraps [terminal.ErrNoKey].
func (s *Safe) Signer() (crypto.Signer, error) {
	signer, err := s.vault.Signer()
	if errors.Is(err, vault.ErrNoKey) {
		return nil, errors.Join(terminal.ErrNoKey, err)
	}
	return signer, err
}

// Generate makes a new key.
func (s *Safe) Generate() (crypto.Signer, error) { return s.vault.Generate() }

// Erase destroys the key.
func (s *Safe) Erase() error { return s.vault.Erase() }

// Close forgets the key in memory.
func (s *Safe) Close() error { return s.vault.Close() }

// Guard erases the key as soon as the case is open, and lets the terminal tell
// so, until ctx ends. report hears the state of the switch. An erase before the
// program ended, that no journal knows of yet, is told first.
func (s *Safe) Guard(ctx context.Context, t *terminal.Terminal, report func(device.Status), log *slog.Logger) {
	s.tell(ctx, t, log)
	if s.open == nil {
		return
	}
	hear := func(err error) {
		status := device.Status{State: device.Ready}
		if err != nil {
			log.Error("watch case", "error", err)
			status = device.Status{State: device.Faulted, Fault: device.FaultOf(err)}
		}
		s.mu.Lock()
		s.status = status
		s.mu.Unlock()
		report(status)
	}
	hear(nil)
	vault.Guard(ctx, s.open, s.vault, func(sensor string) {
		log.Error("case opened, key erased", "sensor", sensor)
		s.tell(ctx, t, log)
	}, hear)
}

// tell lets the terminal journal what the vault remembers of an opened case.
func (s *Safe) tell(ctx context.Context, t *terminal.Terminal, log *slog.Logger) {
	sensor, found, err := vault.Tampered(s.dir)
	if err == nil && found {
		if _, paired := t.Identity(); paired {
			// The key is gone: this is written down even when the program ends.
			telling, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellTime)
			err = t.Tampered(telling, sensor)
			cancel()
		}
		if err == nil {
			err = vault.Acknowledge(s.dir)
		}
	}
	if err != nil {
		log.Error("journal opened case", "error", err)
	}
}

// tellTime bounds writing down that the case was opened.
const tellTime = 10 * time.Second

// SafeState is what `till vault show` tells.
type SafeState struct {
	URL      string `json:"url"`
	Key      bool   `json:"key"`      // there is one
	Sealed   bool   `json:"sealed"`   // safe from who has the disk
	Switch   string `json:"switch"`   // vault.tamper
	Tampered string `json:"tampered"` // sensor of an opened case that no journal knows of yet, "" none
}

// State tells how the vault is.
func (s *Safe) State(c *config.Config) (SafeState, error) {
	state := SafeState{URL: c.Vault.URL, Sealed: s.vault.Sealed(), Switch: c.Vault.Tamper}
	_, err := s.vault.Signer()
	if state.Key = err == nil; err != nil && !errors.Is(err, vault.ErrNoKey) {
		return state, err
	}
	state.Tampered, _, err = vault.Tampered(s.dir)
	return state, err
}

// ErrNoTPM: what was asked is done to a TPM only.
var ErrNoTPM = errors.New("the vault is no TPM")

// Provision lets an opened case clear the whole TPM; see [vault.TPM.Provision].
func (s *Safe) Provision() error {
	t, ok := s.vault.(*vault.TPM)
	if !ok {
		return ErrNoTPM
	}
	return t.Provision()
}

// HasSwitch reports whether the case has a switch.
func (s *Safe) HasSwitch() bool { return s.open != nil }

// Status is the state of the switch.
func (s *Safe) Status() device.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

// Reopen does nothing: a switch that failed is opened again by itself.
func (s *Safe) Reopen() {}

// OpenCase opens the simulated case and closes it.
func (s *Safe) OpenCase() error {
	if s.lid == nil {
		return errors.New("open case: it has no simulated switch")
	}
	s.lid.lift()
	return nil
}

// lid is a simulated case switch: what a finger does to it stays until the guard
// has seen it.
type lid struct{ lifted chan struct{} }

func newLid() *lid { return &lid{lifted: make(chan struct{}, 1)} }

func (l *lid) lift() {
	select {
	case l.lifted <- struct{}{}:
	default:
	}
}

func (l *lid) Name() string { return "sim-case" }

func (l *lid) Wait(ctx context.Context, open bool) error {
	if !open {
		return nil
	}
	select {
	case <-l.lifted:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *lid) Close() error { return nil }
