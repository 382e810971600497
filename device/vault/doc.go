// Package vault keeps the one secret a terminal must not lose to a thief: the
// P-256 key of its TLS certificate (devices.md section 7).
//
// It promises:
//
//   - A key is made here and never leaves: callers get a crypto.Signer.
//   - In a TPM 2.0 the key is an ECC child of the storage root (fixedTPM,
//     fixedParent, noDA, ECDSA with SHA-256 only) at a persistent handle; its
//     wrapped form is wiped and stored nowhere.
//   - On disk it is sealed with XChaCha20-Poly1305. The sealing key comes from a
//     boot secret by Argon2id, so that the disk alone is worth nothing; without a
//     boot secret a random one is kept beside it, which keeps out nobody who has
//     the disk, and Sealed says so.
//   - Erase makes the key useless, here and to every signer handed out. It may be
//     repeated; one that was interrupted is finished when the vault is opened,
//     before anything else. An opened case erases and is remembered for the
//     journal ([Guard], [Tampered]).
//
// What survives an erase:
//
//   - File: on flash memory an overwritten block may stay in the device's spare
//     area. The boot secret kept elsewhere protects against who takes the chips
//     off; without one nothing does.
//   - TPM: evicting destroys the only copy of the key, unless somebody recorded
//     the bus between processor and TPM when it was made: that recording can be
//     loaded again, in this TPM only, until it is cleared. [TPM.Provision] gives
//     till the right to clear it, and Erase then does, which destroys everything
//     else that hangs on the TPM's owner, a sealed disk key too. Hence it is never
//     done unasked.
//   - Certificates: the key is gone, but the server still honours the name until
//     the terminal is revoked.
//
// BUGS: Go's garbage collector may have copied a file's key before it was wiped,
// and crypto/ecdsa keeps its own form of it for a while. Without a boot secret
// whoever may open the TPM may sign with the key: keep /dev/tpmrm0 to till's
// user.
package vault
