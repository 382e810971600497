// Package story plays the stories of `till practice --script` (stories.md): a
// practice shop driven through its screens as people would, without knowing
// their layout. The same file is a test, a demonstration and a bug report.
//
// It promises: the whole grammar is parsed and every wrong line is named before
// anything runs; keys travel as the bytes a real terminal of the chosen TERM
// would send, no faster than a hand, through the program's own decoder; the
// screen is read back from the bytes the program writes, by a terminal
// emulator, and no frame is missed; a QR code counts only where a phone could
// read it; a statement that cannot be carried out in a shop is refused by name.
//
// The program and what is around it are whoever implements [Shop]'s parts.
// Times are those of the machine: the practice clock runs as fast and is only
// pushed forward.
package story
