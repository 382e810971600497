// Package rpc is the terminals' front door: HTTPS with TLS 1.3 and client
// certificates, JSON-RPC 2.0 on POST /rpc, pairing and renewal beside it
// (terminal.md §2). It translates and authenticates; it holds no rule of money.
//
// It promises:
//
//   - Who speaks is looked up on every request, so that revocation holds on open
//     connections; a foreign certificate does not get past the handshake.
//   - Limits stand before parsing: 256 KiB of body, 16 calls, 32 levels.
//   - A sweep or dispense that has begun goes on when its caller has left.
//   - What a request carried never reaches a log: no body, no parameter, no value
//     of a panic, no argument of a stack. An internal error shows a reference; its
//     cause stands in the log under it.
//   - Buffers that held a body are wiped. Copies inside the standard library's TLS
//     and HTTP readers are beyond reach; they are small and used again at once.
package rpc
