// Package msr605 drives the magnetic stripe reader/writers MSR605, MSR606 and
// MSR206 over a serial line of 9600 8N1 (devices.md section 3). The MSR605X is a
// HID device and none of these.
//
// It promises:
//
//   - what a stripe cannot hold is refused before a byte is sent;
//   - the coercivity is set before every write and erase, since readers differ
//     in what they begin with;
//   - answers are taken apart by position, so that no content of a card can
//     pass for a frame;
//   - every wait ends: at the caller's context, after 30 seconds without a
//     swipe, or after a second without the next byte; the reader is then reset
//     and asked whether it lives;
//   - nothing of a card is in an error, a log or a status.
//
// Sources: MSR605 Programmer's Manual, revision B (2009), sections 6 to 9;
// MSR206 Programmer's Manual, revision C.1 (2003), section 6; ISO/IEC 7811-6 for
// the tracks; testdata/magstripe.json, which is the project's
// vectors/magstripe.json.
package msr605
