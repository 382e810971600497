package protocol

import (
	"fmt"
	"strings"
	"testing"
)

func TestASecretInAnUnexportedFieldDoesNotPrint(t *testing.T) {
	holder := struct{ key Secret }{NewSecret("L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1")}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%q"} {
		if text := fmt.Sprintf(verb, holder); strings.Contains(text, "L4rK") || strings.Contains(text, "4c34724b") || strings.Contains(text, "76 52 114") {
			t.Errorf("%s prints %s", verb, text)
		}
	}
}
