package bitcoin

import (
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/chaincfg/v2"
)

// Network is the chain a shop works on. The zero value is none.
type Network uint8

// The networks, by the names used in the configuration.
const (
	Mainnet  Network = iota + 1 // mainnet
	Testnet3                    // testnet3
	Testnet4                    // testnet4
	Signet                      // signet
	Regtest                     // regtest: practice and tests
)

// ErrWrongNetwork is the cause when text is right but belongs to another
// network. The message names that network.
var ErrWrongNetwork = errors.New("wrong network")

var networkNames = [...]string{
	Mainnet: "mainnet", Testnet3: "testnet3", Testnet4: "testnet4", Signet: "signet", Regtest: "regtest",
}

// ParseNetwork reads a name as the configuration has it: mainnet, testnet3,
// testnet4, signet or regtest.
func ParseNetwork(name string) (Network, error) {
	for n := Mainnet; n <= Regtest; n++ {
		if networkNames[n] == name {
			return n, nil
		}
	}
	return 0, fmt.Errorf("network %q is not one of mainnet, testnet3, testnet4, signet, regtest", clip(name))
}

// String gives the name that [ParseNetwork] reads.
func (n Network) String() string {
	if n < Mainnet || n > Regtest {
		return fmt.Sprintf("Network(%d)", uint8(n))
	}
	return networkNames[n]
}

// MarshalText gives the name.
func (n Network) MarshalText() ([]byte, error) {
	if n < Mainnet || n > Regtest {
		return nil, fmt.Errorf("encode network %d: unknown", uint8(n))
	}
	return []byte(networkNames[n]), nil
}

// UnmarshalText reads the name.
func (n *Network) UnmarshalText(text []byte) error {
	parsed, err := ParseNetwork(string(text))
	if err == nil {
		*n = parsed
	}
	return err
}

// Params gives the consensus parameters and prefixes of the network as btcd has
// them. The result is shared: do not change it. It panics on a value that is no
// network.
func (n Network) Params() *chaincfg.Params {
	switch n {
	case Mainnet:
		return &chaincfg.MainNetParams
	case Testnet3:
		return &chaincfg.TestNet3Params
	case Testnet4:
		return &chaincfg.TestNet4Params
	case Signet:
		return &chaincfg.SigNetParams
	case Regtest:
		return &chaincfg.RegressionNetParams
	}
	panic("bitcoin: " + n.String() + " is not a network")
}

// CoinType is the second step of a BIP44 path, without hardening: 0 on mainnet,
// 1 on every other network (SLIP-44).
func (n Network) CoinType() uint32 {
	if n == Mainnet {
		return 0
	}
	return 1
}

// hrps are the human-readable parts of segwit addresses, with the name of the
// networks that share one.
var hrps = map[string]string{
	"bc": "mainnet", "tb": "testnet or signet", "bcrt": "regtest",
}

// wrongNetwork says that a thing ("an address", "a key") belongs to found
// instead of n.
func (n Network) wrongNetwork(what, found string) error {
	return fmt.Errorf("%w: this is %s of %s, this till works on %s", ErrWrongNetwork, what, found, n)
}

// clip shortens foreign text for an error message.
func clip(text string) string {
	const most = 40
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
