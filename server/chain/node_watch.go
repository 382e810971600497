package chain

import (
	"slices"

	"github.com/btcsuite/btcd/btcjson"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/rpcclient"
	"github.com/btcsuite/btcd/wire/v2"

	"till/server"
)

// interest knows for which outputs a spend concerns a watched script: outputs
// that pay it, and all that the unconfirmed payments to it and their unconfirmed
// ancestors spend, since a competitor there makes the payment vanish.
type interest struct {
	points  map[wire.OutPoint][]server.Script
	scripts map[server.Script][]wire.OutPoint
}

func newInterest() interest {
	return interest{map[wire.OutPoint][]server.Script{}, map[server.Script][]wire.OutPoint{}}
}

// set replaces what concerns a script.
func (x interest) set(s server.Script, points []wire.OutPoint) {
	for _, point := range x.scripts[s] {
		x.points[point] = slices.DeleteFunc(x.points[point], func(o server.Script) bool { return o == s })
		if len(x.points[point]) == 0 {
			delete(x.points, point)
		}
	}
	delete(x.scripts, s)
	x.add(s, points)
}

// add lets more points concern a script.
func (x interest) add(s server.Script, points []wire.OutPoint) {
	for _, point := range points {
		if !slices.Contains(x.points[point], s) {
			x.points[point] = append(x.points[point], s)
			x.scripts[s] = append(x.scripts[s], point)
		}
	}
}

// pointsOf lists the outputs whose spend concerns a script.
func pointsOf(found []server.Payment, graphs map[string]*standing, s server.Script) (points []wire.OutPoint) {
	for _, pay := range found {
		if pay.Script != s || pay.SpentHeight > 0 {
			continue
		}
		if id, err := chainhash.NewHashFromStr(pay.TxID); err == nil {
			points = append(points, wire.OutPoint{Hash: *id, Index: pay.Vout})
		}
		if graph := graphs[pay.TxID]; graph != nil {
			points = append(points, graph.inputs...)
		}
	}
	return points
}

// notifications turns what btcd tells into changes. They run one at a time on
// the connection's reader and never wait.
func (n *Node) notifications() *rpcclient.NotificationHandlers {
	moved := server.Change{TipMoved: true}
	return &rpcclient.NotificationHandlers{
		OnFilteredBlockConnected:    func(int32, *wire.BlockHeader, []*btcutil.Tx) { n.hub.publish(moved) },
		OnFilteredBlockDisconnected: func(int32, *wire.BlockHeader) { n.hub.publish(moved) },
		OnTxAcceptedVerbose: func(shown *btcjson.TxRawResult) {
			seen, err := located{Hex: shown.Hex}.parse()
			if err != nil {
				n.hub.publish(anything) // something happened that cannot be read
				return
			}
			if scripts := n.accepted(seen.tx.MsgTx()); len(scripts) > 0 {
				n.hub.publish(server.Change{Scripts: scripts})
			}
		},
	}
}

// accepted lists the watched scripts that a new mempool transaction concerns.
func (n *Node) accepted(tx *wire.MsgTx) (scripts []server.Script) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var inputs []wire.OutPoint
	for _, in := range tx.TxIn {
		inputs = append(inputs, in.PreviousOutPoint)
		scripts = append(scripts, n.near.points[in.PreviousOutPoint]...)
	}
	for _, out := range tx.TxOut {
		if s := server.Script(out.PkScript); n.watched[s] {
			scripts = append(scripts, s)
			n.near.add(s, inputs)
		}
	}
	slices.Sort(scripts)
	return slices.Compact(scripts)
}
