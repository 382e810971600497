package boot

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

func TestBothEndsOfALineMayWriteBeforeEitherReads(t *testing.T) {
	l := NewLine()
	defer func() { _ = l.Close() }()
	accepted := make(chan net.Conn, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			t.Error(err)
		}
		accepted <- c
	}()
	near, err := l.Dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	far := <-accepted
	flight := bytes.Repeat([]byte("tls"), 1000)
	for _, end := range []net.Conn{near, far} {
		if err := end.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := end.Write(flight); err != nil {
			t.Fatalf("nobody reads yet: %v", err)
		}
	}
	for _, end := range []net.Conn{near, far} {
		got := make([]byte, len(flight))
		if _, err := io.ReadFull(end, got); err != nil || !bytes.Equal(got, flight) {
			t.Errorf("read %d bytes, %v", len(got), err)
		}
	}
	l.Cut(true)
	if _, err := far.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("behind a cut the far end reads %v", err)
	}
	if _, err := l.Dial(context.Background(), "", ""); !errors.Is(err, errCut) {
		t.Errorf("a cut line is dialled: %v", err)
	}
}
