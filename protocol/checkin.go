package protocol

import (
	"strconv"
	"unicode/utf8"
)

// Encode is [Encode] of the result, written member by member: it is what a server
// writes most. quotes is the text of Quotes where the caller has it, else nil.
func (r *CheckInResult) Encode(quotes []byte) (Encoded, error) {
	at, err := r.Time.MarshalJSON()
	if err != nil {
		return nil, err
	}
	parts := struct{ alerts, none, left, config []byte }{alerts: []byte("[]")}
	if len(r.Alerts) > 0 {
		if parts.alerts, err = Encode(r.Alerts); err != nil {
			return nil, err
		}
	}
	if quotes == nil {
		if quotes, err = Encode(r.Quotes); err != nil {
			return nil, err
		}
	}
	if r.NoQuote != nil {
		if parts.none, err = Encode(r.NoQuote); err != nil {
			return nil, err
		}
	}
	if r.PayoutLeft != nil {
		if parts.left, err = Encode(r.PayoutLeft); err != nil {
			return nil, err
		}
	}
	if r.Config != nil {
		if parts.config, err = Encode(r.Config); err != nil {
			return nil, err
		}
	}
	b := make([]byte, 0, 320+len(parts.alerts)+len(quotes)+len(parts.none)+len(parts.config))
	b = append(append(b, `{"time":`...), at...)
	if b, err = appendText(append(b, `,"log":`...), string(r.Log)); err != nil {
		return nil, err
	}
	b = strconv.AppendInt(append(b, `,"journal":`...), r.Journal, 10)
	b = append(append(b, `,"alerts":`...), parts.alerts...)
	b = strconv.AppendBool(append(b, `,"more":`...), r.More)
	b = append(append(b, `,"quotes":`...), quotes...)
	if parts.none != nil {
		b = append(append(b, `,"no_quote":`...), parts.none...)
	}
	if parts.left != nil {
		b = append(append(b, `,"payout_left":`...), parts.left...)
	}
	b = strconv.AppendInt(append(b, `,"poll":`...), r.Poll, 10)
	if b, err = appendText(append(b, `,"entropy":`...), r.Entropy); err != nil {
		return nil, err
	}
	if parts.config != nil {
		b = append(append(b, `,"config":`...), parts.config...)
	}
	return append(b, '}'), nil
}

// appendText appends a string; one of plain ASCII stands as it is.
func appendText(b []byte, text string) ([]byte, error) {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			quoted, err := Encode(text)
			return append(b, quoted...), err
		}
	}
	return append(append(append(b, '"'), text...), '"'), nil
}
