package protocol

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
)

// Request is one JSON-RPC 2.0 call. ID is a string, a number or null; without
// it the call is a notification.
type Request struct {
	JSONRPC string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id,omitempty"`
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params,omitempty"`
}

// Response is one JSON-RPC 2.0 answer: Result or Error.
type Response struct {
	JSONRPC string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *Error          `json:"error,omitempty"`
}

// Call is one call of a request body as a server runs it.
type Call struct {
	Method string
	// Params is one JSON value, an object or an array; "{}" where the request has
	// none. It shares memory with the body.
	Params       json.RawMessage
	Notification bool // nobody reads the result
	Batch        bool // it stands among others: a check-in must not wait

	params *node // Params as read
}

// noParams stands for params that are absent.
var noParams = &node{kind: kindObject, raw: []byte("{}")}

// Decode is [Decode] of the params, whose text is not read a second time.
func (c Call) Decode(v any) error {
	b := binder{strict: true}
	return b.bind(c.params, reflect.ValueOf(v).Elem(), "")
}

// version is the jsonrpc member of every envelope.
const version = "2.0"

var nullID = json.RawMessage("null")

// Serve runs the JSON-RPC calls of a request body, one after the other, and
// gives the answer, nil where there is none (notifications: HTTP 204).
//
// handle's error becomes the answer's error object: an [Error] as it is, a
// [Code] with its own sentence, a [DecodeError] as invalid parameters naming
// the member, and anything else as [CodeInternal] without the cause, so log the
// cause before. What the envelope breaks (terminal.md §2, JSON-RPC 2.0 §4-6)
// never reaches handle; sweep, dispense and querynonce without an id neither,
// since their outcome must be read. No message repeats anything of the body.
//
// An answer above [MaxResponse] cannot leave: the largest results give way to
// an internal error that says so. The results of payouts are small and stay.
//
// body is not kept: the caller may clear it afterwards.
func Serve(ctx context.Context, body []byte, handle func(context.Context, Call) (any, error)) []byte {
	if len(body) > MaxRequest {
		return encodeOne(failed(nil, Errorf(CodeInvalidRequest, "the request is above %d bytes", MaxRequest)))
	}
	root, err := parse(body)
	if err != nil {
		return encodeOne(failed(nil, &Error{Code: CodeParse, Message: err.Error()}))
	}
	if root.kind != kindArray {
		return encodeOne(serveOne(ctx, root, false, handle))
	}
	if len(root.items) == 0 || len(root.items) > MaxBatch {
		return encodeOne(failed(nil, Errorf(CodeInvalidRequest, "a batch has 1 to %d calls", MaxBatch)))
	}
	var answers []*Response
	for _, item := range root.items {
		if answer := serveOne(ctx, item, true, handle); answer != nil {
			answers = append(answers, answer)
		}
	}
	return encodeBatch(answers)
}

// serveOne runs one call; nil is no answer.
func serveOne(ctx context.Context, n *node, batch bool, handle func(context.Context, Call) (any, error)) *Response {
	call, id, bad := envelope(n)
	if bad != nil {
		return failed(id, bad)
	}
	call.Batch = batch
	switch call.Method {
	case CallSweep, CallDispense, CallQueryNonce:
		if call.Notification {
			return failed(nil, Errorf(CodeInvalidRequest, "%s needs an id: its answer must be read", call.Method))
		}
	}
	result, err := handle(ctx, call)
	if call.Notification {
		return nil
	}
	if err != nil {
		return failed(id, asError(err))
	}
	text, err := Encode(result)
	if err != nil {
		return failed(id, &Error{Code: CodeInternal})
	}
	return &Response{JSONRPC: version, ID: id, Result: text}
}

// envelope reads a request object. With an error, id is what the answer bears:
// the request's own where that is readable.
func envelope(n *node) (Call, json.RawMessage, *Error) {
	wrong := func(format string, args ...any) *Error { return Errorf(CodeInvalidRequest, format, args...) }
	if n.kind != kindObject {
		return Call{}, nil, wrong("a request must be an object, not %s", n.kind)
	}
	call := Call{Params: noParams.raw, Notification: true, params: noParams}
	var id json.RawMessage
	var bad *Error
	var spoken bool
	for _, m := range n.members {
		switch m.name {
		case "jsonrpc":
			spoken = m.value.kind == kindString && string(m.value.text()) == version
		case "method":
			if m.value.kind == kindString {
				call.Method = string(m.value.text())
			}
		case "id":
			call.Notification = false
			switch m.value.kind {
			case kindString, kindNumber, kindNull:
				id = m.value.raw
			default:
				bad = wrong("id must be a string, a number or null")
			}
		case "params":
			if m.value.kind != kindObject && m.value.kind != kindArray {
				bad = wrong("params must be an object, not %s", m.value.kind)
			}
			call.Params, call.params = m.value.raw, m.value
		default:
			bad = wrong("a request has the members jsonrpc, id, method and params only")
		}
	}
	switch {
	case bad != nil:
		return call, id, bad
	case !spoken:
		return call, id, wrong(`jsonrpc must be "2.0"`)
	case call.Method == "":
		return call, id, wrong("method must be a name")
	}
	return call, id, nil
}

// asError is the form in which an error leaves.
func asError(err error) *Error {
	var whole *Error
	var code Code
	var decode *DecodeError
	switch {
	case errors.As(err, &whole):
		return whole
	case errors.As(err, &code):
		return &Error{Code: code}
	case errors.As(err, &decode):
		return &Error{Code: CodeInvalidParams, Member: decode.Member, Message: decode.Message}
	}
	return &Error{Code: CodeInternal}
}

func failed(id json.RawMessage, e *Error) *Response {
	if id == nil {
		id = nullID
	}
	return &Response{JSONRPC: version, ID: id, Error: e}
}

// oversized replaces an answer that does not fit. The call was done; it may be
// repeated.
func oversized(r *Response) *Response {
	return failed(r.ID, &Error{Code: CodeInternal, Retry: RetrySameID,
		Message: "the answer is larger than an answer may be; ask for less at once"})
}

func encodeOne(r *Response) []byte {
	if r == nil {
		return nil
	}
	text := appendAnswer(nil, r)
	if len(text) > MaxResponse {
		text = appendAnswer(nil, oversized(r))
	}
	return text
}

func encodeBatch(answers []*Response) []byte {
	if len(answers) == 0 {
		return nil
	}
	for {
		text := []byte{'['}
		for i, r := range answers {
			if i > 0 {
				text = append(text, ',')
			}
			text = appendAnswer(text, r)
		}
		if text = append(text, ']'); len(text) <= MaxResponse {
			return text
		}
		largest := 0
		for i, r := range answers {
			if len(r.Result) > len(answers[largest].Result) {
				largest = i
			}
		}
		if answers[largest].Result == nil { // ids alone fill it
			return appendAnswer(nil, failed(nil, Errorf(CodeInvalidRequest, "the ids are too long")))
		}
		answers[largest] = oversized(answers[largest])
	}
}

// appendAnswer writes an answer. Its id and result are JSON as they stand and are
// not looked at again. An error whose code is not in the table is a fault of the
// program; it leaves as internal rather than not at all.
func appendAnswer(out []byte, r *Response) []byte {
	member, value := `,"result":`, []byte(r.Result)
	if r.Error != nil {
		var err error
		member = `,"error":`
		if value, err = Encode(r.Error); err != nil {
			value, _ = Encode(&Error{Code: CodeInternal})
		}
	}
	out = slices.Grow(out, len(`{"jsonrpc":"2.0","id":`)+len(r.ID)+len(member)+len(value)+len(`}]`))
	out = append(append(out, `{"jsonrpc":"2.0","id":`...), r.ID...)
	return append(append(append(out, member...), value...), '}')
}
