package vault

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"sync"

	"github.com/google/go-tpm/tpm2"
	"golang.org/x/crypto/argon2"
)

// defaultHandle is where the key lies unless the URL says otherwise: in the
// owner's range (TPM 2.0 part 2, section 7.5), outside what the TCG's registry of
// reserved handles gives to others.
const defaultHandle tpm2.TPMHandle = 0x81710001

// template is the key's public area.
var template = tpm2.TPMTPublic{
	Type:    tpm2.TPMAlgECC,
	NameAlg: tpm2.TPMAlgSHA256,
	ObjectAttributes: tpm2.TPMAObject{
		FixedTPM: true, FixedParent: true, SensitiveDataOrigin: true,
		UserWithAuth: true, NoDA: true, SignEncrypt: true,
	},
	Parameters: tpm2.NewTPMUPublicParms(tpm2.TPMAlgECC, &tpm2.TPMSECCParms{
		CurveID: tpm2.TPMECCNistP256,
		Scheme: tpm2.TPMTECCScheme{
			Scheme:  tpm2.TPMAlgECDSA,
			Details: tpm2.NewTPMUAsymScheme(tpm2.TPMAlgECDSA, &tpm2.TPMSSigSchemeECDSA{HashAlg: tpm2.TPMAlgSHA256}),
		},
	}),
}

// TPM is a vault in a TPM 2.0.
type TPM struct {
	dir    string
	random io.Reader
	handle tpm2.TPMHandle
	auth   []byte // what the key asks for, nil without a boot secret

	mu  sync.Mutex // held while the TPM is spoken to
	tpm *channel
	key *tpmSigner
}

// OpenTPM opens the vault in a TPM; see [Open]. The TPM must answer.
func OpenTPM(url, dir string, secret []byte, random io.Reader) (*TPM, error) {
	if len(secret) > maxSecret {
		return nil, fmt.Errorf("open vault: the boot secret has more than %d bytes", maxSecret)
	}
	tpm, handle, err := parseTPM(url)
	if err != nil {
		return nil, err
	}
	t := &TPM{dir: dir, random: random, handle: handle, tpm: tpm}
	if len(secret) > 0 {
		// A TPM tells nobody the secret but who listens on its bus gets something
		// to try guesses on; Argon2id makes each of them dear.
		t.auth = argon2.IDKey(secret, []byte("till-vault-tpm-1"), 3, 64<<10, 1, sha256.Size)
	}
	unfinished, err := begun(dir)
	switch {
	case err != nil:
	case unfinished:
		err = t.Erase()
	default:
		t.mu.Lock()
		_, err = t.public()
		t.mu.Unlock()
		if errors.Is(err, ErrNoKey) || errors.Is(err, ErrTaken) {
			err = nil
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open vault: %w", err), t.Close())
	}
	return t, nil
}

// Sealed reports that the disk alone holds nothing of the key.
func (t *TPM) Sealed() bool { return true }

// Close ends the connection to the TPM; the key stays in it.
func (t *TPM) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.key = nil
	clear(t.auth)
	return t.tpm.Close()
}

// Signer gives the key. Errors: [ErrNoKey], [ErrSealed], [ErrTaken].
func (t *TPM) Signer() (crypto.Signer, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.key != nil {
		return t.key, nil
	}
	return t.adopt()
}

// adopt makes what lies at the handle the vault's key, having tried it.
func (t *TPM) adopt() (crypto.Signer, error) {
	found, err := t.public()
	if err != nil {
		return nil, err
	}
	public, err := found.OutPublic.Contents()
	if err != nil {
		return nil, fmt.Errorf("read TPM key: %w", err)
	}
	point, err := public.Unique.ECC()
	if err != nil {
		return nil, fmt.Errorf("read TPM key: %w", err)
	}
	raw := append([]byte{4}, pad(point.X.Buffer)...)
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(raw, pad(point.Y.Buffer)...))
	if err != nil {
		return nil, fmt.Errorf("read TPM key: %w", err)
	}
	s := &tpmSigner{vault: t, public: key, name: found.Name}
	if _, err := s.sign(make([]byte, sha256.Size)); err != nil {
		return nil, err
	}
	t.key = s
	return s, nil
}

// pad is a coordinate at its full length.
func pad(coordinate []byte) []byte {
	return new(big.Int).SetBytes(coordinate).FillBytes(make([]byte, 32))
}

// public reads the public area at the handle: ErrNoKey when there is nothing,
// ErrTaken when it is none of ours.
func (t *TPM) public() (*tpm2.ReadPublicResponse, error) {
	found, err := tpm2.ReadPublic{ObjectHandle: t.handle}.Execute(t.tpm)
	if errors.Is(err, tpm2.TPMRCHandle) || errors.Is(err, tpm2.TPMRCValue) {
		return nil, ErrNoKey
	}
	if err != nil {
		return nil, fmt.Errorf("read TPM key: %w", err)
	}
	public, err := found.OutPublic.Contents()
	if err != nil {
		return nil, fmt.Errorf("read TPM key: %w", err)
	}
	like := template
	like.Unique = public.Unique
	if string(tpm2.Marshal(like)) != string(tpm2.Marshal(*public)) {
		return nil, ErrTaken
	}
	return found, nil
}

// Generate makes a new key below the storage root and keeps it at the handle, in
// place of the present one.
func (t *TPM) Generate() (crypto.Signer, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, err := t.public(); err != nil && !errors.Is(err, ErrNoKey) {
		return nil, err
	}
	loaded, err := t.create()
	if err != nil {
		return nil, err
	}
	defer t.flush(loaded.ObjectHandle)
	if err := t.evict(); err != nil {
		return nil, err
	}
	if _, err := (tpm2.EvictControl{
		Auth:             tpm2.TPMRHOwner,
		ObjectHandle:     tpm2.NamedHandle{Handle: loaded.ObjectHandle, Name: loaded.Name},
		PersistentHandle: t.handle,
	}).Execute(t.tpm); err != nil {
		return nil, fmt.Errorf("keep TPM key: %w", err)
	}
	return t.adopt()
}

// create makes a key and loads it; its wrapped form is wiped at once.
func (t *TPM) create() (*tpm2.LoadResponse, error) {
	root, err := tpm2.CreatePrimary{
		PrimaryHandle: tpm2.TPMRHOwner,
		InPublic:      tpm2.New2B(tpm2.ECCSRKTemplate),
	}.Execute(t.tpm)
	if err != nil {
		return nil, fmt.Errorf("make TPM storage root: %w", err)
	}
	defer t.flush(root.ObjectHandle)
	public, err := root.OutPublic.Contents()
	if err != nil {
		return nil, fmt.Errorf("make TPM storage root: %w", err)
	}
	parent := tpm2.AuthHandle{Handle: root.ObjectHandle, Name: root.Name, Auth: tpm2.PasswordAuth(nil)}
	// The authorization goes to the TPM encrypted.
	hidden := tpm2.HMAC(tpm2.TPMAlgSHA256, 16, tpm2.Salted(root.ObjectHandle, *public), tpm2.AESEncryption(128, tpm2.EncryptIn))
	made, err := tpm2.Create{
		ParentHandle: parent,
		InSensitive: tpm2.TPM2BSensitiveCreate{Sensitive: &tpm2.TPMSSensitiveCreate{
			UserAuth: tpm2.TPM2BAuth{Buffer: t.auth},
		}},
		InPublic: tpm2.New2B(template),
	}.Execute(t.tpm, hidden)
	if err != nil {
		return nil, fmt.Errorf("make TPM key: %w", err)
	}
	defer clear(made.OutPrivate.Buffer)
	loaded, err := tpm2.Load{ParentHandle: parent, InPrivate: made.OutPrivate, InPublic: made.OutPublic}.Execute(t.tpm)
	if err != nil {
		return nil, fmt.Errorf("load TPM key: %w", err)
	}
	return loaded, nil
}

// flush frees a transient object. One that stays is lost with the connection or
// at the next start.
func (t *TPM) flush(h tpm2.TPMHandle) {
	_, _ = tpm2.FlushContext{FlushHandle: h}.Execute(t.tpm)
}

// evict removes our key from the handle, if it is there.
func (t *TPM) evict() error {
	t.key = nil
	found, err := t.public()
	if errors.Is(err, ErrNoKey) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = tpm2.EvictControl{
		Auth:             tpm2.TPMRHOwner,
		ObjectHandle:     tpm2.NamedHandle{Handle: t.handle, Name: found.Name},
		PersistentHandle: t.handle,
	}.Execute(t.tpm)
	if err != nil {
		return fmt.Errorf("evict TPM key: %w", err)
	}
	return nil
}

// tpmSigner is the key as long as it is the vault's.
type tpmSigner struct {
	vault  *TPM
	public *ecdsa.PublicKey
	name   tpm2.TPM2BName
}

// Public is the key's *ecdsa.PublicKey.
func (s *tpmSigner) Public() crypto.PublicKey { return s.public }

// Sign signs a SHA-256 digest, and fails with ErrNoKey once the key is erased or
// replaced. The TPM has its own source of chance.
func (s *tpmSigner) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts.HashFunc() != crypto.SHA256 || len(digest) != sha256.Size {
		return nil, fmt.Errorf("sign with TPM key: %v: it signs SHA-256 only", opts.HashFunc())
	}
	s.vault.mu.Lock()
	defer s.vault.mu.Unlock()
	if s.vault.key != s {
		return nil, ErrNoKey
	}
	return s.sign(digest)
}

func (s *tpmSigner) sign(digest []byte) ([]byte, error) {
	session := tpm2.PasswordAuth(nil)
	if s.vault.auth != nil {
		session = tpm2.HMAC(tpm2.TPMAlgSHA256, 16, tpm2.Auth(s.vault.auth))
	}
	done, err := tpm2.Sign{
		KeyHandle:  tpm2.AuthHandle{Handle: s.vault.handle, Name: s.name, Auth: session},
		Digest:     tpm2.TPM2BDigest{Buffer: digest},
		Validation: tpm2.TPMTTKHashCheck{Tag: tpm2.TPMSTHashCheck},
	}.Execute(s.vault.tpm)
	switch {
	case errors.Is(err, tpm2.TPMRCBadAuth), errors.Is(err, tpm2.TPMRCAuthFail):
		return nil, ErrSealed
	case errors.Is(err, tpm2.TPMRCHandle):
		return nil, ErrNoKey
	case err != nil:
		return nil, fmt.Errorf("sign with TPM key: %w", err)
	}
	signature, err := done.Signature.Signature.ECDSA()
	if err != nil {
		return nil, fmt.Errorf("sign with TPM key: %w", err)
	}
	return asn1.Marshal(struct{ R, S *big.Int }{
		new(big.Int).SetBytes(signature.SignatureR.Buffer), new(big.Int).SetBytes(signature.SignatureS.Buffer),
	})
}
