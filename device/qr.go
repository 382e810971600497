package device

import (
	"errors"
	"fmt"
	"strings"

	qrcode "github.com/skip2/go-qrcode"
)

// QuietZone is the light border, in modules, that a QR code must have on every
// side (ISO/IEC 18004, section 5.3.8). QRCode.Modules does not contain it.
const QuietZone = 4

// maxQRContent is the capacity of version 40 at level L for digits; anything
// longer cannot be a QR code and is refused before work is done.
const maxQRContent = 7089

// ErrQRTooLong says that no QR code holds the content.
var ErrQRTooLong = errors.New("too long for a QR code")

// QRCode is a QR code as modules; printers and screens draw it.
type QRCode struct {
	Content string
	// Version is 1 to 40; the code is 17+4·Version modules wide.
	Version int
	// Level is the error correction, "L" or "M".
	Level string
	// Modules are rows from the top, true is dark, without the quiet zone.
	Modules [][]bool
}

// Size is the number of modules on a side, without the quiet zone.
func (q QRCode) Size() int { return len(q.Modules) }

// Dark tells whether the module at column x, row y is dark. Outside the code,
// in the quiet zone and beyond, all is light.
func (q QRCode) Dark(x, y int) bool {
	return y >= 0 && y < len(q.Modules) && x >= 0 && x < len(q.Modules[y]) && q.Modules[y][x]
}

// EncodeQR makes the smallest QR code for content, with the higher of the error
// correction levels L and M that does not make it larger (devices.md section 8).
// Upper-case content packs tighter: see CompactURI.
func EncodeQR(content string) (QRCode, error) {
	if content == "" {
		return QRCode{}, errors.New("encode QR: nothing to encode")
	}
	if len(content) > maxQRContent {
		return QRCode{}, fmt.Errorf("encode QR of %d bytes: %w", len(content), ErrQRTooLong)
	}
	code, err := qrcode.New(content, qrcode.Low)
	if err != nil {
		return shortest(content, 40)
	}
	if small, err := shortest(content, code.VersionNumber-1); err == nil {
		return small, nil
	}
	level := "L"
	if medium, err := qrcode.New(content, qrcode.Medium); err == nil && medium.VersionNumber == code.VersionNumber {
		code, level = medium, "M"
	}
	code.DisableBorder = true
	return QRCode{Content: content, Version: code.VersionNumber, Level: level, Modules: code.Bitmap()}, nil
}

// shortest encodes content in the shortest segments that there are, in a version up
// to most. go-qrcode joins neighbours one by one and so finds none in the capitals and
// digits of an e-cash bill, whose code then is larger than a small screen.
func shortest(content string, most int) (QRCode, error) {
	for version := 1; version <= most; version++ {
		segments, bits := qrSegments(content, version), 0
		for _, s := range segments {
			bits += s.bits(version)
		}
		if bits > qrLow.capacity(version) {
			continue
		}
		level := &qrLow
		if bits <= qrMedium.capacity(version) {
			level = &qrMedium
		}
		var text qrBits
		for _, s := range segments {
			text.write(s, version)
		}
		return QRCode{Content: content, Version: version, Level: level.name, Modules: drawQR(level.codewords(text, version), version, level)}, nil
	}
	return QRCode{}, fmt.Errorf("encode QR of %d bytes: %w", len(content), ErrQRTooLong)
}

// CompactURI upper-cases those parts of a payment URI whose case carries no
// meaning, the scheme and a bech32 address or invoice, so that they take QR's
// alphanumeric mode. The query keeps its case: old wallets know only "amount"
// (devices.md section 8). Other text is returned as it is.
func CompactURI(uri string) string {
	scheme, rest, found := strings.Cut(uri, ":")
	if !found || !strings.EqualFold(scheme, "bitcoin") && !strings.EqualFold(scheme, "lightning") {
		return uri
	}
	body, query, asked := strings.Cut(rest, "?")
	if bech32(body) {
		body = strings.ToUpper(body)
	}
	if asked {
		query = "?" + query
	}
	return strings.ToUpper(scheme) + ":" + body + query
}

// bech32 tells whether text in one case is a segregated address or an invoice,
// by its prefix; base58 addresses never start so and must keep their case.
func bech32(text string) bool {
	if text != strings.ToLower(text) {
		return false
	}
	for _, prefix := range []string{"bc1", "tb1", "bcrt1", "ln"} {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	return false
}
