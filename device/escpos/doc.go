// Package escpos speaks to receipt printers and pole displays in ESC/POS, the
// command set that Epson published and others copied.
//
// It promises:
//
//   - Language turns a device.Document into bytes for one printer profile, and
//     a printer's answers into device.Reply, holding no connection itself;
//   - no byte pair that a printer would take for a real-time command stands in
//     what it sends, text and pictures included, except where one is meant;
//   - characters outside a printer's code pages are spelled in those it has,
//     and only then replaced by a question mark.
//
// Sources: Epson ESC/POS Application Programming Guide (TM printers; command
// names as there), the profiles of escpos-printer-db (CC BY 4.0), spec/devices.md
// sections 2 and 5.
package escpos
