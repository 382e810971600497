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
	settingConfigVersion    = "config_version" // the highest given to any
	settingConfigOfAll      = "config_of_all"
	settingConfigHash       = "config_hash"
	settingConfigStaged     = "config_staged"
	settingStagedHash       = "config_staged_hash"
	settingCatalogueVersion = "catalogue_version"
	settingCatalogueHash    = "catalogue_hash"
)

// configs are what terminals are told: all, and those that a push is tried on.
type configs struct{ all, staged *protocol.Config }

// Reload reads people, goods and pushed settings again after they were changed.
// Where what terminals are told differs, its version rises and every terminal
// hears of it.
func (s *Server) Reload(ctx context.Context) error { return s.reloadWith(ctx, false) }

// reloadWith gives new versions to all where fresh: a terminal that moves between
// what is staged and what is for all must see its version rise.
func (s *Server) reloadWith(ctx context.Context, fresh bool) error {
	s.reload.Lock()
	defer s.reload.Unlock()
	var rules *rulebook
	var told *configs
	err := s.write(ctx, func(w *work) (err error) {
		if rules, err = s.readRules(w.Tx); err != nil {
			return err
		}
		told, err = w.configure(rules, fresh)
		return err
	})
	if err != nil {
		return fmt.Errorf("load configuration: %w", err)
	}
	s.present.Store(rules)
	s.config.Store(told)
	return nil
}

// refresh reads people, goods and pushed settings again after another process
// changed them.
func (s *Server) refresh(ctx context.Context) error {
	s.reload.Lock()
	defer s.reload.Unlock()
	var rules *rulebook
	var told *configs
	var differs bool
	err := s.o.Store.Read(ctx, func(tx *Tx) (err error) {
		if rules, err = s.readRules(tx); err != nil {
			return err
		}
		if told, err = s.configurations(tx, rules); err != nil {
			return err
		}
		items, err := tx.Shop.Items()
		if err != nil {
			return err
		}
		s.counted(items)
		differs = false
		return told.each(func(c *protocol.Config, name, hashName string) error {
			version, hash, err := tx.standing(name, hashName, c)
			c.Version, differs = version, differs || hash != ""
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("load configuration: %w", err)
	}
	if differs {
		s.o.Log.WarnContext(ctx, "the servers of this database have different configuration files")
	}
	s.present.Store(rules)
	s.config.Store(told)
	return nil
}

// each calls f for the configurations there are, with the names their version and
// hash are kept under.
func (c *configs) each(f func(c *protocol.Config, name, hashName string) error) error {
	err := f(c.all, settingConfigOfAll, settingConfigHash)
	if c.staged != nil {
		err = errors.Join(err, f(c.staged, settingConfigStaged, settingStagedHash))
	}
	return err
}

// configure makes the configurations of terminals, with a new version where one
// differs from what was told before, or is to be told afresh.
func (w *work) configure(rules *rulebook, fresh bool) (*configs, error) {
	catalogue, err := readCatalogue(w.Tx, w.now)
	if err != nil {
		return nil, err
	}
	w.s.counted(catalogue.Items)
	if _, _, err = w.version(settingCatalogueVersion, settingCatalogueHash, catalogue); err != nil {
		return nil, err
	}
	told, err := w.s.configurations(w.Tx, rules)
	if err != nil {
		return nil, err
	}
	var newest int64 // version given now, 0 none
	err = told.each(func(c *protocol.Config, name, hashName string) error {
		changed, err := w.number(c, name, hashName, fresh)
		if changed {
			newest = c.Version
		}
		return err
	})
	if err == nil && newest > 0 {
		w.tells.set(newsConfig)
		n := protocol.Notice{Reason: "config", Message: "the shop's settings changed", Since: w.now, Version: newest}
		err = w.alertAll(protocol.AlertConfig, n)
	}
	return told, err
}

// number gives a configuration its version: the one it has had, or the next of the
// one count they all share where it differs from what was told before, or fresh.
func (w *work) number(c *protocol.Config, name, hashName string, fresh bool) (changed bool, err error) {
	version, hash, err := w.standing(name, hashName, c)
	if err != nil {
		return false, err
	}
	if hash == "" && version > 0 && !fresh {
		c.Version = version
		return false, nil
	}
	if hash == "" {
		text, err := w.Settings.Get(hashName)
		if err != nil {
			return false, fmt.Errorf("read %s: %w", hashName, err)
		}
		hash = protocol.Hash(text)
	}
	count, err := numberSetting(w.Tx, settingConfigVersion, 0)
	c.Version = count + 1
	return true, errors.Join(err, setNumber(w.Tx, settingConfigVersion, c.Version), setNumber(w.Tx, name, c.Version), w.Settings.Set(hashName, []byte(hash)))
}

// configurations makes the configurations of terminals but for their versions.
func (s *Server) configurations(tx *Tx, rules *rulebook) (*configs, error) {
	goods, err := numberSetting(tx, settingCatalogueVersion, 0)
	if err != nil {
		return nil, err
	}
	users, err := tx.Shop.Users()
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	told := &configs{all: s.configuration(rules.all, goods, users)}
	if rules.staged != nil {
		told.staged = s.configuration(rules.staged, goods, users)
	}
	return told, nil
}

// configuration writes the rules down as terminals are told them.
func (s *Server) configuration(o *Settings, goods int64, users []*StaffUser) *protocol.Config {
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
	for _, u := range users {
		if !u.Disabled {
			c.Users = append(c.Users, u.User)
		}
	}
	return c
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

func readCatalogue(tx *Tx, now protocol.Time) (*protocol.Catalogue, error) {
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
	return &protocol.Catalogue{Items: items}, count(tx, items, now)
}

// Catalogue gives the goods (GET /catalogue).
func (s *Server) Catalogue(ctx context.Context) (catalogue *protocol.Catalogue, err error) {
	err = s.o.Store.Read(ctx, func(tx *Tx) error {
		if catalogue, err = readCatalogue(tx, s.o.Clock()); err != nil {
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
	err := s.write(ctx, func(w *work) error {
		if err := w.Shop.ReplaceItems(items); err != nil {
			return err
		}
		return w.Stock.Recount()
	})
	if err != nil {
		return fmt.Errorf("import catalogue: %w", err)
	}
	return s.Reload(ctx)
}

// Config is what terminals are told that no push is tried on; it is not to be
// changed.
func (s *Server) Config() *protocol.Config { return s.config.Load().all }

// configFor is what one terminal is told.
func (s *Server) configFor(id protocol.TerminalID) *protocol.Config {
	if told := s.config.Load(); told.staged != nil && s.present.Load().tries(id) {
		return told.staged
	}
	return s.Config()
}

func isNotFound(err error) bool { return errors.Is(err, ErrNotFound) }
