// Package vault keeps the one secret a terminal must not lose to a thief: the
// P-256 key of its TLS certificate (devices.md §7).
//
// It promises:
//
//   - A key is made here and never leaves: callers get a crypto.Signer.
//   - On disk it is sealed with XChaCha20-Poly1305. The sealing key comes from a
//     boot secret by Argon2id, so that the disk alone is worth nothing; without a
//     boot secret a random one is kept beside it, which keeps out nobody who has
//     the disk, and [File.Sealed] says so.
//   - Erase overwrites, syncs, unlinks and syncs the folder, then forgets the key
//     in memory. It may be repeated; one that was interrupted is finished when the
//     vault is opened, before anything else.
//
// BUGS: on flash memory an overwritten block may survive in the device's spare
// area; only a TPM, or the boot secret kept elsewhere, protects against who
// takes the chips off. Go's garbage collector may have copied a key before it
// was wiped.
package vault
