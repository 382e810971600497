package vault

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-tpm/tpm2"
)

const (
	tpmWait     = 30 * time.Second // a chip may take seconds for a key
	maxResponse = 4096
	headerSize  = 10 // tag 2, size 4, code 4 (part 1, section 18)
)

// startup is TPM2_Startup(CLEAR), which a software TPM waits for; the kernel
// sends it to a chip.
var startup = []byte{0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x44, 0, 0}

// tpmConn is an open TPM.
type tpmConn interface {
	io.ReadWriteCloser
	SetDeadline(time.Time) error
}

// channel carries one command at a time to a TPM; after an error it is opened
// anew. It is go-tpm's transport. A software TPM's socket serves one client at a
// time and is let go after each command, so that another may ask.
type channel struct {
	dial  func() (tpmConn, error)
	share bool
	conn  tpmConn
}

// Send runs one command.
func (c *channel) Send(command []byte) ([]byte, error) {
	answer, err := c.exchange(command)
	if err == nil && binary.BigEndian.Uint32(answer[6:]) == uint32(tpm2.TPMRCInitialize) {
		if _, err = c.exchange(startup); err == nil {
			answer, err = c.exchange(command)
		}
	}
	return answer, err
}

func (c *channel) exchange(command []byte) ([]byte, error) {
	if c.conn == nil {
		conn, err := c.dial()
		if err != nil {
			return nil, fmt.Errorf("open TPM: %w", err)
		}
		c.conn = conn
	}
	conn := c.conn
	timer := time.AfterFunc(tpmWait, func() {
		if conn.SetDeadline(time.Unix(1, 0)) != nil {
			_ = conn.Close() // a file without deadlines
		}
	})
	answer, err := roundTrip(conn, command)
	timer.Stop()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("speak to TPM: %w", err), c.Close())
	}
	if c.share {
		_ = c.Close() // the answer is here
	}
	return answer, nil
}

// roundTrip writes a command and reads its answer, as long as its header says.
func roundTrip(conn io.ReadWriter, command []byte) ([]byte, error) {
	if _, err := conn.Write(command); err != nil {
		return nil, err
	}
	answer := make([]byte, 0, maxResponse)
	for want := headerSize; len(answer) < want; {
		n, err := conn.Read(answer[len(answer):cap(answer)])
		answer = answer[:len(answer)+n]
		if err != nil && len(answer) < want {
			return nil, err
		}
		if len(answer) >= headerSize {
			want = int(binary.BigEndian.Uint32(answer[2:]))
			if want < len(answer) || want > maxResponse {
				return nil, fmt.Errorf("an answer of %d bytes says that it has %d", len(answer), want)
			}
		}
	}
	return answer, nil
}

// Close closes the connection; the next command opens it again.
func (c *channel) Close() error {
	if c.conn == nil {
		return nil
	}
	err := c.conn.Close()
	c.conn = nil
	return err
}

// parseTPM reads tpm:…, see [Open].
func parseTPM(url string) (c *channel, handle tpm2.TPMHandle, err error) {
	refuse := func(why string) (*channel, tpm2.TPMHandle, error) {
		return nil, 0, fmt.Errorf("vault URL %q: %s", url, why)
	}
	where, query, asked := strings.Cut(strings.TrimPrefix(url, "tpm:"), "?")
	handle = defaultHandle
	if asked {
		value, ok := strings.CutPrefix(query, "handle=0x")
		n, err := strconv.ParseUint(value, 16, 32)
		if !ok || err != nil || n < 0x81000000 || n > 0x817FFFFF {
			return refuse("only handle=0x81000000 to 0x817FFFFF may follow")
		}
		handle = tpm2.TPMHandle(n)
	}
	switch socket, unix := strings.CutPrefix(where, "unix:"); {
	case unix && plain(socket):
		return &channel{dial: dialTPM("unix", socket), share: true}, handle, nil
	case plain(where):
		return &channel{dial: func() (tpmConn, error) { return openDevice(where) }}, handle, nil
	}
	address, tcp := strings.CutPrefix(where, "tcp://")
	host, port, err := net.SplitHostPort(address)
	if n, e := strconv.ParseUint(port, 10, 16); !tcp || err != nil || e != nil || n == 0 || host == "" {
		return refuse("write tpm:/dev/tpmrm0, tpm:unix:/PATH or tpm:tcp://HOST:PORT")
	}
	return &channel{dial: dialTPM("tcp", address), share: true}, handle, nil
}

func dialTPM(network, address string) func() (tpmConn, error) {
	return func() (tpmConn, error) { return net.DialTimeout(network, address, tpmWait) }
}

// openDevice opens a character device and nothing else: what is sent to it would
// overwrite a file.
func openDevice(path string) (tpmConn, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode()&os.ModeCharDevice == 0 {
		return nil, fmt.Errorf("%s is no device", path)
	}
	return os.OpenFile(path, os.O_RDWR, 0)
}

// plain tells whether s is an absolute path without detours.
func plain(s string) bool {
	return path.IsAbs(s) && path.Clean(s) == s && s != "/" && !strings.ContainsRune(s, 0)
}
