package chain

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
)

// journal is what the practice chain promised and its database may not hold
// yet: ffldb writes to disk every five minutes only, and the mempool never. A
// record is appended and synced before a call is answered; a clean end leaves
// the mempool alone.
//
// The file starts with [journalMagic]. Each record is kind (1 byte), length of
// the payload (4 bytes, big-endian, at most [maxRecord]), payload, and CRC-32C
// of all that (4 bytes, big-endian). A torn record at the end was never
// promised and is cut off.
type journal struct {
	file *os.File
	size int64
	buf  []byte
	made bool // the directory does not surely name the file yet
}

// The kinds of record.
const (
	recordSeed   byte = 'S' // what the purse's keys come from, 32 bytes: first and once
	recordBlock  byte = 'B' // payload: a block, to be submitted again if the database lost it
	recordTx     byte = 'T' // a transaction that the mempool took
	recordGone   byte = 'G' // the id (32 bytes) of one that left the mempool
	recordRival  byte = 'R' // a transaction that competes with one in the mempool
	recordForget byte = 'F' // the id of a rival that is one no longer
)

const (
	journalMagic = "till practice journal 1\n"
	maxRecord    = 4 << 20 // no block is larger
	recordFrame  = 1 + 4 + 4
)

type record struct {
	kind    byte
	payload []byte
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// openJournal opens or makes the journal in dir and returns what it holds.
func openJournal(dir string) (*journal, []record, error) {
	file, err := os.OpenFile(filepath.Join(dir, "journal"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("open practice journal: %w", err)
	}
	data, err := io.ReadAll(file)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("read practice journal: %w", err), file.Close())
	}
	j := &journal{file: file}
	var records []record
	if len(data) < len(journalMagic) && bytes.HasPrefix([]byte(journalMagic), data) {
		j.made, j.buf = true, []byte(journalMagic)
	} else if bytes.HasPrefix(data, []byte(journalMagic)) {
		var good int
		records, good = readRecords(data[len(journalMagic):])
		j.size = int64(len(journalMagic) + good)
	} else {
		return nil, nil, errors.Join(errors.New("read practice journal: the file is something else"), file.Close())
	}
	if j.size < int64(len(data)) {
		if err := file.Truncate(j.size); err != nil {
			return nil, nil, errors.Join(fmt.Errorf("cut practice journal: %w", err), file.Close())
		}
	}
	return j, records, nil
}

// readRecords gives the whole records at the start of data and their length.
func readRecords(data []byte) (records []record, good int) {
	for {
		rest := data[good:]
		if len(rest) < recordFrame {
			return records, good
		}
		size := binary.BigEndian.Uint32(rest[1:])
		if size > maxRecord || len(rest) < recordFrame+int(size) {
			return records, good
		}
		end := 5 + int(size)
		if crc32.Checksum(rest[:end], castagnoli) != binary.BigEndian.Uint32(rest[end:]) {
			return records, good
		}
		records = append(records, record{rest[0], rest[5:end:end]})
		good += recordFrame + int(size)
	}
}

func appendRecord(to []byte, kind byte, payload []byte) []byte {
	start := len(to)
	to = append(to, kind)
	to = binary.BigEndian.AppendUint32(to, uint32(len(payload)))
	to = append(to, payload...)
	return binary.BigEndian.AppendUint32(to, crc32.Checksum(to[start:], castagnoli))
}

// add prepares a record for the next [journal.sync].
func (j *journal) add(kind byte, payload []byte) { j.buf = appendRecord(j.buf, kind, payload) }

// sync makes the records added since the last time durable. After an error they
// are kept for the next try.
func (j *journal) sync() error {
	if len(j.buf) == 0 {
		return nil
	}
	if _, err := j.file.WriteAt(j.buf, j.size); err != nil {
		return fmt.Errorf("write practice journal: %w", err)
	}
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("sync practice journal: %w", err)
	}
	if j.made {
		if err := syncDir(filepath.Dir(j.file.Name())); err != nil {
			return err
		}
		j.made = false
	}
	j.size += int64(len(j.buf))
	j.buf = j.buf[:0]
	return nil
}

// rewrite replaces the journal by the records at one stroke and closes it.
func (j *journal) rewrite(records []record) error {
	data := []byte(journalMagic)
	for _, r := range records {
		data = appendRecord(data, r.kind, r.payload)
	}
	path := j.file.Name()
	next, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("rewrite practice journal: %w", err)
	}
	_, err = next.Write(data)
	if err = errors.Join(err, next.Sync(), next.Close(), j.close()); err == nil {
		err = os.Rename(next.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("rewrite practice journal: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

func (j *journal) close() error { return j.file.Close() }

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err == nil {
		err = errors.Join(dir.Sync(), dir.Close())
	}
	if err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	return nil
}
