// Package boot is the one place that knows every concrete type: it makes a
// server, a terminal and their devices of a configuration, and gives them the
// machine's clock, randomness, files and listeners. Nothing below it reads
// those by itself.
//
// It promises: one process holds a data directory; the terminal of the same
// process calls the embedded server over the same mTLS JSON-RPC as a remote one,
// through an in-memory listener; commands that concern a server work while it
// runs, through a socket in its data directory; practice never opens real data.
package boot
