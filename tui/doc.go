// Package tui is the terminal program: what a cashier sees and presses, on top
// of package register, which knows what it means, and package widget, which
// knows how it looks.
//
// It promises:
//
//   - Update and View do no I/O: every effect is a command with one deadline,
//     the journal's effects one after another in the order they were asked for;
//   - keys are data ([KeyTable]): the bottom line, the help page, the README's
//     table and `till help keys` all come from the one table, and a key that can
//     do nothing now says why;
//   - a result about money stays until it is acknowledged, with its sound;
//     dialogs that open by themselves take no key until the hand is still;
//   - what a scanner types or a terminal pastes is data, never keys;
//   - every word is in words_*.go, one file a language, and nothing is said by
//     colour alone.
//
// Sources: product.md §3 to §5, screens.md, stories.md for the names of screens
// and actions, devices.md §6 and §8.
//
// BUGS: a paper wallet's key is text in the printer's queue until it is on paper;
// Go gives no way to wipe text.
//
// BUGS: Bubble Tea writes frames on a ticker of 120 a second, so a key's frame
// waits for the next tick, 4 ms on average.
package tui
