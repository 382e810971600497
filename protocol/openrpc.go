package protocol

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// OpenRPC is the document that describes the protocol to machines (OpenRPC 1.3,
// spec.open-rpc.org), made from the Go types: GET /openrpc.json and the result of
// rpc.discover. The caller must not change it.
func OpenRPC() (json.RawMessage, error) { return serviceDocument() }

var serviceDocument = sync.OnceValues(func() (json.RawMessage, error) {
	text, err := Encode(openRPC())
	if err != nil {
		return nil, fmt.Errorf("describe protocol: %w", err)
	}
	return text, nil
})

// described is one method of the document.
type described struct {
	name    string
	summary string
	params  any
	result  []any // one of these
	errors  []Code
}

// everyCall can end in these.
var everyCall = []Code{CodeTooManyRequests, CodeInternal}

var methods = []described{
	{CallCheckIn, "Exchange the two logs: the terminal's journal goes up, the server's alerts come down.",
		CheckIn{}, []any{CheckInResult{}}, []Code{CodeJournalFork, CodeJournalGap}},
	{CallGetAddress, "List all unused addresses leased to this terminal, filled up to want.",
		GetAddress{}, []any{GetAddressResult{}}, nil},
	{CallQueryAddress, "Ask what addresses hold, and what a sweep of them would cost.",
		QueryAddress{}, []any{QueryAddressResult{}}, []Code{CodeAddressInvalid, CodeWrongNetwork, CodeChainUnavailable, CodeChainUnsupported}},
	{CallSweep, "Take what private keys hold; the rest goes to a change address.",
		Sweep{}, []any{SweepResult{}}, []Code{CodeIDConflict, CodeIDPoisoned, CodeStaleRequest, CodeKeyInvalid, CodeWrongNetwork, CodeAddressInvalid,
			CodeAmountMismatch, CodeNoFunds, CodeBelowDust, CodeFeeTooHigh, CodeChainUnavailable, CodeChainUnsupported}},
	{CallDispense, "Pay out from the hot wallet: coins sold, or a refund.",
		Dispense{}, []any{DispenseResult{}}, []Code{CodeIDConflict, CodeIDPoisoned, CodeStaleRequest, CodeAddressInvalid, CodeWrongNetwork,
			CodeQuoteUnknown, CodeQuoteExpired, CodeAmountMismatch, CodeRefundUnknown, CodeAuthcodeWrong, CodeAuthcodeUsed, CodeAuthcodeLocked,
			CodeLimitExceeded, CodeNoHotWallet, CodeInsufficientReserve, CodeBelowDust, CodeFeeTooHigh, CodeChainUnavailable}},
	{CallQueryNonce, "Ask for the outcome of a sweep or dispense; an id that was never used is void from then on.",
		QueryNonce{}, []any{SweepResult{}, DispenseResult{}, neverUsed{}}, []Code{CodeIDConflict}},
}

// neverUsed is querynonce's answer for an id it has never seen.
type neverUsed struct {
	ID    PayoutID   `json:"id"`
	State neverState `json:"state"`
}

type neverState string

// object is a JSON object of the document.
type object = map[string]any

func openRPC() object {
	b := schemas{done: object{}}
	var list []any
	for _, m := range methods {
		list = append(list, b.method(m))
	}
	list = append(list, object{
		"name": CallDiscover, "summary": "This document.", "params": []any{},
		"result": object{"name": "document", "schema": object{"$ref": "https://raw.githubusercontent.com/open-rpc/meta-schema/master/schema.json"}},
	})
	failures := object{}
	for code, row := range codes {
		if row.rpc != applicationError {
			continue
		}
		failures[string(code)] = object{"code": row.rpc, "message": row.message,
			"data": object{"reason": code, "message": row.message, "retry": row.retry}}
	}
	return object{
		"openrpc": "1.3.2",
		"info": object{
			"title":   "Till terminal protocol",
			"version": "1.0.0",
			"description": "JSON-RPC 2.0 over HTTPS with client certificates, POST /rpc. Parameters are by name; unknown members, duplicates and numbers that are not integers are refused. " +
				"Terminals ignore unknown members of results. Pairing and renewal are plain HTTP: POST /enroll, POST /renew, GET /catalogue.",
		},
		"methods":    list,
		"components": object{"schemas": b.done, "errors": failures},
	}
}

func (b *schemas) method(m described) object {
	b.strict = true
	t := reflect.TypeOf(m.params)
	shape := shapeOf(t)
	var params []any
	for _, name := range shape.names {
		field := shape.fields[name]
		params = append(params, object{"name": name, "required": slices.Contains(shape.required, name),
			"schema": b.member(t.FieldByIndex(field.index), field.bounds)})
	}
	b.strict = false
	results := make([]any, len(m.result))
	for i, r := range m.result {
		results[i] = b.of(reflect.TypeOf(r))
	}
	schema := results[0]
	if len(results) > 1 {
		schema = object{"anyOf": results}
	}
	failures := []any{}
	for _, code := range slices.Concat(m.errors, everyCall) {
		failures = append(failures, object{"$ref": "#/components/errors/" + string(code)})
	}
	return object{"name": m.name, "summary": m.summary, "paramStructure": "by-name", "params": params,
		"result": object{"name": m.name + "_result", "schema": schema}, "errors": failures}
}

// schemas collects JSON Schemas (draft 7) of Go types under their names.
type schemas struct {
	done   object
	strict bool // what is being described comes from a terminal: nothing else may stand in it
}

// of gives the schema of a type, a reference where it has a name of ours.
func (b *schemas) of(t reflect.Type) any {
	if t.Kind() == reflect.Pointer {
		return b.of(t.Elem())
	}
	if t == rawType {
		return object{}
	}
	name := t.Name()
	if t.PkgPath() == "" || t.Kind() == reflect.Slice {
		return b.plain(t)
	}
	name = strings.ToUpper(name[:1]) + name[1:]
	if _, made := b.done[name]; !made {
		b.done[name] = object{} // a type that holds itself ends here
		b.done[name] = b.named(t)
	}
	return object{"$ref": "#/components/schemas/" + name}
}

func (b *schemas) named(t reflect.Type) any {
	if s, known := scalars[t]; known {
		return s
	}
	switch t {
	case reflect.TypeFor[Alert]():
		return b.alert()
	case reflect.TypeFor[Entry]():
		return b.entry(t)
	}
	return b.plain(t)
}

func (b *schemas) plain(t reflect.Type) any {
	switch t.Kind() {
	case reflect.Struct:
		return b.structure(t)
	case reflect.Slice:
		return object{"type": "array", "items": b.of(t.Elem())}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	}
	return object{"type": "integer"}
}

// structure lists as required what a terminal must send, or what a server always
// sends.
func (b *schemas) structure(t reflect.Type) object {
	shape := shapeOf(t)
	properties := object{}
	required := slices.Clone(shape.required)
	for _, name := range shape.names {
		member := t.FieldByIndex(shape.fields[name].index)
		properties[name] = b.member(member, shape.fields[name].bounds)
		if !b.strict && !strings.Contains(member.Tag.Get("json"), ",omit") && !slices.Contains(required, name) {
			required = append(required, name)
		}
	}
	s := object{"type": "object", "properties": properties}
	if len(required) > 0 {
		s["required"] = required
	}
	if b.strict {
		s["additionalProperties"] = false
	}
	return s
}

// member is a type with the bounds of its tag; a pointer that is always written
// may be null.
func (b *schemas) member(f reflect.StructField, limits *bounds) any {
	schema := b.of(f.Type)
	if f.Type.Kind() == reflect.Pointer && !strings.Contains(f.Tag.Get("json"), ",omit") {
		return object{"anyOf": []any{schema, object{"type": "null"}}}
	}
	plain, ok := schema.(object)
	if limits == nil || !ok {
		return schema
	}
	names := [2]string{"minimum", "maximum"}
	switch f.Type.Kind() {
	case reflect.Slice:
		names = [2]string{"minItems", "maxItems"}
	case reflect.String:
		names = [2]string{"minLength", "maxLength"}
	}
	plain[names[0]], plain[names[1]] = limits.low, limits.high
	return plain
}

// alert is one object of head and body, by kind.
func (b *schemas) alert() object {
	head := b.of(reflect.TypeFor[alertHead]())
	var forms []any
	for _, a := range alertBodies {
		for _, kind := range a.kinds {
			forms = append(forms, object{"allOf": []any{head, b.of(a.body)}, "properties": object{"kind": object{"const": kind}}})
		}
	}
	return object{"oneOf": forms}
}

// entry names the body of each kind that a server acts on; others are stored.
func (b *schemas) entry(t reflect.Type) object {
	s := b.structure(t)
	strict := b.strict
	b.strict = false // a body may be extended
	defer func() { b.strict = strict }()
	var rules []any
	for _, e := range entryBodies {
		for _, kind := range e.kinds {
			rules = append(rules, object{
				"if":   object{"properties": object{"kind": object{"const": kind}}},
				"then": object{"properties": object{"body": b.of(e.body)}},
			})
		}
	}
	s["allOf"] = rules
	return s
}
