// Package store keeps what must survive a power cut, in SQLite or PostgreSQL
// (house.md §3). It holds no rule: it answers and it remembers.
//
// It promises:
//
//   - [server.Store.Write] returns after the commit is on disk (SQLite:
//     synchronous=FULL in WAL mode; PostgreSQL: its own default).
//   - One statement text serves both databases: $n parameters, TEXT ids made by
//     the caller, BIGINT for money, milliseconds and booleans (0 or 1), BYTEA for
//     bytes, JSON kept as TEXT. Event tables are only appended to.
//   - On SQLite one writer commits for all who wait: each gets a savepoint of its
//     own, so that the failure of one takes nothing from another, and all share
//     one fsync. It takes what has queued and never waits for more.
//   - Migrations go forward only and run in one transaction each.
//
// BUGS: a row that a later version wrote with a column this version does not
// know refuses to open, saying which version is needed; there is no way back
// but a backup.
package store
