package terminal

import (
	"crypto/tls"
	"sync"
)

// sessions keeps the last TLS session, so that coming back costs no signatures. A
// session speaks for the certificate it began with: it is forgotten with it.
type sessions struct {
	mu   sync.Mutex
	last *tls.ClientSessionState
}

func newSessions() *sessions { return &sessions{} }

// Get implements [tls.ClientSessionCache]; a terminal calls one server.
func (s *sessions) Get(string) (*tls.ClientSessionState, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last, s.last != nil
}

// Put implements [tls.ClientSessionCache]; nil is a session that was refused.
func (s *sessions) Put(_ string, session *tls.ClientSessionState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = session
}

func (s *sessions) forget() { s.Put("", nil) }
