package boot

import "golang.org/x/crypto/argon2"

// Stretch is Argon2id (RFC 9106) with its memory in KiB. The terminal program
// approves payouts with it and is given it, since it may not derive keys itself.
func Stretch(password, salt []byte, passes, memoryKiB uint32, lanes uint8, size uint32) []byte {
	return argon2.IDKey(password, salt, passes, memoryKiB, lanes, size)
}
