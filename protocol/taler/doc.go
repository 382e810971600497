// Package taler is the e-cash vocabulary: what a customer's wallet, a merchant
// and a mint say to each other, and what they sign.
//
// It holds every rule of the format once, so that the merchant's front door, the
// mint and a wallet cannot read the same bytes in two ways. It promises:
//
//   - Limits before parsing: requests of at most [MaxRequest] bytes, answers of
//     [MaxAnswer], nesting of at most four, 128 members an object.
//   - JSON is canonical when written and strict when read ([Encode], [Decode]): no
//     duplicate, real number, trailing text or lone surrogate; in requests no
//     unknown member. A refusal is an [*Error] that names the parameter.
//   - A contract keeps the members it was received with, so its hash covers what
//     this version does not know ([Contract]).
//   - Nothing is signed but a [Block] of the table of purposes. Verification of
//     Ed25519 is strict: S below the group order, canonical encodings, no public
//     key of small order.
//   - Coins are blind RSA signatures over a full-domain hash ([DenomKey]).
//   - What a mint answers is believed only when it is proven: the key list
//     ([ParseKeys]), confirmations and refusals ([MintClient], [Proof]).
//   - Secrets print as "[secret]" in every verb, in JSON and in logs.
//
// Clock and chance are arguments. The only I/O is that of [MintClient], through
// the HTTP client it is given.
//
// Sources: "The Merchant JSON API", the first public revision of the Taler
// documents (20 November 2014 to 28 January 2015) with its pages on the mint and
// on wire formats; RFC 8032 (Ed25519), RFC 5869 (HKDF), RFC 8259 (JSON), ISO 13616
// (IBAN), ISO 9362 (BIC). Section marks (§1 to §8) in comments are those of the
// project's specification page on the merchant API, which decides where the
// documents are silent.
//
// BUGS: signatures are verified one at a time. A batch needs the curve's
// arithmetic, which the standard library keeps to itself, and the cofactored
// equation, which would accept what [PublicKey.Verify] refuses.
package taler
