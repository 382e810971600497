package bitcoin

// redacted is what every private value prints.
const redacted = "[secret]"

// hidden keeps a secret behind a function. A pointer would not do: fmt calls no
// method of a value in an unexported field and follows the pointer when the verb
// is a bad one.
type hidden[T any] func() *T

func hide[T any](v *T) hidden[T] { return func() *T { return v } }
