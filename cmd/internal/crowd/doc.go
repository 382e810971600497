// Package crowd is many simulated terminals in one process, for measuring a
// server and for trying it under faults. Each has its own key, certificate,
// connection and hash-chained journal, and keeps to the protocol (terminal.md):
// its calls are those of any terminal, only its goods and customers are made up.
//
// It promises:
//
//   - What a terminal was told is checked as it comes: alerts without gaps or
//     repeats, a journal that stands where it was said to stand. What breaks the
//     protocol is counted apart from what a retry heals.
//   - A journal is in memory until the server has it: [Terminal.Head] says what the
//     server must hold in the end.
package crowd
