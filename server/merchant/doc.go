// Package merchant is the customers' front door (merchant.md §§2–4): public HTTP on a
// listener of its own, never on one mux with the terminals'. It translates and
// limits; every rule is the server's.
//
// It promises:
//
//   - Each request is bounded: head, body (256 KiB, 413), time, and how many one
//     address makes (429 with Retry-After).
//   - Everything is answered in JSON with Cache-Control: no-store; a refusal names the
//     parameter at fault. HEAD is 405.
//   - Nothing it answers or logs holds a secret, a permission or the cause of an
//     internal error.
//   - /openapi.json describes exactly the routes it serves.
//
// Sources: merchant.md §§1–4; OpenAPI 3.1.
package merchant
