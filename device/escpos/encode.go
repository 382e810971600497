package escpos

import (
	"fmt"
	"strings"
	"time"

	"till/device"
)

// maxChunk is the longest command sent, in bytes: a second at 9600 baud.
const maxChunk = 1024

// How QR codes and barcodes are drawn (devices.md section 2).
const (
	goodModule = 6 // dots of a QR module
	leastDots  = 4 // of a QR module
	barHeight  = 80
	barDots    = 2 // of a narrow bar
)

// encoder turns parts into chunks of whole commands.
type encoder struct {
	profile profile
	chunks  [][]byte
	page    int // index of the current code page in the profile
	align   device.Align
	style   device.Style
}

func (e *encoder) emit(b ...byte) { e.chunks = append(e.chunks, b) }

// begin puts the printer into a known state.
func (e *encoder) begin() {
	head := append([]byte(nil), initialise...)
	if e.profile.status {
		head = append(head, automatic...)
	}
	if e.profile.kanji {
		head = append(head, singleBytes...)
	}
	e.emit(append(head, esc, 't', e.profile.pages[0].number)...)
}

func (e *encoder) part(part device.Part) error {
	switch p := part.(type) {
	case device.Line:
		e.lines(device.Wrap(e.spell(p.Text), p.Style.Width(e.profile.columns)), p.Align, p.Style)
	case device.Columns:
		p.Left, p.Right = e.spell(p.Left), e.spell(p.Right)
		e.lines(p.Lines(p.Style.Width(e.profile.columns)), device.Left, p.Style)
	case device.Rule:
		e.lines([]string{strings.Repeat("-", e.profile.columns)}, device.Left, device.Style{})
	case device.QR:
		e.qr(p.Content)
	case device.Barcode:
		e.barcode(p.Content)
	case device.Picture:
		return e.picture(p.Image)
	case device.Feed:
		e.feed(p.Lines)
	case device.Cut:
		e.cut(p.Full)
	case device.Pulse:
		return e.pulse(p)
	case device.Beep:
		if e.profile.buzzer && p.Times > 0 {
			e.emit(esc, 'B', byte(min(p.Times, 9)), 2)
		}
	case device.Raw:
		if len(p.Bytes) > maxChunk {
			return fmt.Errorf("encode %d raw bytes: more than %d", len(p.Bytes), maxChunk)
		}
		e.emit(p.Bytes...)
	default:
		return fmt.Errorf("encode document: unknown part %T", part)
	}
	return nil
}

// lines prints text that is spelled and fits.
func (e *encoder) lines(lines []string, align device.Align, style device.Style) {
	for _, line := range lines {
		b := e.look(align, style)
		b = append(e.encode(b, line), lf)
		e.chunks = append(e.chunks, b)
	}
}

// look changes alignment and style to what comes next.
func (e *encoder) look(align device.Align, style device.Style) []byte {
	var b []byte
	if align != e.align {
		b = append(b, esc, 'a', byte(align))
	}
	if style.Bold != e.style.Bold {
		b = append(b, esc, 'E', onOff(style.Bold))
	}
	if style.Underline != e.style.Underline {
		b = append(b, esc, '-', onOff(style.Underline))
	}
	if style.Inverse != e.style.Inverse {
		b = append(b, gs, 'B', onOff(style.Inverse))
	}
	if now := size(style); now != size(e.style) {
		b = append(b, gs, '!', now)
	}
	e.align, e.style = align, style
	return b
}

func onOff(on bool) byte {
	if on {
		return 1
	}
	return 0
}

// size is GS ! n: width in the high half, height in the low, each less one.
func size(s device.Style) byte {
	switch {
	case s.Double:
		return 0x11
	case s.Tall:
		return 0x01
	}
	return 0
}

func (e *encoder) feed(lines int) {
	for ; lines > 0; lines -= 255 {
		e.emit(esc, 'd', byte(min(lines, 255)))
	}
}

// cut feeds the last line past the cutter, or past the tear bar.
func (e *encoder) cut(full bool) {
	switch {
	case !e.profile.cutter:
		e.feed(4)
	case full:
		e.feed(5)
		e.emit(gs, 'V', 0)
	default:
		e.emit(gs, 'V', 'B', 0)
	}
}

// pulse opens the drawer. ESC p waits for its turn and takes exact times in
// units of 2 ms; DLE DC4 acts at once, in steps of 100 ms of both times.
func (e *encoder) pulse(p device.Pulse) error {
	var pin byte
	switch p.Pin {
	case 2:
	case 5:
		pin = 1
	default:
		return fmt.Errorf("open drawer: pin %d: must be 2 or 5", p.Pin)
	}
	const most = 510 * time.Millisecond
	if p.On <= 0 || p.On > most || p.Off < 0 || p.Off > most {
		return fmt.Errorf("open drawer: pulse of %v and %v: must be within %v", p.On, p.Off, most)
	}
	if p.Urgent && e.profile.kicker {
		steps := max((p.On+99*time.Millisecond)/(100*time.Millisecond), 1)
		e.emit(dle, dc4, 1, pin, byte(steps))
		return nil
	}
	on, off := byte(p.On/(2*time.Millisecond)), byte(p.Off/(2*time.Millisecond))
	if on == dle && (off == eot || off == enq || off == dc4) {
		on++ // 2 ms longer is no real-time command
	}
	e.emit(esc, 'p', pin, on, off)
	return nil
}

// barcode is Code 128 in code set B (GS k 73), or the text where it does not fit.
func (e *encoder) barcode(content string) {
	data := strings.ReplaceAll(content, "{", "{{")
	modules := 11*(len(content)+3) + 2
	if !e.profile.barcode || !printable(content) || len(data) > 250 || modules*barDots > e.profile.dots {
		e.lines(device.Wrap(e.spell(content), e.profile.columns), device.Center, device.Style{})
		return
	}
	b := e.look(device.Center, device.Style{})
	b = append(b, gs, 'h', barHeight, gs, 'w', barDots, gs, 'H', 2)
	b = append(b, gs, 'k', 73, byte(len(data)+2), '{', 'B')
	b = append(b, data...)
	e.chunks = append(e.chunks, append(b, lf))
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7E {
			return false
		}
	}
	return s != ""
}
