// Package widget is the visual vocabulary of the program: strings in, strings
// out. It does no I/O, reads no clock and keeps no state beyond plain structs.
//
// # How a frame is made
//
// Text enters in one place, [Role.Say], which cleans it and measures it. A
// [Span] is a run of clean text with a [Role] (what it means, not how it
// looks); spans make a [Line], lines and the places that can be clicked make a
// [Block], and a [Theme] turns a block into the string for the terminal. No
// widget writes an escape sequence and no colour is named outside palette.go,
// so a widget cannot break a screen and a theme cannot change a layout.
//
//	body := widget.List{…}.Render(frame.Body(area))
//	view := theme.String(frame.Render(area, body))
//
// # What it promises
//
//   - [Frame.Render], [Block.Fit] and [Overlay] return exactly the cells asked
//     for, at any size from 1×1, whatever the text holds.
//   - No control character of the data reaches the terminal: it shows as �.
//     So do bidirectional and other invisible format characters, which could
//     make an amount read differently from what it is.
//   - Every cluster is one that wcwidth and grapheme clustering measure alike,
//     so terminals with and without mode 2027 agree about columns; a cluster
//     they disagree about is reduced to its base character, a joined emoji is
//     taken apart and a flag becomes its two letters.
//   - Nothing is said by colour alone: marks and words carry it, and every
//     theme has a rendition without colour.
//
// Sources: product §3 (screens, keys), devices §8 (the Linux console and QR
// codes), house §4 (the screen stays small), the NO_COLOR convention
// (no-color.org), WCAG 2.2 §1.4.3 for contrast.
//
// BUGS: characters of ambiguous East Asian width (● … ─ █) are taken as one
// cell, as every terminal but a few configured ones does. Scripts whose
// clusters combine several spacing characters (Devanagari conjuncts) lose all
// but the first where the two measures differ. Right-to-left text is laid out
// in logical order and left to the terminal.
package widget
