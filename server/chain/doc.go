// Package chain knows the Bitcoin network and never sees a key of the shop. It
// holds the backends of [server.Chain] (bitcoin.md §4).
//
// [Practice] is a regtest chain inside the process, made of btcd's own packages
// blockchain, mempool and mining: scripts and signatures are judged by real
// consensus code and real relay policy. Beside the shop's view it plays the rest
// of the world: miner, customer and thief, for the control listener and for
// stories. It differs from a network in four ways, each to make practice
// possible: the subsidy does not halve every 150 blocks; the relay floor is 0.1
// sat/vB with dust judged at the usual rate; the miner prefers a double spend
// with a higher fee rate even where the first payment does not signal
// replacement; and block times follow the practice clock.
//
// What a call of Practice answered survives a kill: btcd's database writes to disk
// every five minutes only, so blocks, mempool and rivals go through a journal that
// is synced before the answer. A clean end empties it.
//
// [Node] is a btcd of one's own with --addrindex and --txindex, over its JSON-RPC
// websocket with TLS. Bitcoin Core is not supported: it has neither that
// websocket nor an address index, and none was at hand to prove another way on.
// Conflicts cannot be seen through btcd, which neither holds nor tells of a
// competitor that it refuses; replacements are seen.
//
// A change carries no facts. Whoever hears one asks again, so a lost or doubled
// change does no harm.
package chain
