// Package bitcoin turns text into meaning and back, offline: what a customer
// hands over at the counter (addresses, payment URIs, private keys in every form
// they have been printed in since 2011) and what an owner configures (extended
// keys, descriptors). It asks nobody and remembers nothing.
//
// # Promises
//
// Every parser has a length limit that it checks first, accepts canonical text
// only, and knows the [Network] it runs on: an address or key of another network
// is refused with [ErrWrongNetwork] and a sentence that names the other network.
// Whatever a parser accepts, its String method gives back in the one canonical
// form.
//
// Private keys are values of type [Key], which print [secret] with every verb, in
// JSON, in text and in slog; so do extended keys and descriptors that hold a
// private key. Copies share their memory: wiping one wipes all. Secret text that
// must leave the program, such as a WIF, is a [protocol.Secret].
//
// # Sources
//
//	mini keys            Bitcoin Wiki, "Mini private key format"; 22, 26, 30 characters
//	WIF                  Bitcoin Wiki, "Wallet import format"
//	encrypted keys       BIP38, plain and EC-multiplied
//	addresses            base58check; BIP173 (bech32), BIP350 (bech32m)
//	payment URIs         BIP21, BIP321
//	extended keys        BIP32, SLIP-132
//	address forms        BIP44, BIP49, BIP84, BIP86
//	descriptors          BIP380, 381, 382, 386, 389
//	keys on a card       the project's device specification, section 4
//
// BUGS: base58 arithmetic runs on math/big, whose memory cannot be wiped, and
// texts arrive as strings. Wiping shortens the life of a secret, it does not end
// it.
package bitcoin
