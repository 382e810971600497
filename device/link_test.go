package device

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/creack/pty"
)

// far is the other end of a link under test.
type far struct {
	io.ReadWriter
	unplug func()
}

// links opens each kind of link with its far end.
var links = map[string]func(t *testing.T) (Link, far){
	"pty": func(t *testing.T) (Link, far) {
		master, slave, err := pty.Open()
		if err != nil {
			t.Skipf("no pseudo-terminals here: %v", err)
		}
		name := slave.Name()
		t.Cleanup(func() { master.Close(); slave.Close() })
		link, err := Address{Serial: &Serial{Path: name, Baud: 9600, Parity: NoParity, Flow: NoFlow}}.Open(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return link, far{master, func() { slave.Close(); master.Close() }}
	},
	"tcp": func(t *testing.T) (Link, far) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		address, err := ParseURL("tcp://"+listener.Addr().String(), 9600)
		if err != nil {
			t.Fatal(err)
		}
		link, err := address.Open(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return link, far{conn, func() { conn.Close() }}
	},
	"pipe": func(t *testing.T) (Link, far) {
		here, there := NewPipe(64)
		return here, far{endless{there}, func() { there.Close() }}
	},
	"own pty": func(t *testing.T) (Link, far) {
		master, path, err := OpenPTY()
		if err != nil {
			t.Skipf("no pseudo-terminals here: %v", err)
		}
		t.Cleanup(func() { master.Close() })
		link, err := openSerial(Serial{Path: path, Baud: 38400, Parity: EvenParity, Flow: RTSCTS})
		if err != nil {
			t.Fatal(err)
		}
		return link, far{endless{master}, func() { master.Close() }}
	},
}

// endless reads and writes a link without a deadline.
type endless struct{ Link }

func (e endless) Read(p []byte) (int, error)  { return e.Link.Read(context.Background(), p) }
func (e endless) Write(p []byte) (int, error) { return e.Link.Write(context.Background(), p) }

func eachLink(t *testing.T, f func(t *testing.T, link Link, end far)) {
	for name, open := range links {
		t.Run(name, func(t *testing.T) {
			link, end := open(t)
			defer link.Close()
			f(t, link, end)
		})
	}
}

func TestBytesPassUnchanged(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	eachLink(t, func(t *testing.T, link Link, end far) {
		go func() {
			if _, err := link.Write(t.Context(), all); err != nil {
				t.Errorf("write: %v", err)
			}
		}()
		got := make([]byte, len(all))
		if _, err := io.ReadFull(end, got); err != nil || !bytes.Equal(got, all) {
			t.Fatalf("the far end got % x, %v", got, err)
		}
		go func() {
			if _, err := end.Write(all); err != nil {
				t.Errorf("write at the far end: %v", err)
			}
		}()
		for n := 0; n < len(all); {
			m, err := link.Read(t.Context(), got[n:])
			if err != nil {
				t.Fatal(err)
			}
			n += m
		}
		if !bytes.Equal(got, all) {
			t.Errorf("the link got % x", got)
		}
	})
}

func TestEveryCallEndsByItsContext(t *testing.T) {
	eachLink(t, func(t *testing.T, link Link, end far) {
		for range 2 { // and the link is as good as before
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			if n, err := link.Read(ctx, make([]byte, 8)); n != 0 || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("read of nothing: %d, %v", n, err)
			}
			cancel()
		}
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := link.Read(cancelled, make([]byte, 8)); !errors.Is(err, context.Canceled) {
			t.Errorf("read after cancelling: %v", err)
		}
		if _, err := end.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if n, err := link.Read(t.Context(), make([]byte, 8)); n != 1 || err != nil {
			t.Errorf("read after deadlines: %d, %v", n, err)
		}
		// The far end reads nothing: sooner or later a write must wait, and
		// tell how much went.
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		lump := make([]byte, 32<<20)
		n, err := link.Write(ctx, lump)
		if !errors.Is(err, context.DeadlineExceeded) || n >= len(lump) {
			t.Errorf("write to nobody: %d of %d, %v", n, len(lump), err)
		}
	})
}

func TestUnpluggedIsToldOnBothSides(t *testing.T) {
	eachLink(t, func(t *testing.T, link Link, end far) {
		end.unplug()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if _, err := link.Read(ctx, make([]byte, 8)); FaultOf(err) != Unplugged {
			t.Errorf("read: %v", err)
		}
		var err error
		for err == nil { // TCP takes a first write
			_, err = link.Write(ctx, []byte("x"))
		}
		if FaultOf(err) != Unplugged {
			t.Errorf("write: %v", err)
		}
	})
}

func TestCloseEndsWhatWaits(t *testing.T) {
	eachLink(t, func(t *testing.T, link Link, _ far) {
		ended := make(chan error)
		go func() {
			_, err := link.Read(context.Background(), make([]byte, 8))
			ended <- err
		}()
		link.Close()
		if err := <-ended; !errors.Is(err, ErrClosed) {
			t.Errorf("read: %v", err)
		}
		if _, err := link.Write(t.Context(), []byte("x")); !errors.Is(err, ErrClosed) {
			t.Errorf("write after close: %v", err)
		}
		if err := link.Close(); err != nil {
			t.Errorf("second close: %v", err)
		}
	})
}

func TestAPortBelongsToOneProgram(t *testing.T) {
	master, path, err := OpenPTY()
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	defer master.Close()
	port := Serial{Path: path, Baud: 9600, Parity: NoParity, Flow: NoFlow}
	first, err := openSerial(port)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openSerial(port); FaultOf(err) != InUse {
		t.Errorf("opened twice: %v", err)
	}
	first.Close()
	second, err := openSerial(port)
	if err != nil {
		t.Fatalf("reopen: %v", err)
	}
	second.Close()
}

func TestAPortIsReopenedByItsName(t *testing.T) {
	name := filepath.Join(t.TempDir(), "by-id")
	for range 2 {
		master, path, err := OpenPTY()
		if err != nil {
			t.Skipf("no pseudo-terminals here: %v", err)
		}
		_ = os.Remove(name)
		if err := os.Symlink(path, name); err != nil {
			t.Fatal(err)
		}
		link, err := openSerial(Serial{Path: name, Baud: 9600})
		if err != nil {
			t.Fatal(err)
		}
		master.Close()
		if _, err := link.Read(t.Context(), make([]byte, 1)); FaultOf(err) != Unplugged {
			t.Errorf("unplugged: %v", err)
		}
		link.Close()
	}
}
