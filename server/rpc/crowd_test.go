package rpc_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"till/protocol"
	"till/server"
)

const crowd = 24 // terminals at once

// each runs f for all terminals at once.
func each(all []*till, f func(i int, c *till)) {
	var wait sync.WaitGroup
	for i, c := range all {
		wait.Go(func() { f(i, c) })
	}
	wait.Wait()
}

func (s *shop) enrollMany(n int) []*till {
	s.t.Helper()
	all := make([]*till, n)
	for i := range all {
		all[i] = s.enroll(fmt.Sprint("kasse", i))
	}
	return all
}

func TestManyTerminalsAtOnceEachKeepTheirOwn(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	all := s.enrollMany(crowd)
	each(all, func(_ int, c *till) {
		for range 3 {
			c.sold()
			c.stands(c.sends(c.journal...), int64(len(c.journal)))
			c.lease(len(c.journal), nil, nil)
			c.http1().checkIn(greeting())
		}
	})
	owners := map[string]protocol.TerminalID{}
	for _, c := range all {
		for _, a := range c.leased() {
			if owner, taken := owners[a.Text]; taken {
				t.Errorf("%s is leased to %s and to %s", a.Text, owner, c.id)
			}
			owners[a.Text] = c.id
		}
	}
	if len(owners) != 6*crowd {
		t.Errorf("%d addresses leased, want 6 each", len(owners))
	}
	sales, err := s.core.Sales(t.Context(), server.SaleFilter{Most: 1000})
	if must(t, err); len(sales) != 3*crowd {
		t.Errorf("%d sales, want 3 each", len(sales))
	}
}

func TestAStopEndsEveryWaitWithin5Seconds(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	all := s.enrollMany(crowd)
	first, second := make([]<-chan answer, crowd), make([]<-chan answer, crowd)
	each(all, func(i int, c *till) {
		if i%2 == 1 {
			c = c.http1()
			all[i] = c
		}
		first[i] = c.waiting()
		second[i] = c.waiting()
		c.soon(first[i]).want(http.StatusOK)
	})
	stopped := make(chan struct{})
	go func() { s.stop(); close(stopped) }()
	each(all, func(i int, c *till) {
		var r protocol.CheckInResult
		if c.soon(second[i]).rpc().into(&r); r.Log == "" {
			t.Errorf("%s: got %+v, want a whole answer", c.name, r)
		}
	})
	select {
	case <-stopped:
	case <-time.After(5 * time.Second):
		t.Error("the server did not stop within 5 s")
	}
}
