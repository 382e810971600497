// Package terminal is the terminal's half of the protocol: its journal, the
// addresses it may show, the prices it may quote, the alerts it was told, and
// the loop that exchanges them with the server (terminal.md).
//
// It promises:
//
//   - Everything the cashier did is on disk before [Terminal.Commit] returns,
//     chained to what was before, together with what follows from it: the sale as
//     [Terminal.Sale] shows it, the address it used, the draft it came from.
//   - No network stands between the caller and an answer: addresses, prices and
//     configuration are held on disk and go on working offline. Only the methods
//     that say so call the server.
//   - What came from the server is on disk before the next check-in acknowledges
//     it. Every exchange may be lost, cut or repeated: nothing is lost or doubled.
//   - A payout is journaled before it is asked for, and one whose answer was lost
//     is asked about until the outcome is certain. Unknown is not failed.
//   - The private key stays in the [Vault]; the server's CA was checked against
//     the pairing link before anything was sent.
//
// One [Terminal] has one database file and one writer. Its methods are safe for
// concurrent use; [Terminal.Run] is the one goroutine it has, and the caller's.
package terminal
