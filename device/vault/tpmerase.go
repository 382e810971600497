package vault

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/go-tpm/tpm2"
)

// lockoutFile holds the TPM's lockout authorization, which can do no more than
// clear the TPM and reset its lockout: whoever has it can harm, not steal.
const (
	lockoutFile = "vault.lockout"
	lockoutSize = 32
)

// The bits of TPMA_PERMANENT (part 2, section 8.6).
const (
	lockoutAuthSet = 1 << 2
	disableClear   = 1 << 8
)

// Provision takes the TPM's lockout authorization, with which Erase clears the
// whole TPM: everything that hangs on its owner is then useless, a sealed disk
// key of this machine too. It may be called again.
func (t *TPM) Provision() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	permanent, err := t.permanent()
	if err != nil {
		return err
	}
	_, err = readLimited(t.lockoutPath())
	switch kept := err == nil; {
	case permanent&disableClear != 0:
		return errors.New("provision TPM: clearing is disabled in it: enable it in the firmware's settings")
	case kept && permanent&lockoutAuthSet != 0:
		return nil
	case permanent&lockoutAuthSet != 0:
		return errors.New("provision TPM: its lockout authorization belongs to somebody else: clear the TPM in the firmware's settings first")
	case !kept && !errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("provision TPM: %w", err)
	}
	auth := make([]byte, lockoutSize)
	defer clear(auth)
	if _, err := io.ReadFull(t.random, auth); err != nil {
		return fmt.Errorf("provision TPM: %w", err)
	}
	auth[lockoutSize-1] |= 1 // a TPM drops zeros at the end
	if err := replace(t.lockoutPath(), auth); err != nil {
		return fmt.Errorf("provision TPM: %w", err)
	}
	_, err = tpm2.HierarchyChangeAuth{
		AuthHandle: tpm2.AuthHandle{Handle: tpm2.TPMRHLockout, Auth: tpm2.PasswordAuth(nil)},
		NewAuth:    tpm2.TPM2BAuth{Buffer: auth},
	}.Execute(t.tpm)
	if err != nil {
		return fmt.Errorf("provision TPM: %w", err)
	}
	return nil
}

// Erase evicts the key, and clears the TPM if it was provisioned.
func (t *TPM) Erase() error { return t.erase("") }

// Tamper is Erase because of a sensor.
func (t *TPM) Tamper(sensor string) error { return t.erase(nameOfSensor(sensor)) }

func (t *TPM) erase(sensor string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.key = nil
	return erase(t.dir, sensor, func() error {
		err := t.evict()
		if errors.Is(err, ErrTaken) { // not ours, and so not our key
			err = nil
		}
		return errors.Join(err, t.clear())
	})
}

// clear is TPM2_Clear, if the TPM was provisioned. It resets the authorization.
func (t *TPM) clear() error {
	auth, err := readLimited(t.lockoutPath())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("clear TPM: %w", err)
	}
	defer clear(auth)
	permanent, err := t.permanent()
	if err != nil {
		return err
	}
	if permanent&lockoutAuthSet == 0 { // provisioning, or an earlier clear, was cut short
		auth = nil
	}
	_, err = tpm2.Clear{AuthHandle: tpm2.AuthHandle{Handle: tpm2.TPMRHLockout, Auth: tpm2.PasswordAuth(auth)}}.Execute(t.tpm)
	if err != nil {
		return fmt.Errorf("clear TPM: %w", err)
	}
	return shred(t.lockoutPath())
}

// permanent is the TPM's TPMA_PERMANENT.
func (t *TPM) permanent() (uint32, error) {
	answer, err := tpm2.GetCapability{
		Capability: tpm2.TPMCapTPMProperties, Property: uint32(tpm2.TPMPTPermanent), PropertyCount: 1,
	}.Execute(t.tpm)
	if err != nil {
		return 0, fmt.Errorf("ask TPM for its state: %w", err)
	}
	list, err := answer.CapabilityData.Data.TPMProperties()
	if err != nil {
		return 0, fmt.Errorf("ask TPM for its state: %w", err)
	}
	for _, p := range list.TPMProperty {
		if p.Property == tpm2.TPMPTPermanent {
			return p.Value, nil
		}
	}
	return 0, errors.New("ask TPM for its state: it does not tell")
}

func (t *TPM) lockoutPath() string { return filepath.Join(t.dir, lockoutFile) }
