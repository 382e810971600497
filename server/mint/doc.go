// Package mint is the practice mint (merchant.md §6): it sells blind-signed coins
// for the balance of reserves, and takes them back from merchants.
//
// It promises:
//
//   - Every 200 is durable before it is sent.
//   - A coin is never worth more than its face: deposits and live locks together do
//     not exceed it, however many requests come at once.
//   - At most one deposit for a coin, merchant and transaction. The identical request
//     gets the identical answer; any other gets 403 with what proves it.
//   - The master key, the signing keys and the denominations' keys lie sealed in the
//     database. Keys are made at the first start and renewed before they end.
//   - The clock is an argument, so that a practice shop can move it.
//
// It speaks HTTP only through the handler it gives; whoever serves it owns the
// listener. It holds practice money: see the BUGS of taler.DenomSecret.
//
// BUGS: there is no refresh, so change is not given: a coin is spent in parts.
package mint
