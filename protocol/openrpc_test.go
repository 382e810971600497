package protocol

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files of testdata anew")

func document(t *testing.T) []byte {
	t.Helper()
	text, err := OpenRPC()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// golden compares text with a file of testdata, or writes it.
func golden(t *testing.T, name string, text []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text, want) {
		t.Errorf("%s is stale: run go test ./protocol -update and read the difference", path)
	}
}

func TestTheServiceDocumentIsAsPublished(t *testing.T) {
	var b bytes.Buffer
	if err := json.Indent(&b, document(t), "", " "); err != nil {
		t.Fatal(err)
	}
	golden(t, "openrpc.json", append(b.Bytes(), '\n'))
}

func TestEveryReferenceOfTheServiceDocumentLeadsSomewhere(t *testing.T) {
	var whole struct {
		Methods    []struct{ Name string }
		Components map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(document(t), &whole); err != nil {
		t.Fatal(err)
	}
	if len(whole.Methods) != 7 {
		t.Errorf("%d methods", len(whole.Methods))
	}
	for _, found := range regexp.MustCompile(`"#/components/([^"]+)"`).FindAllStringSubmatch(string(document(t)), -1) {
		kind, name, _ := strings.Cut(found[1], "/")
		if _, ok := whole.Components[kind][name]; !ok {
			t.Errorf("%s is missing", found[1])
		}
	}
	for code, row := range codes {
		if _, told := whole.Components["errors"][string(code)]; told != (row.rpc == applicationError) {
			t.Errorf("error %s: told %v", code, told)
		}
	}
}

// The document promises what the decoder does: what its patterns and bounds
// refuse, Decode refuses.
func TestTheServiceDocumentTellsTheRangesThatAreEnforced(t *testing.T) {
	var whole struct {
		Methods []struct {
			Name   string
			Params []struct {
				Name     string
				Required bool
				Schema   struct{ Minimum, Maximum, MaxItems, MaxLength *int64 }
			}
		}
	}
	if err := json.Unmarshal(document(t), &whole); err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, m := range whole.Methods {
		if m.Name != CallCheckIn {
			continue
		}
		for _, p := range m.Params {
			var text string
			switch s := p.Schema; {
			case s.Maximum != nil:
				text = itoa(*s.Maximum + 1)
			case s.MaxItems != nil:
				text = "[" + strings.TrimSuffix(strings.Repeat(`{"name":"a","state":"ready"},`, int(*s.MaxItems)+1), ",") + "]"
			case s.MaxLength != nil:
				text = `"` + strings.Repeat("x", int(*s.MaxLength)+1) + `"`
			default:
				continue
			}
			checked++
			if err := Decode([]byte(`{"`+p.Name+`":`+text+`}`), new(CheckIn)); err == nil {
				t.Errorf("%s beyond its bound was taken", p.Name)
			}
		}
	}
	if checked < 6 {
		t.Errorf("only %d bounds were found", checked)
	}
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
