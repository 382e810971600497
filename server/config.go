package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"till/protocol"
)

// Settings that count versions.
const (
	settingConfigVersion    = "config_version"
	settingConfigHash       = "config_hash"
	settingCatalogueVersion = "catalogue_version"
	settingCatalogueHash    = "catalogue_hash"
)

// Reload reads people and goods again after they were changed. Where what
// terminals are told differs, its version rises and every terminal hears of it.
func (s *Server) Reload(ctx context.Context) error {
	s.reload.Lock()
	defer s.reload.Unlock()
	var fresh *protocol.Config
	err := s.write(ctx, func(w *work) (err error) {
		fresh, err = w.configure()
		return err
	})
	if err != nil {
		return fmt.Errorf("load configuration: %w", err)
	}
	s.config.Store(fresh)
	return nil
}

// refresh reads people and goods again after another process changed them.
func (s *Server) refresh(ctx context.Context) error {
	s.reload.Lock()
	defer s.reload.Unlock()
	var fresh *protocol.Config
	var differs protocol.Hash
	err := s.o.Store.Read(ctx, func(tx *Tx) (err error) {
		if fresh, err = s.configuration(tx); err != nil {
			return err
		}
		fresh.Version, differs, err = tx.standing(settingConfigVersion, settingConfigHash, fresh)
		return err
	})
	if err != nil {
		return fmt.Errorf("load configuration: %w", err)
	}
	if differs != "" {
		s.o.Log.WarnContext(ctx, "the servers of this database have different configuration files")
	}
	s.config.Store(fresh)
	return nil
}

// configure makes the configuration of terminals, with a new version when it differs.
func (w *work) configure() (*protocol.Config, error) {
	catalogue, err := readCatalogue(w.Tx)
	if err != nil {
		return nil, err
	}
	if _, _, err = w.version(settingCatalogueVersion, settingCatalogueHash, catalogue); err != nil {
		return nil, err
	}
	c, err := w.s.configuration(w.Tx)
	if err != nil {
		return nil, err
	}
	version, changed, err := w.version(settingConfigVersion, settingConfigHash, c)
	if err != nil {
		return nil, err
	}
	c.Version = version
	if changed {
		w.tells.set(newsConfig)
		n := protocol.Notice{Reason: "config", Message: "the shop's settings changed", Since: w.now, Version: version}
		err = w.alertAll(protocol.AlertConfig, n)
	}
	return c, err
}

// configuration makes the configuration of terminals but for its version.
func (s *Server) configuration(tx *Tx) (*protocol.Config, error) {
	goods, err := numberSetting(tx, settingCatalogueVersion, 0)
	if err != nil {
		return nil, err
	}
	o := s.o.Settings
	c := &protocol.Config{
		Shop: o.Shop, Currency: o.Currency, Locale: o.Locale, Network: s.identity.Network, QuoteKeys: s.quoteKeys(),
		Tax: o.Tax, TipsBP: o.TipsBP, CatalogueVersion: goods, Users: []protocol.User{}, Acceptance: o.Acceptance,
		Limits: o.Limits, PaymentWindowS: int64(o.PaymentWindow / time.Second), MerchantURL: o.MerchantURL,
	}
	if s.cash != nil {
		c.MerchantPub = s.cash.pub.String()
	}
	if c.Tax == nil {
		c.Tax = []protocol.Tax{}
	}
	if c.TipsBP == nil {
		c.TipsBP = []int64{}
	}
	if c.Shop.Address == nil {
		c.Shop.Address = []string{}
	}
	users, err := tx.Shop.Users()
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	for _, u := range users {
		if !u.Disabled {
			c.Users = append(c.Users, u.User)
		}
	}
	return c, nil
}

// version gives the version of a thing, which stands at 0 in it, and whether it
// just rose.
func (w *work) version(name, hashName string, thing any) (version int64, changed bool, err error) {
	version, hash, err := w.standing(name, hashName, thing)
	if err != nil || hash == "" {
		return version, false, err
	}
	version++
	return version, true, errors.Join(setNumber(w.Tx, name, version), w.Settings.Set(hashName, []byte(hash)))
}

// standing gives the stored version of a thing and, where the thing is another
// one, its hash.
func (tx *Tx) standing(name, hashName string, thing any) (version int64, hash protocol.Hash, err error) {
	text, err := protocol.Encode(thing)
	if err != nil {
		return 0, "", err
	}
	if version, err = numberSetting(tx, name, 0); err != nil {
		return 0, "", err
	}
	stored, err := tx.Settings.Get(hashName)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return 0, "", fmt.Errorf("read %s: %w", hashName, err)
	}
	if hash = protocol.HashOf(text); err == nil && string(stored) == string(hash) {
		hash = ""
	}
	return version, hash, nil
}

func readCatalogue(tx *Tx) (*protocol.Catalogue, error) {
	items, err := tx.Shop.Items()
	if err != nil {
		return nil, fmt.Errorf("list items: %w", err)
	}
	if items == nil {
		items = []protocol.Item{}
	}
	for i := range items {
		if items[i].Options == nil {
			items[i].Options = []string{}
		}
	}
	return &protocol.Catalogue{Items: items}, nil
}

// Catalogue gives the goods (GET /catalogue).
func (s *Server) Catalogue(ctx context.Context) (catalogue *protocol.Catalogue, err error) {
	err = s.o.Store.Read(ctx, func(tx *Tx) error {
		if catalogue, err = readCatalogue(tx); err != nil {
			return err
		}
		catalogue.Version, err = numberSetting(tx, settingCatalogueVersion, 0)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read catalogue: %w", err)
	}
	return catalogue, nil
}

// ImportCatalogue replaces the goods and tells every terminal.
func (s *Server) ImportCatalogue(ctx context.Context, items []protocol.Item) error {
	if err := s.write(ctx, func(w *work) error { return w.Shop.ReplaceItems(items) }); err != nil {
		return fmt.Errorf("import catalogue: %w", err)
	}
	return s.Reload(ctx)
}

// Config is what terminals are told; it is not to be changed.
func (s *Server) Config() *protocol.Config { return s.config.Load() }

func isNotFound(err error) bool { return errors.Is(err, ErrNotFound) }
