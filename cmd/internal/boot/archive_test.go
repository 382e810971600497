package boot

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"till/protocol"
)

func archived(t testing.TB, passphrase string) []byte {
	t.Helper()
	var b bytes.Buffer
	a, err := newArchiver(&b, protocol.NewSecret(passphrase), time.Unix(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(a.json(archiveHead, BackupHead{Format: archiveFormat, Schema: 1}), a.entry(archiveFiles+"server.key", []byte("key")))
	a.rows(archiveServer)
	err = errors.Join(err, a.row("settings", []string{"name", "value"}, []any{"a\n\u2028", []byte{0, 255}}),
		a.row("settings", []string{"name", "value"}, []any{"b", nil}), a.row("pushes", []string{"seq"}, []any{int64(-1 << 62)}), a.flush(), a.close())
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// unarchived is every entry and row as text.
func unarchived(text []byte, passphrase string) (all []string, err error) {
	_, err = readArchive(bytes.NewReader(text), protocol.NewSecret(passphrase), func(name string, text []byte) error {
		all = append(all, name)
		if name != archiveServer+"00001.jsonl" {
			return nil
		}
		return readRows(text, func(table string, columns []string, values []any) error {
			all = append(all, fmt.Sprintf("%s %q %#v", table, columns, values))
			return nil
		})
	})
	return all, err
}

func TestABackupIsReadAsItWasWritten(t *testing.T) {
	t.Parallel() // stretching a passphrase takes its time
	want := []string{archiveHead, archiveFiles + "server.key", archiveServer + "00001.jsonl",
		`settings ["name" "value"] []interface {}{"a\n\u2028", []uint8{0x0, 0xff}}`, `settings ["name" "value"] []interface {}{"b", interface {}(nil)}`,
		`pushes ["seq"] []interface {}{-4611686018427387904}`, archiveSums}
	for _, passphrase := range []string{"", "secret"} {
		got, err := unarchived(archived(t, passphrase), passphrase)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v\n%q\nnot\n%q", passphrase, err, got, want)
		}
	}
}

func TestABackupOpensWithItsPassphraseAlone(t *testing.T) {
	t.Parallel()
	text := archived(t, "secret")
	for _, wrong := range []string{"", "Secret"} {
		if _, err := unarchived(text, wrong); !errors.Is(err, ErrPassphrase) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	if bytes.Contains(text, []byte("server.key")) {
		t.Error("it is readable")
	}
}

func TestABackupThatWasCutOrChangedIsRefused(t *testing.T) {
	text := archived(t, "")
	for n := range text {
		if _, err := unarchived(text[:n], ""); !errors.Is(err, ErrArchive) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
	var b bytes.Buffer
	a, err := newArchiver(&b, protocol.Secret{}, time.Unix(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	err = a.json(archiveHead, BackupHead{Format: archiveFormat})
	a.sum.Write([]byte("another"))
	if err := errors.Join(err, a.close()); err != nil {
		t.Fatal(err)
	}
	if _, err := unarchived(b.Bytes(), ""); !errors.Is(err, ErrArchive) {
		t.Errorf("with another sum: %v", err)
	}
}

func FuzzReadRows(f *testing.F) {
	f.Add([]byte(`{"table":"a","columns":["b"]}` + "\n[null]\n[1]\n[\"x\"]\n[{\"b\":\"AA==\"}]\n"))
	f.Fuzz(func(_ *testing.T, text []byte) {
		_ = readRows(text, func(string, []string, []any) error { return nil })
	})
}
