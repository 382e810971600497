package main

import (
	"time"

	"till/protocol"
)

// moment reads a day or a moment of this machine's time zone, or one with its
// own; "" is 0.
func (p *program) moment(text string) (protocol.Time, error) {
	if text == "" {
		return 0, nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02 15:04"} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return protocol.TimeOf(t), nil
		}
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return protocol.TimeOf(t), nil
	}
	return 0, usage("2026-11-22, 2026-11-22T15:04 or 2026-11-22T14:04:00Z", "%q is neither a day nor a moment", text)
}
