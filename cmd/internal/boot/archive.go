package boot

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"filippo.io/age"

	"till/protocol"
)

// A backup is a tar archive, compressed with gzip and, where a passphrase is given,
// encrypted as age does (age-encryption.org/v1, one scrypt recipient; `age -d` opens
// it too). Its entries, in this order:
//
//	till-backup.json     what it is: [BackupHead]
//	files/NAME           server.key, wallet.seed, wallet.descriptor, till.toml, of practice mint.key
//	server/00001.jsonl   the rows of the database at one moment, and so on
//	mint/00001.jsonl     of practice, those of the mint
//	sums.json            how many rows each table has, and the SHA-256 of all before it
//
// A line of rows is {"table":NAME,"columns":[…]}, or a list of the values of one row
// of the table named last: null, an integer, a text, or {"b":BASE64} for bytes.
const (
	archiveHead   = "till-backup.json"
	archiveSums   = "sums.json"
	archiveFiles  = "files/"
	archiveServer = "server/"
	archiveMint   = "mint/"

	archiveFormat = 1
	chunkSize     = 1 << 20  // an entry of rows ends beyond it
	maxEntry      = 64 << 20 // bytes of an entry that is read
)

// ErrArchive: the file is not a backup, is cut short or was changed.
var ErrArchive = errors.New("not a whole backup")

// BackupHead says what a backup is of.
type BackupHead struct {
	Format   int           `json:"format"`
	Software string        `json:"software"`
	Created  protocol.Time `json:"created"`
	Practice bool          `json:"practice"`
	Schema   int           `json:"schema"`
	Mint     int           `json:"mint_schema,omitempty"`
}

// BackupSums closes a backup.
type BackupSums struct {
	Rows   map[string]int64 `json:"rows"` // by "server/TABLE"
	SHA256 string           `json:"sha256"`
}

// archiver writes a backup.
type archiver struct {
	age  io.WriteCloser // nil: not encrypted
	gzip *gzip.Writer
	tar  *tar.Writer
	sum  hash.Hash
	now  time.Time
	sums BackupSums

	prefix  string // of the rows being written
	chunk   []byte
	chunks  int
	table   string
	columns string
}

// newArchiver begins a backup on w; an empty passphrase encrypts nothing.
func newArchiver(w io.Writer, passphrase protocol.Secret, now time.Time) (*archiver, error) {
	a := &archiver{sum: sha256.New(), now: now, sums: BackupSums{Rows: map[string]int64{}}}
	if !passphrase.Empty() {
		recipient, err := age.NewScryptRecipient(passphrase.Reveal())
		if err != nil {
			return nil, fmt.Errorf("encrypt backup: %w", err)
		}
		if a.age, err = age.Encrypt(w, recipient); err != nil {
			return nil, fmt.Errorf("encrypt backup: %w", err)
		}
		w = a.age
	}
	a.gzip = gzip.NewWriter(w)
	a.tar = tar.NewWriter(a.gzip)
	return a, nil
}

// entry writes one entry.
func (a *archiver) entry(name string, text []byte) error {
	h := &tar.Header{Name: name, Mode: 0o600, Size: int64(len(text)), ModTime: a.now, Format: tar.FormatPAX}
	if err := a.tar.WriteHeader(h); err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	if _, err := a.tar.Write(text); err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	fmt.Fprintf(a.sum, "%s %d\n", name, len(text))
	a.sum.Write(text)
	return nil
}

func (a *archiver) json(name string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	return a.entry(name, text)
}

// rows begins the rows of a database; what follows goes to row until flush.
func (a *archiver) rows(prefix string) { a.prefix, a.chunks, a.table = prefix, 0, "" }

// row takes one row.
func (a *archiver) row(table string, columns []string, values []any) error {
	if named := strings.Join(columns, " "); table != a.table || named != a.columns || len(a.chunk) == 0 {
		a.table, a.columns = table, named
		head, err := json.Marshal(tableLine{table, columns})
		if err != nil {
			return fmt.Errorf("write backup: %w", err)
		}
		a.chunk = append(append(a.chunk, head...), '\n')
	}
	a.chunk = append(a.chunk, '[')
	for i, v := range values {
		if i > 0 {
			a.chunk = append(a.chunk, ',')
		}
		var err error
		if a.chunk, err = appendValue(a.chunk, v); err != nil {
			return fmt.Errorf("write backup: table %s: %w", table, err)
		}
	}
	a.chunk = append(a.chunk, "]\n"...)
	a.sums.Rows[a.prefix+table]++
	if len(a.chunk) < chunkSize {
		return nil
	}
	return a.flush()
}

type tableLine struct {
	Table   string   `json:"table"`
	Columns []string `json:"columns"`
}

type bytesValue struct {
	B string `json:"b"`
}

func appendValue(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case string:
		if !utf8.ValidString(v) {
			return nil, errors.New("a text is not UTF-8")
		}
		text, err := json.Marshal(v)
		return append(b, text...), err
	case []byte:
		text, err := json.Marshal(bytesValue{base64.StdEncoding.EncodeToString(v)})
		return append(b, text...), err
	}
	return nil, fmt.Errorf("a value is of type %T", v)
}

// flush ends the entry of rows under way.
func (a *archiver) flush() error {
	if len(a.chunk) == 0 {
		return nil
	}
	a.chunks++
	err := a.entry(fmt.Sprintf("%s%05d.jsonl", a.prefix, a.chunks), a.chunk)
	a.chunk = a.chunk[:0]
	return err
}

// close writes the sums and ends the backup.
func (a *archiver) close() error {
	a.sums.SHA256 = hex.EncodeToString(a.sum.Sum(nil))
	err := errors.Join(a.json(archiveSums, a.sums), a.tar.Close(), a.gzip.Close())
	if a.age != nil {
		err = errors.Join(err, a.age.Close())
	}
	if err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	return nil
}

// ageMagic is how an encrypted backup begins.
const ageMagic = "age-encryption.org/v1\n"

// ErrPassphrase: the backup is encrypted, and no passphrase or a wrong one is given.
var ErrPassphrase = errors.New("the passphrase is missing or wrong")

// readArchive calls f for every entry of a backup, in order. It fails with
// [ErrArchive] where the backup is not whole, at the end at the latest.
func readArchive(from io.Reader, passphrase protocol.Secret, f func(name string, text []byte) error) (BackupSums, error) {
	var sums BackupSums
	unpacked, err := unpack(from, passphrase)
	if err != nil {
		return sums, err
	}
	entries, sum, closed := tar.NewReader(unpacked), sha256.New(), false
	for n := 0; ; n++ {
		h, err := entries.Next()
		if errors.Is(err, io.EOF) && closed {
			if _, err := io.Copy(io.Discard, unpacked); err != nil { // the end has a checksum of its own
				return sums, errors.Join(ErrArchive, err)
			}
			return sums, nil
		}
		if err != nil || closed || h.Size > maxEntry || (n == 0) != (h.Name == archiveHead) {
			return sums, errors.Join(ErrArchive, err)
		}
		text, err := io.ReadAll(entries)
		if err != nil {
			return sums, errors.Join(ErrArchive, err)
		}
		if h.Name == archiveSums {
			closed = true
			if err := json.Unmarshal(text, &sums); err != nil || sums.SHA256 != hex.EncodeToString(sum.Sum(nil)) {
				return sums, errors.Join(ErrArchive, err)
			}
		}
		fmt.Fprintf(sum, "%s %d\n", h.Name, len(text))
		sum.Write(text)
		if err := f(h.Name, text); err != nil {
			return sums, err
		}
	}
}

// unpack decrypts, where need be, and decompresses.
func unpack(from io.Reader, passphrase protocol.Secret) (io.Reader, error) {
	buffered := bufio.NewReader(from)
	from = buffered
	if magic, err := buffered.Peek(len(ageMagic)); err == nil && string(magic) == ageMagic {
		if passphrase.Empty() {
			return nil, ErrPassphrase
		}
		identity, err := age.NewScryptIdentity(passphrase.Reveal())
		if err != nil {
			return nil, errors.Join(ErrPassphrase, err)
		}
		identity.SetMaxWorkFactor(20) // 1 GiB: more is an attack
		if from, err = age.Decrypt(buffered, identity); err != nil {
			return nil, errors.Join(ErrPassphrase, err)
		}
	}
	unpacked, err := gzip.NewReader(from)
	if err != nil {
		return nil, errors.Join(ErrArchive, err)
	}
	return unpacked, nil
}

// readRows calls put for the rows of one entry.
func readRows(text []byte, put func(table string, columns []string, values []any) error) error {
	var now tableLine
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "{") {
			now = tableLine{}
			if err := json.Unmarshal([]byte(line), &now); err != nil {
				return errors.Join(ErrArchive, err)
			}
			continue
		}
		var raw []json.RawMessage
		if err := json.Unmarshal([]byte(line), &raw); err != nil || now.Table == "" {
			return errors.Join(ErrArchive, err)
		}
		values := make([]any, len(raw))
		for i, r := range raw {
			v, err := readValue(r)
			if err != nil {
				return errors.Join(ErrArchive, err)
			}
			values[i] = v
		}
		if err := put(now.Table, now.Columns, values); err != nil {
			return err
		}
	}
	return nil
}

func readValue(raw json.RawMessage) (any, error) {
	switch {
	case string(raw) == "null":
		return nil, nil
	case raw[0] == '"':
		var text string
		err := json.Unmarshal(raw, &text)
		return text, err
	case raw[0] == '{':
		var b bytesValue
		if err := json.Unmarshal(raw, &b); err != nil {
			return nil, err
		}
		return base64.StdEncoding.DecodeString(b.B)
	}
	return strconv.ParseInt(string(raw), 10, 64)
}
