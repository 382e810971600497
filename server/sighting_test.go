package server

import (
	"testing"

	"till/protocol"
)

func TestFateOfAPayout(t *testing.T) {
	t.Parallel()
	tip := Tip{Height: 100}
	at := func(txid string, height int64) Payment { return Payment{Script: "to", TxID: txid, Height: height} }
	rival := func(by string, height int64) Payment {
		return Payment{Script: "in", TxID: "coin", Vout: 1, Height: 50, Spent: by, SpentHeight: height}
	}
	for name, c := range map[string]struct {
		state    protocol.PayoutState
		payments []Payment
		want     protocol.PayoutState
		txid     string
		depth    int64
	}{
		"signed and not seen":          {protocol.PayoutSigned, nil, protocol.PayoutSigned, "", 0},
		"signed and in the mempool":    {protocol.PayoutSigned, []Payment{at("new", 0)}, protocol.PayoutBroadcast, "new", 0},
		"signed and mined":             {protocol.PayoutSigned, []Payment{at("new", 100)}, protocol.PayoutBroadcast, "new", 1},
		"broadcast and mined":          {protocol.PayoutBroadcast, []Payment{at("new", 99)}, protocol.PayoutConfirmed, "new", 2},
		"the old one mined":            {protocol.PayoutBroadcast, []Payment{at("old", 99)}, protocol.PayoutConfirmed, "old", 2},
		"broadcast and gone":           {protocol.PayoutBroadcast, nil, protocol.PayoutUnknown, "", 0},
		"reorganised away":             {protocol.PayoutConfirmed, nil, protocol.PayoutBroadcast, "", 0},
		"unknown and found":            {protocol.PayoutUnknown, []Payment{at("new", 0)}, protocol.PayoutBroadcast, "new", 0},
		"unknown and contested":        {protocol.PayoutUnknown, []Payment{rival("thief", 0)}, protocol.PayoutUnknown, "", 0},
		"unknown and nearly lost":      {protocol.PayoutUnknown, []Payment{rival("thief", 96)}, protocol.PayoutUnknown, "", 0},
		"unknown and lost":             {protocol.PayoutUnknown, []Payment{rival("thief", 95)}, protocol.PayoutRefused, "", 0},
		"spent by ourselves":           {protocol.PayoutUnknown, []Payment{rival("old", 90)}, protocol.PayoutUnknown, "", 0},
		"money to it from another":     {protocol.PayoutUnknown, []Payment{at("stranger", 90)}, protocol.PayoutUnknown, "", 0},
		"refused and nothing may move": {protocol.PayoutRefused, nil, protocol.PayoutRefused, "", 0},
	} {
		p := &Payout{TxID: "new", Earlier: []Attempt{{TxID: "old"}}, Script: "to", Spends: []Outpoint{{"coin", 1}}}
		s := sight(p, c.payments, tip)
		if got := s.next(c.state); got != c.want || s.txid != c.txid || s.depth != c.depth {
			t.Errorf("%s: %s %q %d, want %s %q %d", name, got, s.txid, s.depth, c.want, c.txid, c.depth)
		}
		if c.state != c.want && !c.state.CanBecome(c.want) {
			t.Errorf("%s: the table has no step from %s to %s", name, c.state, c.want)
		}
	}
}
