// Package alert carries the shop's alarms to people: by a signed HTTP POST and
// by e-mail. It keeps nothing; the server calls again until an alarm arrives.
//
// A webhook gets, as JSON,
//
//	{"id":ID,"kind":WORD,"state":"told|begun|over","message":SENTENCE,
//	 "terminal":NAME?,"shop":NAME,"practice":true?,"at":TIME,"ended":TIME?}
//
// and the headers Till-Delivery: ID of this alarm and state, the same at every
// try, and Till-Signature: t=UNIXSECONDS,v1=HEX, where HEX is HMAC-SHA-256 over
// "UNIXSECONDS.BODY" keyed with the bytes of the secret file. Any answer of 200
// to 299 within 10 s is a delivery; everything else is tried again.
package alert
