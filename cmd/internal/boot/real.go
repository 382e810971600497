package boot

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"till/cmd/internal/config"
	"till/protocol"
	"till/protocol/bitcoin"
	"till/server"
	"till/server/chain"
)

// openRealShop opens the node, the wallet and the rates that are configured.
// Nothing is asked of the network yet.
func (s *Server) openRealShop(context.Context) (*shop, error) {
	o := s.o
	node, err := openNode(o.Config)
	if err != nil {
		return nil, err
	}
	s.closer = append(s.closer, node.Close)
	w, err := OpenWallet(o.Config, o.Dir, o.Passphrase)
	if err != nil {
		return nil, err
	}
	s.closer = append(s.closer, w.Close)
	r, run, err := openRates(o.Config, o.Clock, o.Log)
	if err != nil {
		return nil, err
	}
	s.tasks = append(s.tasks, run)
	return &shop{chain: node, wallet: w, rates: r}, nil
}

// errNoNode tells what to configure.
var errNoNode = errors.New("there is no Bitcoin node; set chain.node_url, chain.node_user and chain.node_password_file, or try till practice")

func openNode(c *config.Config) (*chain.Node, error) {
	if c.Chain.NodeURL == "" {
		return nil, errNoNode
	}
	u, err := url.Parse(c.Chain.NodeURL)
	if err != nil || u.Scheme != "wss" && u.Scheme != "ws" || u.Port() == "" {
		return nil, fmt.Errorf("chain.node_url: write wss://HOST:PORT")
	}
	network, err := bitcoin.ParseNetwork(c.Chain.Network)
	if err != nil {
		return nil, err
	}
	options := chain.NodeConfig{Address: u.Host, User: c.Chain.NodeUser, Plain: u.Scheme == "ws", Network: network,
		FeeFallback: server.FeeRate(c.Chain.FeeFallback * 1000)}
	if c.Chain.NodePasswordFile != "" {
		password, err := readFile(c.Chain.NodePasswordFile)
		if err != nil {
			return nil, fmt.Errorf("read node password: %w", err)
		}
		options.Password = protocol.NewSecret(strings.TrimRight(string(password), "\r\n"))
		clear(password)
	}
	if c.Chain.NodeCertFile != "" {
		if options.Certificate, err = readFile(c.Chain.NodeCertFile); err != nil {
			return nil, fmt.Errorf("read node certificate: %w", err)
		}
	}
	return chain.NewNode(options)
}
