// Package story plays the stories of `till practice --script` (stories.md): a
// practice shop driven through its screens as people would, without knowing
// their layout. The same file is a test, a demonstration and a bug report.
//
// It promises: the whole grammar is parsed and every wrong line is named before
// anything runs; keys travel as the bytes a real terminal of the chosen TERM
// would send, through the program's own decoder; the screen is read back from
// the bytes the program writes, by a terminal emulator; a statement that cannot
// be carried out yet is refused by name.
package story
