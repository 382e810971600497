package store

import (
	"encoding/json"
	"fmt"

	"till/protocol"
	"till/server"
)

type shop struct{ rows }

func scanUser(row scanner) (*server.StaffUser, error) {
	u := &server.StaffUser{}
	var body string
	if err := row.Scan(&body, &u.Disabled, &u.ApproveKey, &u.TOTP); err != nil {
		return nil, err
	}
	return u, json.Unmarshal([]byte(body), &u.User)
}

func (r shop) Users() ([]*server.StaffUser, error) {
	return all(r.rows, scanUser, "SELECT body, disabled, approve_key, totp FROM users ORDER BY id")
}

func (r shop) User(id string) (*server.StaffUser, error) {
	return first(r.rows, scanUser, "SELECT body, disabled, approve_key, totp FROM users WHERE id = $1", id)
}

func (r shop) PutUser(u *server.StaffUser) error {
	body, err := json.Marshal(u.User)
	if err != nil {
		return fmt.Errorf("pack user %s: %w", u.ID, err)
	}
	return r.exec(`INSERT INTO users (id, body, disabled, approve_key, totp) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (id) DO UPDATE SET body = EXCLUDED.body, disabled = EXCLUDED.disabled,
		approve_key = EXCLUDED.approve_key, totp = EXCLUDED.totp`, u.ID, string(body), bit(u.Disabled), u.ApproveKey, u.TOTP)
}

func (r shop) Items() ([]protocol.Item, error) {
	scan := func(row scanner) (item protocol.Item, err error) {
		var body string
		if err := row.Scan(&body); err != nil {
			return item, err
		}
		return item, json.Unmarshal([]byte(body), &item)
	}
	return all(r.rows, scan, "SELECT body FROM items ORDER BY position")
}

func (r shop) ReplaceItems(items []protocol.Item) error {
	if err := r.exec("DELETE FROM items"); err != nil {
		return err
	}
	for i, item := range items {
		body, err := json.Marshal(item)
		if err != nil {
			return fmt.Errorf("pack item %s: %w", item.SKU, err)
		}
		if err := r.exec("INSERT INTO items (position, body) VALUES ($1, $2)", i, string(body)); err != nil {
			return err
		}
	}
	return nil
}
