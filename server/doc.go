// Package server is the merchant's server: what is owed, what is paid, what may
// leave. All rules live here; its front doors (server/rpc, server/merchant)
// translate and authenticate.
//
// It promises:
//
//   - One fact, one transaction. A batch of journal entries, what it changes and
//     the alerts it causes are stored together; so are the facts of the chain
//     about one sale with the alerts they cause.
//   - Unknown is not failed. A chain that does not answer moves nothing.
//   - Level, not edge: the present facts are asked for again after each change,
//     each entry and each moment that matters, and compared with the stored
//     ones. A lost event costs time, never truth; a restart is only a long gap.
//   - An idle check-in writes nothing.
//
// Sources: terminal.md (the protocol), bitcoin.md §3 and §5 (acceptance,
// rates), house.md §3 (how money moves).
package server
