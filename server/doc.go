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
//   - One way out for money. A payout is approved, held against the limits, given
//     its inputs and signed in the transaction that accepts it; the outbox
//     broadcasts it until the chain has it, and only the chain says that it failed.
//   - A customer's e-cash is stored before its mint is asked, and what is stored is
//     the queue: it is asked about until an answer is proven. A mint that does not
//     answer holds up its own deposits and nothing else.
//
// Sources: terminal.md (the protocol), bitcoin.md §2, §3 and §5 (acceptance,
// rates), merchant.md §§2–5 and 7 (e-cash), house.md §3 (how money moves).
//
// BUGS: a refund does not settle the debt it pays back: [Server.SettleDebt] does.
// A payment that a restarted node has forgotten counts as replaced. A journal
// entry whose kind holds a NUL character cannot be stored in PostgreSQL.
package server
