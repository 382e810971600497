package protocol

import (
	"encoding/json"
	"fmt"
)

// Code is the word of an error that crosses the wire (terminal.md §10). It is
// an error itself, so that errors.Is(err, CodeNoFunds) asks for it.
type Code string

// Error makes a Code usable with errors.Is.
func (c Code) Error() string { return string(c) }

// The application errors.
const (
	CodeIDConflict          Code = "id_conflict"
	CodeIDPoisoned          Code = "id_poisoned"
	CodeStaleRequest        Code = "stale_request"
	CodeQuoteExpired        Code = "quote_expired"
	CodeQuoteUnknown        Code = "quote_unknown"
	CodeAmountMismatch      Code = "amount_mismatch"
	CodeAddressUnknown      Code = "address_unknown"
	CodeAddressInvalid      Code = "address_invalid"
	CodeWrongNetwork        Code = "wrong_network"
	CodeKeyInvalid          Code = "key_invalid"
	CodeRefundUnknown       Code = "refund_unknown"
	CodeNoFunds             Code = "no_funds"
	CodeBelowDust           Code = "below_dust"
	CodeFeeTooHigh          Code = "fee_too_high"
	CodeLimitExceeded       Code = "limit_exceeded"
	CodeAuthcodeWrong       Code = "authcode_wrong"
	CodeAuthcodeUsed        Code = "authcode_used"
	CodeAuthcodeLocked      Code = "authcode_locked"
	CodeNoHotWallet         Code = "no_hot_wallet"
	CodeInsufficientReserve Code = "insufficient_reserve"
	CodeChainUnavailable    Code = "chain_unavailable"
	CodeChainUnsupported    Code = "chain_unsupported"
	CodeJournalFork         Code = "journal_fork"
	CodeJournalGap          Code = "journal_gap"
	CodeTerminalSuspended   Code = "terminal_suspended"
	CodeTooManyRequests     Code = "too_many_requests"
	CodeInternal            Code = "internal"
)

// The standard's errors have no word on the wire; these stand for them inside.
const (
	CodeParse          Code = "parse_error"      // −32700
	CodeInvalidRequest Code = "invalid_request"  // −32600
	CodeNoMethod       Code = "method_not_found" // −32601
	CodeInvalidParams  Code = "invalid_params"   // −32602
)

// Retry tells a caller what may be tried after an error.
type Retry string

const (
	// RetryNever: the same call will be refused again.
	RetryNever Retry = "never"
	// RetryLater: the same call may succeed later, with a new id where it has one.
	RetryLater Retry = "later"
	// RetrySameID: the outcome is unknown; ask or call again with the same id.
	RetrySameID Retry = "same_id"
)

// applicationError is the JSON-RPC number of every error with a word.
const applicationError = -32000

// codes is the one table from word to JSON-RPC number, HTTP status (where an
// error leaves before JSON-RPC), retry and sentence.
var codes = map[Code]struct {
	rpc     int
	http    int
	retry   Retry
	message string
}{
	CodeParse:               {-32700, 400, RetryNever, "the text is not one JSON value"},
	CodeInvalidRequest:      {-32600, 400, RetryNever, "the request is not JSON-RPC 2.0"},
	CodeNoMethod:            {-32601, 404, RetryNever, "there is no such method"},
	CodeInvalidParams:       {-32602, 400, RetryNever, "the parameters are not understood"},
	CodeIDConflict:          {applicationError, 409, RetryNever, "this id belongs to another payout"},
	CodeIDPoisoned:          {applicationError, 409, RetryNever, "this id was asked about before it was used and is void"},
	CodeStaleRequest:        {applicationError, 400, RetryLater, "the clock of the terminal differs from the server's by more than 3 minutes"},
	CodeQuoteExpired:        {applicationError, 409, RetryLater, "the price has lapsed; take the new one"},
	CodeQuoteUnknown:        {applicationError, 409, RetryLater, "this price was not given by this server"},
	CodeAmountMismatch:      {applicationError, 409, RetryNever, "the amount is not what the price gives"},
	CodeAddressUnknown:      {applicationError, 404, RetryNever, "the address is not leased to this terminal"},
	CodeAddressInvalid:      {applicationError, 400, RetryNever, "this is not a Bitcoin address"},
	CodeWrongNetwork:        {applicationError, 400, RetryNever, "this belongs to another Bitcoin network"},
	CodeKeyInvalid:          {applicationError, 400, RetryNever, "this is not a private key"},
	CodeRefundUnknown:       {applicationError, 404, RetryLater, "the refund is not in the journal yet"},
	CodeNoFunds:             {applicationError, 409, RetryLater, "there is nothing to take"},
	CodeBelowDust:           {applicationError, 409, RetryLater, "what is left after the fee is too small to send"},
	CodeFeeTooHigh:          {applicationError, 409, RetryLater, "the network fee is above the shop's ceiling"},
	CodeLimitExceeded:       {applicationError, 403, RetryNever, "this is above the limit"},
	CodeAuthcodeWrong:       {applicationError, 403, RetryNever, "the approval is wrong"},
	CodeAuthcodeUsed:        {applicationError, 403, RetryNever, "the approval code was used before; wait for the next"},
	CodeAuthcodeLocked:      {applicationError, 403, RetryLater, "too many wrong approvals; this person is locked for 15 minutes"},
	CodeNoHotWallet:         {applicationError, 409, RetryNever, "this shop has no wallet that can pay out"},
	CodeInsufficientReserve: {applicationError, 409, RetryLater, "the wallet does not hold enough"},
	CodeChainUnavailable:    {applicationError, 503, RetryLater, "the Bitcoin node does not answer"},
	CodeChainUnsupported:    {applicationError, 501, RetryNever, "the Bitcoin node cannot answer this"},
	CodeJournalFork:         {applicationError, 409, RetryNever, "the journal contradicts what was stored; the terminal is suspended"},
	CodeJournalGap:          {applicationError, 409, RetryLater, "journal entries are missing; send from the last one stored"},
	CodeTerminalSuspended:   {applicationError, 403, RetryLater, "this terminal is suspended"},
	CodeTooManyRequests:     {applicationError, 429, RetryLater, "too many requests; wait a little"},
	CodeInternal:            {applicationError, 500, RetryLater, "the server could not do this"},
}

// Message is the code's sentence for the cashier in English.
func (c Code) Message() string { return codes[c].message }

// HTTP is the status under which the code leaves where there is no JSON-RPC.
func (c Code) HTTP() int { return codes[c].http }

// RPC is the JSON-RPC error number.
func (c Code) RPC() int { return codes[c].rpc }

// Error is an error as it crosses the wire. A server returns it from a call, a
// client gets it back: errors.Is finds the [Code], errors.As the details.
type Error struct {
	Code    Code
	Message string // a sentence for the cashier; the code's own when empty
	Retry   Retry  // the code's own when empty
	Ref     ID     // CodeInternal: where the cause stands in the server's log
	Member  string // CodeInvalidParams: the path of the parameter
	Time    Time   // CodeStaleRequest: the server's clock
	Journal *int64 // CodeJournalFork, CodeJournalGap: the last good entry
	Hash    Hash   // CodeJournalFork: its hash
}

// Errorf makes an Error with a sentence of its own.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

func (e *Error) Error() string {
	switch {
	case e.Member != "":
		return e.Member + ": " + e.Message
	case e.Message == "":
		return e.Code.Message()
	}
	return e.Message
}

// Is makes errors.Is(err, code) true for the error's own code.
func (e *Error) Is(target error) bool { return target == e.Code }

// errorData is the data member of a JSON-RPC error.
type errorData struct {
	Reason  Code   `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
	Retry   Retry  `json:"retry,omitempty"`
	Ref     ID     `json:"ref,omitempty"`
	Member  string `json:"member,omitempty"`
	Time    Time   `json:"time,omitzero"`
	Journal *int64 `json:"journal,omitempty"`
	Hash    Hash   `json:"hash,omitempty"`
}

// MarshalJSON writes the error object of JSON-RPC 2.0:
// {"code":-32000,"message":SENTENCE,"data":{"reason":WORD,"message":SENTENCE,"retry":…}}.
func (e *Error) MarshalJSON() ([]byte, error) {
	row, known := codes[e.Code]
	if !known {
		return nil, fmt.Errorf("encode error: code %q is not in the table", e.Code)
	}
	data := errorData{Ref: e.Ref, Member: e.Member, Time: e.Time, Journal: e.Journal, Hash: e.Hash}
	message := e.Message
	if message == "" {
		message = row.message
	}
	if row.rpc == applicationError {
		data.Reason, data.Message, data.Retry = e.Code, message, e.Retry
		if data.Retry == "" {
			data.Retry = row.retry
		}
	}
	object := struct {
		Code    int        `json:"code"`
		Message string     `json:"message"`
		Data    *errorData `json:"data,omitempty"`
	}{row.rpc, message, &data}
	if data == (errorData{}) {
		object.Data = nil
	}
	return json.Marshal(object)
}

// UnmarshalJSON reads an error object; an unknown word or number becomes
// [CodeInternal] with the sentence that came.
func (e *Error) UnmarshalJSON(raw []byte) error {
	var object struct {
		Code    int             `json:"code"`
		Message string          `json:"message"`
		Data    json.RawMessage `json:"data"`
	}
	if err := DecodeResult(raw, &object); err != nil {
		return fmt.Errorf("read error object: %w", err)
	}
	var data errorData
	if len(object.Data) > 0 {
		// Foreign data of another shape tells nothing; the sentence stands.
		if err := DecodeResult(object.Data, &data); err != nil {
			data = errorData{}
		}
	}
	*e = Error{Code: CodeInternal, Message: object.Message, Retry: data.Retry, Ref: data.Ref,
		Member: data.Member, Time: data.Time, Journal: data.Journal, Hash: data.Hash}
	if data.Message != "" {
		e.Message = data.Message
	}
	for code, row := range codes {
		if row.rpc == object.Code && (row.rpc != applicationError || code == data.Reason) {
			e.Code = code
		}
	}
	return nil
}
