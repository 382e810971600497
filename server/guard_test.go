package server_test

import (
	"slices"
	"testing"
	"time"

	"till/protocol"
	"till/server"
)

// begun starts a shop with one terminal that was seen, past the time in which
// the guard says nothing.
func begun(t *testing.T) *till {
	t.Helper()
	s := openShop(t, nil)
	s.start()
	till := s.pair("bar", false)
	till.sync()
	s.pass(20 * time.Second)
	till.sync()
	return till
}

func TestASilentTerminalIsToldOnceAndSoIsItsReturn(t *testing.T) {
	t.Parallel()
	till := begun(t)
	till.pass(2 * time.Minute)
	till.pass(50 * time.Second)
	if said := till.alarms.of(server.AlarmSilent); len(said) != 0 {
		t.Fatalf("told before three minutes: %+v", said)
	}
	for range 8 { // two looks at least, which are told of the clock one by one
		till.pass(30 * time.Second)
	}
	settled(t, "silence is told", func() bool { till.pass(4 * time.Second); return len(till.alarms.of(server.AlarmSilent)) > 0 })
	till.pass(10 * time.Minute)
	till.sync()
	settled(t, "its return is told", func() bool { till.pass(time.Second); till.sync(); return len(till.alarms.of(server.AlarmSilent)) > 1 })
	said := till.alarms.of(server.AlarmSilent)
	if len(said) != 2 || said[0].Ended != 0 || said[1].Ended == 0 || said[0].ID != said[1].ID || said[0].Terminal != "bar" {
		t.Errorf("told as %+v", said)
	}
}

func TestATerminalWhoseEntriesAreNotTakenIsStuck(t *testing.T) {
	t.Parallel()
	till := begun(t)
	bad := till.entry(till.clock(), protocol.EntrySettings, protocol.PersonDid{User: "1"})
	bad.Hash = protocol.NoHash
	send := func() {
		if _, err := till.checkIn(protocol.CheckIn{Journal: []protocol.Entry{bad}}); err == nil {
			t.Fatal("a wrong hash is taken")
		}
	}
	for range 8 {
		send()
		till.pass(time.Minute)
	}
	send()
	settled(t, "it is told", func() bool { till.pass(time.Second); send(); return len(till.alarms.of(server.AlarmStuck)) == 1 })
	if len(till.alarms.of(server.AlarmSilent)) > 0 {
		t.Error("who calls is called silent")
	}
}

func TestNoPriceIsToldAndItsEndTooAfterARestart(t *testing.T) {
	t.Parallel()
	till := begun(t)
	till.rates.set(0)
	settled(t, "it is told", func() bool { till.pass(time.Second); return len(till.alarms.of(server.AlarmRates)) == 1 })
	till.restart()
	till.rates.set(practiceRate)
	settled(t, "the end is told", func() bool { till.pass(time.Second); return len(till.alarms.of(server.AlarmRates)) == 2 })
	if said := till.alarms.of(server.AlarmRates); said[0].ID != said[1].ID || said[1].Ended == 0 {
		t.Errorf("told as %+v", said)
	}
}

func TestACertificateThatWasNotRenewedIsTold(t *testing.T) {
	t.Parallel()
	till := begun(t)
	for range 78 { // of 90 days
		till.pass(24 * time.Hour)
		till.sync()
	}
	settled(t, "it is told", func() bool {
		till.pass(time.Minute)
		till.sync()
		return len(till.alarms.of(server.AlarmCertificate)) == 1
	})
}

func TestAnAlarmThatCannotBeDeliveredIsKeptOverARestart(t *testing.T) {
	t.Parallel()
	till := begun(t)
	till.alarms.refuse(true)
	till.write(protocol.EntryTamper, protocol.Tampered{Sensor: "case"})
	till.pass(time.Minute)
	till.restart()
	if said := till.alarms.of("tamper"); len(said) > 0 {
		t.Fatalf("delivered by whom? %+v", said)
	}
	till.alarms.refuse(false)
	settled(t, "it arrives", func() bool { till.pass(time.Second); return len(till.alarms.of("tamper")) > 0 })
	till.pass(time.Hour)
	all, err := till.Alarms(t.Context(), 0, 100)
	if err != nil || len(till.alarms.of("tamper")) != 1 || !slices.ContainsFunc(all, func(a *server.Alarm) bool { return a.Kind == "tamper" && !a.Lasting }) {
		t.Errorf("%v, delivered %+v, listed %+v", err, till.alarms.of("tamper"), all)
	}
}
