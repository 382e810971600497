package vault

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"github.com/google/go-tpm/tpm2"
)

// TestWhatARecordedKeySurvives shows what package vault says: a wrapped key that
// somebody recorded when it was made loads again after it was evicted, and no
// more once the TPM was provisioned and so cleared.
func TestWhatARecordedKeySurvives(t *testing.T) {
	for _, provisioned := range []bool{false, true} {
		v := openVault(t, startTPM(t), t.TempDir(), nil).(*TPM)
		record := &recorder{}
		dial := v.tpm.dial
		v.tpm.dial = func() (tpmConn, error) {
			conn, err := dial()
			record.tpmConn = conn
			return record, err
		}
		if err := v.tpm.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := v.Generate(); err != nil {
			t.Fatal(err)
		}
		if provisioned {
			for range 2 {
				if err := v.Provision(); err != nil {
					t.Fatal(err)
				}
			}
		}
		load := func() error {
			root, err := tpm2.CreatePrimary{PrimaryHandle: tpm2.TPMRHOwner, InPublic: tpm2.New2B(tpm2.ECCSRKTemplate)}.Execute(v.tpm)
			if err != nil {
				t.Fatal(err)
			}
			defer v.flush(root.ObjectHandle)
			command := bytes.Clone(record.load)
			copy(command[10:], []byte{byte(root.ObjectHandle >> 24), byte(root.ObjectHandle >> 16), byte(root.ObjectHandle >> 8), byte(root.ObjectHandle)})
			answer, err := v.tpm.Send(command)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(answer[6:10], make([]byte, 4)) {
				return tpm2.TPMRC(uint32(answer[8])<<8 | uint32(answer[9]))
			}
			v.flush(tpm2.TPMHandle(uint32(answer[10])<<24 | uint32(answer[11])<<16 | uint32(answer[12])<<8 | uint32(answer[13])))
			return nil
		}
		if err := load(); err != nil {
			t.Fatalf("before the erase: %v", err)
		}
		if err := v.Erase(); err != nil {
			t.Fatal(err)
		}
		if err := load(); (err != nil) != provisioned {
			t.Errorf("after the erase, provisioned %v: %v", provisioned, err)
		}
		if left, err := os.ReadDir(v.dir); err != nil || len(left) > 0 {
			t.Errorf("%v is left, %v", left, err)
		}
		if _, err := v.Generate(); err != nil {
			t.Errorf("a new key afterwards: %v", err)
		}
	}
}

// recorder listens on the bus for TPM2_Load.
type recorder struct {
	tpmConn
	load []byte
}

func (r *recorder) Write(p []byte) (int, error) {
	if len(p) > 10 && bytes.Equal(p[6:10], []byte{0, 0, 0x01, 0x57}) {
		r.load = bytes.Clone(p)
	}
	return r.tpmConn.Write(p)
}

func TestAnEraseThatWasCutShortInTheTPMIsFinished(t *testing.T) {
	for _, step := range []string{"mark", "evicted", "cleared"} {
		t.Run(step, func(t *testing.T) {
			url, dir := startTPM(t), t.TempDir()
			v := openVault(t, url, dir, nil).(*TPM)
			if _, err := v.Generate(); err != nil {
				t.Fatal(err)
			}
			if err := v.Provision(); err != nil {
				t.Fatal(err)
			}
			auth, err := readLimited(v.lockoutPath())
			if err != nil {
				t.Fatal(err)
			}
			// The power goes after the mark, after the eviction, after the clearing.
			cut := errors.New("power cut")
			err = erase(dir, "lid", func() error {
				if step != "mark" {
					if err := v.evict(); err != nil {
						t.Error(err)
					}
				}
				if step == "cleared" {
					if err := v.clear(); err != nil {
						t.Error(err)
					}
					if err := replace(v.lockoutPath(), auth); err != nil { // not yet unlinked
						t.Error(err)
					}
				}
				return cut
			})
			if !errors.Is(err, cut) {
				t.Fatal(err)
			}
			if _, found, err := Tampered(dir); found || err != nil {
				t.Errorf("an unfinished erase is told as done: %v", err)
			}
			if _, err := openVault(t, url, dir, nil).Signer(); !errors.Is(err, ErrNoKey) {
				t.Errorf("after the start: %v", err)
			}
			if sensor, found, err := Tampered(dir); sensor != "lid" || !found || err != nil {
				t.Errorf("tampered: %q, %v, %v", sensor, found, err)
			}
			if err := Acknowledge(dir); err != nil {
				t.Error(err)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("%v is left, %v", left, err)
			}
		})
	}
}

func TestAProvisioningThatWasCutShortDoesNoHarm(t *testing.T) {
	v := openVault(t, startTPM(t), t.TempDir(), nil).(*TPM)
	if _, err := v.Generate(); err != nil {
		t.Fatal(err)
	}
	if err := replace(v.lockoutPath(), bytes.Repeat([]byte{7}, lockoutSize)); err != nil {
		t.Fatal(err)
	}
	if err := v.Erase(); err != nil {
		t.Errorf("erase with an authorization the TPM never got: %v", err)
	}
}

func TestAForeignLockoutIsNotTaken(t *testing.T) {
	v := openVault(t, startTPM(t), t.TempDir(), nil).(*TPM)
	_, err := tpm2.HierarchyChangeAuth{AuthHandle: tpm2.TPMRHLockout, NewAuth: tpm2.TPM2BAuth{Buffer: []byte("theirs")}}.Execute(v.tpm)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Provision(); err == nil {
		t.Error("the TPM was provisioned")
	}
	if _, err := os.Stat(v.lockoutPath()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something is stored: %v", err)
	}
}
