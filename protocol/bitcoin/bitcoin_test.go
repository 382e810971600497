package bitcoin

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// load reads a file of vectors.
func load(t testing.TB, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func unhexed(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// networkOf maps the names of Bitcoin Core's vectors.
func networkOf(t testing.TB, name string) Network {
	t.Helper()
	switch name {
	case "main":
		return Mainnet
	case "test":
		return Testnet3
	case "regtest":
		return Regtest
	}
	t.Fatalf("network %q", name)
	return 0
}
