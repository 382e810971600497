package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"till/protocol"
)

// Alarm is what the owner should know wherever he is.
type Alarm struct {
	ID       protocol.ID
	Kind     string // a word: tamper, journal_fork, replaced, approvals, payout, ecash, or of a lasting one
	Message  string // a sentence
	Terminal string // its name, "" the shop
	At       protocol.Time
	Lasting  bool          // it goes on until Ended
	Ended    protocol.Time // 0 not yet
}

// Kinds of lasting alarms. Each is told once, and so is its end.
const (
	AlarmSilent      = "terminal_silent"
	AlarmStuck       = "terminal_stuck"
	AlarmCertificate = "certificate"
	AlarmReserve     = "reserve_low"
	AlarmRates       = "rate_stale"
	AlarmNode        = "node_behind"
)

// AlarmTest is the kind of a trial.
const AlarmTest = "test"

// Letter is an alarm, or its end, that a courier has not handed over yet.
type Letter struct {
	ID      protocol.ID
	Courier string
	Alarm   protocol.ID
	Ending  bool
	Written protocol.Time
	Due     protocol.Time // of the next try
	Tries   int64
}

// AlarmRows keeps alarms.
type AlarmRows interface {
	Insert(a *Alarm) error
	Get(id protocol.ID) (*Alarm, error)
	End(id protocol.ID, at protocol.Time) error // ErrChanged when it is over
	Lasting() ([]*Alarm, error)                 // that go on
	List(since protocol.Time, most int) ([]*Alarm, error)
}

// LetterRows keeps what is still to be handed over.
type LetterRows interface {
	Add(l *Letter) error
	Due(courier string, now protocol.Time, most int) ([]*Letter, error)
	Next(courier string) (protocol.Time, error) // 0 none
	Later(id protocol.ID, due protocol.Time) error
	Done(id protocol.ID) error
}

// Courier carries alarms out of the shop.
type Courier interface {
	// Name is a word that stays the same: letters are kept under it.
	Name() string
	// Deliver hands an alarm over; one that has Ended is over. nil: it arrived.
	// It may be called again with the same alarm.
	Deliver(ctx context.Context, a Alarm) error
}

// alarm tells the owner of something that happened.
func (w *work) alarm(kind, terminal, format string, args ...any) {
	w.alarms = append(w.alarms, Alarm{Kind: kind, Terminal: terminal, Message: fmt.Sprintf(format, args...), At: w.now})
}

// storeAlarms keeps what was raised, and a letter for each courier.
func (w *work) storeAlarms() error {
	for i := range w.alarms {
		a := &w.alarms[i]
		if a.Ended == 0 {
			id, err := protocol.NewID(w.now.Time(), w.s.o.Random)
			if err != nil {
				return fmt.Errorf("name alarm: %w", err)
			}
			a.ID = id
			if err := w.Alarms.Insert(a); err != nil {
				return fmt.Errorf("store alarm: %w", err)
			}
		} else if err := w.Alarms.End(a.ID, a.Ended); err != nil {
			return fmt.Errorf("end alarm: %w", err)
		}
		for _, c := range w.s.o.Couriers {
			id, err := protocol.NewID(w.now.Time(), w.s.o.Random)
			if err != nil {
				return fmt.Errorf("name letter: %w", err)
			}
			l := &Letter{ID: id, Courier: c.Name(), Alarm: a.ID, Ending: a.Ended != 0, Written: w.now, Due: w.now}
			if err := w.Letters.Add(l); err != nil {
				return fmt.Errorf("store letter: %w", err)
			}
		}
	}
	return nil
}

// Alarms gives the newest alarms since a moment.
func (s *Server) Alarms(ctx context.Context, since protocol.Time, most int) (list []*Alarm, err error) {
	err = s.o.Store.Read(ctx, func(tx *Tx) error {
		list, err = tx.Alarms.List(since, most)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list alarms: %w", err)
	}
	return list, nil
}

// Delivery is what became of a trial by one courier.
type Delivery struct {
	Courier string
	Fault   error // nil: it arrived
}

// TestCouriers hands a trial to every courier now and tells how it went.
func (s *Server) TestCouriers(ctx context.Context) ([]Delivery, error) {
	id, err := protocol.NewID(s.o.Clock().Time(), s.o.Random)
	if err != nil {
		return nil, fmt.Errorf("name alarm: %w", err)
	}
	a := Alarm{ID: id, Kind: AlarmTest, Message: "this is a test: alerts of the shop arrive here", At: s.o.Clock()}
	deliveries := []Delivery{}
	for _, c := range s.o.Couriers {
		try, cancel := context.WithTimeout(ctx, letterDeadline)
		deliveries = append(deliveries, Delivery{c.Name(), c.Deliver(try, a)})
		cancel()
	}
	return deliveries, nil
}

// Pauses between tries of a letter, doubling, and when it is given up.
const (
	letterSoon     = 2 * time.Second
	letterLate     = 10 * time.Minute
	letterDeadline = 20 * time.Second
	letterLife     = 7 * 24 * time.Hour
	letterPass     = 20
)

// runCourier hands over what waits for one courier until ctx ends: what an
// earlier run left included.
func (s *Server) runCourier(ctx context.Context, c Courier, post <-chan struct{}) {
	for {
		next, err := s.handOver(ctx, c)
		if err != nil && ctx.Err() == nil {
			s.o.Log.ErrorContext(ctx, "letters not worked off", "courier", c.Name(), "error", err)
			next = s.o.Clock().Add(letterLate)
		}
		if !s.sleep(ctx, next, post) {
			return
		}
	}
}

// handOver tries the letters that are due, oldest first, and stops at the first
// that does not arrive: where one cannot go the others cannot either. It gives
// the moment of the next try.
func (s *Server) handOver(ctx context.Context, c Courier) (protocol.Time, error) {
	var due []*Letter
	err := s.o.Store.Read(ctx, func(tx *Tx) (err error) {
		due, err = tx.Letters.Due(c.Name(), s.o.Clock(), letterPass)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("list letters: %w", err)
	}
	for _, l := range due {
		arrived, err := s.deliver(ctx, c, l)
		if err != nil {
			return 0, err
		}
		if !arrived {
			break
		}
	}
	var next protocol.Time
	err = s.o.Store.Read(ctx, func(tx *Tx) (err error) {
		next, err = tx.Letters.Next(c.Name())
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("look for letters: %w", err)
	}
	if next != 0 {
		next = max(next, s.o.Clock().Add(letterSoon/2))
	}
	return next, nil
}

func (s *Server) deliver(ctx context.Context, c Courier, l *Letter) (arrived bool, err error) {
	var a *Alarm
	err = s.o.Store.Read(ctx, func(tx *Tx) (err error) {
		a, err = tx.Alarms.Get(l.Alarm)
		return err
	})
	if err != nil && !errors.Is(err, ErrNotFound) {
		return false, fmt.Errorf("read alarm: %w", err)
	}
	if err == nil {
		told := *a
		if !l.Ending {
			told.Ended = 0
		}
		try, cancel := context.WithTimeout(ctx, letterDeadline)
		fault := c.Deliver(try, told)
		cancel()
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if fault != nil && s.o.Clock().Sub(l.Written) < letterLife {
			s.o.Log.WarnContext(ctx, "alarm not delivered yet", "courier", c.Name(), "kind", a.Kind, "tries", l.Tries+1, "error", fault)
			err = s.write(ctx, func(w *work) error {
				return w.Letters.Later(l.ID, w.now.Add(min(letterSoon<<min(l.Tries, 10), letterLate)))
			})
			if err != nil {
				return false, fmt.Errorf("keep letter: %w", err)
			}
			return false, nil
		}
		if fault != nil {
			s.o.Log.ErrorContext(ctx, "alarm given up", "courier", c.Name(), "kind", a.Kind, "message", a.Message, "error", fault)
		}
	}
	if err := s.write(ctx, func(w *work) error { return w.Letters.Done(l.ID) }); err != nil {
		return false, fmt.Errorf("drop letter: %w", err)
	}
	return true, nil
}
