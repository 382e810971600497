// Package sim is the devices of a shop counter as the other end of their cable
// sees them: byte-level simulators, written from the makers' manuals, importing
// no driver and sharing no tables with one.
//
// It promises:
//
//   - Printer executes ESC/POS as a receipt printer does: real-time commands
//     when they arrive, even inside a picture, all others in turn and only while
//     nothing stands in the way; what it received is kept over paper end, cover
//     and unplugging, and lost by switching it off;
//   - what it printed can be read as text, seen as a picture, and searched for
//     QR codes;
//   - CardReader keeps the bits of the stripe that is swiped through it, so that
//     half a swipe or a head of the wrong strength leaves its traces;
//   - bytes a real printer would print as rubbish are noted as complaints;
//   - every simulator runs over memory, TCP and a pseudo-terminal, and obeys the
//     lines of `till devices sim` (cli.md).
//
// Sources: Epson ESC/POS Application Programming Guide, Epson DM-D command
// reference, CD5220 command set of the pole displays that copy it, the manuals
// of Honeywell and GM65 scanners, MSR605 Programmer's Manual revision B and
// ISO/IEC 7811-6; spec/devices.md sections 2, 3, 5 and 6.
package sim
