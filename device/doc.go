// Package device is what stands on a shop counter: receipt printers and the
// drawer behind them, customer displays, scanners, card readers, and the byte
// links they hang on. It knows no money and no sale.
//
// It promises:
//
//   - every call that touches a device ends by its context: a stalled, garbled
//     or unplugged device never holds a caller (devices.md section 1);
//   - a device is in one of three plain states, absent, ready or faulted, and a
//     fault is a word for programs with a sentence for people (fault.go);
//   - a receipt is said to be printed when the printer says so, never because
//     bytes were written, and a receipt that may have come out twice says COPY
//     (devices.md section 2, printer.go);
//   - what a scanner sends is data within limits and never a key stroke
//     (devices.md section 6, scanner.go).
//
// The root holds the vocabulary; device/escpos speaks to printers and displays,
// device/sim answers like them. Links on Linux are a non-blocking os.File with
// termios set through golang.org/x/sys/unix, because a serial port must have
// write deadlines and must fail after unplug; other systems use go.bug.st/serial.
//
// Sources: the makers' manuals named beside each table, spec/devices.md.
package device
