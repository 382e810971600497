package device

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestADeviceThatIsNotThereIsAskedForLessAndLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var opened []time.Duration
		began := time.Now()
		s := NewSupervisor(func(context.Context) (Link, error) {
			opened = append(opened, time.Since(began))
			return nil, os.ErrNotExist
		}, nil, func(Status) {})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		s.Run(ctx)
		for i := 2; i < len(opened); i++ {
			if last, now := opened[i-1]-opened[i-2], opened[i]-opened[i-1]; now < last || now > maxPause {
				t.Errorf("pauses of %v and then %v", last, now)
			}
		}
		if len(opened) < 10 || len(opened) > 20 {
			t.Errorf("opened %d times in 20 s", len(opened))
		}
		if got := s.Status(); got != (Status{State: Absent, Fault: NotFound}) {
			t.Errorf("status %+v", got)
		}
	})
}

func TestADeviceThatComesBackIsReadyWithinTwoSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var there atomic.Bool
		var statuses []Status
		var far Link
		s := NewSupervisor(func(context.Context) (Link, error) {
			if !there.Load() {
				return nil, os.ErrNotExist
			}
			here, end := NewPipe(8)
			far = end
			return here, nil
		}, func(ctx context.Context, link Link, report func(Status)) error {
			report(Status{State: Ready})
			return drained(ctx, link)
		}, func(s Status) { statuses = append(statuses, s) })
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { s.Run(ctx) })
		time.Sleep(time.Minute)
		there.Store(true)
		time.Sleep(maxPause)
		synctest.Wait()
		if s.Status().State != Ready {
			t.Errorf("status %+v", s.Status())
		}
		far.Close()
		synctest.Wait()
		if s.Status() != (Status{State: Absent, Fault: Unplugged}) {
			t.Errorf("unplugged: %+v", s.Status())
		}
		time.Sleep(minPause)
		synctest.Wait()
		if s.Status().State != Ready || len(statuses) != 4 {
			t.Errorf("told %+v", statuses)
		}
		cancel()
		running.Wait()
		if len(statuses) != 4 {
			t.Errorf("the end of the program is told as news: %+v", statuses)
		}
	})
}

func TestReopenDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opened := 0
		s := NewSupervisor(func(context.Context) (Link, error) {
			opened++
			here, _ := NewPipe(8)
			return here, nil
		}, func(ctx context.Context, link Link, report func(Status)) error {
			report(Status{State: Ready})
			return drained(ctx, link)
		}, func(Status) {})
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { s.Run(ctx) })
		synctest.Wait()
		s.Reopen()
		time.Sleep(minPause)
		synctest.Wait()
		if opened != 2 || s.Status().State != Ready {
			t.Errorf("opened %d times, %+v", opened, s.Status())
		}
		cancel()
		running.Wait()
	})
}

func TestStatusOfAnError(t *testing.T) {
	for _, c := range []struct {
		err   error
		state State
		fault Fault
	}{
		{os.ErrNotExist, Absent, NotFound},
		{os.ErrPermission, Faulted, NotPermitted},
		{ErrInUse, Faulted, InUse},
		{ErrUnplugged, Absent, Unplugged},
		{ErrMute, Faulted, NoAnswer},
		{errLost, Faulted, NoAnswer},
		{context.DeadlineExceeded, Faulted, NoAnswer},
		{errors.New("no route to host"), Absent, Unreachable},
	} {
		if got := statusOf(c.err); got.State != c.state || got.Fault != c.fault {
			t.Errorf("%v is %+v, want %v %s", c.err, got, c.state, c.fault)
		}
	}
}
