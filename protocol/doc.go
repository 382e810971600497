// Package protocol is what a point-of-sale terminal and its server say to each
// other: the nouns of a shop (money, quotes, sales, payouts, the journal, the
// alerts), their states, and the JSON-RPC messages that carry them.
//
// It promises:
//
//   - Standard library only, no I/O but the typed [Client], no clock, no chance.
//   - Money is an integer with its unit in the type; conversion is checked and
//     uses 128 bits.
//   - What is decoded is canonical or refused: [Decode] knows no unknown member,
//     no duplicate, no real number, and names the path of what it refuses.
//   - What is hashed or signed is canonical JSON (RFC 8785, see [Canonical]).
//   - States move only as their tables say ([SaleState], [PayoutState]); each
//     table prints itself as a Mermaid diagram.
//
// The messages descend from the Casascius Bitcoin POS system/Protocol draft
// (Bitcoin Wiki, 1 October 2011): checkin, getaddress, queryaddress, sweep,
// dispense, and querynonce, added on 23 October 2011 for lost answers.
package protocol
