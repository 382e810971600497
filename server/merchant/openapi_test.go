package merchant

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// TestTheDocumentDescribesWhatIsServed compares paths and methods, and looks up
// every reference.
func TestTheDocumentDescribesWhatIsServed(t *testing.T) {
	var doc struct {
		OpenAPI    string
		Paths      map[string]map[string]json.RawMessage
		Components struct{ Schemas map[string]json.RawMessage }
	}
	if err := json.Unmarshal(document, &doc); err != nil || !strings.HasPrefix(doc.OpenAPI, "3.1.") {
		t.Fatal(doc.OpenAPI, err)
	}
	served := map[string]bool{}
	for _, r := range (&Door{}).routes() {
		served[r.path] = true
		for _, m := range r.methods {
			if doc.Paths[r.path][strings.ToLower(m)] == nil {
				t.Errorf("%s %s is not described", m, r.path)
			}
		}
		for m := range doc.Paths[r.path] {
			if !slices.Contains(r.methods, strings.ToUpper(m)) {
				t.Errorf("%s %s is not served", m, r.path)
			}
		}
	}
	for path := range doc.Paths {
		if !served[path] {
			t.Errorf("%s is not served", path)
		}
	}
	const prefix = `"#/components/schemas/`
	for _, part := range strings.Split(string(document), prefix)[1:] {
		name, _, _ := strings.Cut(part, `"`)
		if doc.Components.Schemas[name] == nil {
			t.Errorf("no schema %s", name)
		}
	}
}
