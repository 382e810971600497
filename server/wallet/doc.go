// Package wallet derives the merchant's addresses and builds and signs
// transactions. It never sees the network and keeps no count: indexes, coins,
// fees and heights are arguments, and a transaction is a result.
//
// # Two kinds of wallet
//
// A watch-only wallet ([Watch]) comes from a descriptor or an extended public key
// and receives. A hot wallet comes from BIP39 words ([Seal]) and also pays out.
// What it keeps on disk is a [Sealed] file: the seed under a passphrase, and in
// clear the public descriptor, so that a machine that starts without anybody
// there goes on receiving ([Sealed.Watch]) until the passphrase is given
// ([Sealed.Open]).
//
// # What a signed transaction has passed
//
// Every transaction is checked before it is returned: btcd's sanity rules, its
// script engine with the rules of relay on every input, its policy for standard
// transactions, the fee against the caller's ceiling, and the sums. All inputs
// signal replacement (BIP125), the lock time is the tip, inputs and outputs stand
// in the order of BIP69, so that building twice from the same arguments gives the
// same transaction but for signatures.
//
// # Secrets
//
// The account's private key lives in one page of memory that is locked and left
// out of core dumps where the system permits it. Keys derived from it, and foreign
// keys of a sweep, live for one call and are wiped. Nothing here logs.
//
// BUGS: derived keys and the seed pass through the Go heap while a call runs; what
// the runtime copied, and the strings that go-bip39 and WIF parsing make, cannot
// be wiped.
package wallet
