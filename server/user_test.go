package server_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"till/protocol"
	"till/server"
)

func TestPeopleGetTheNextNumberAndNoneIsReplaced(t *testing.T) {
	ctx := context.Background()
	b := openBank(t, nil)
	if err := b.DisableUser(ctx, "3"); err != nil {
		t.Fatal(err)
	}
	id, err := b.AddUser(ctx, protocol.User{Name: "Di", Role: protocol.RoleCashier, PIN: "$"}, nil)
	if err != nil || id != "4" {
		t.Errorf("id %q, %v", id, err)
	}
	for _, taken := range []string{"1", "3", "4"} {
		if _, err := b.AddUser(ctx, protocol.User{ID: taken, Name: "Di", Role: protocol.RoleOwner, PIN: "$"}, nil); !errors.Is(err, server.ErrExists) {
			t.Errorf("%s: %v", taken, err)
		}
	}
	if _, err := b.AddUser(ctx, protocol.User{Name: "Di", Role: "boss", PIN: "$"}, nil); err == nil {
		t.Error("a role that there is not is taken")
	}
}

func TestNewPINApprovesAndTheOldOneDoesNot(t *testing.T) {
	ctx := context.Background()
	b := openBank(t, func(s *server.Settings) {
		m := eur(100_00)
		s.Limits.PinApproval, s.Limits.PinApprovalDay = &m, &m
	})
	other := []byte("another thirty-two bytes of hash")
	if err := b.NewPIN(ctx, "2", "$new", "0123", other); err != nil {
		t.Fatal(err)
	}
	if err := b.NewPIN(ctx, "1", "$new", "0123", other); err != nil {
		t.Fatal(err)
	}
	for _, u := range b.Config().Users {
		switch {
		case u.ID == "3" && u.PIN != "$", u.ID != "3" && u.PIN != "$new":
			t.Errorf("terminals are told %+v", u)
		case u.ID == "1" && u.ApproveSalt != "", u.ID == "2" && (u.ApproveSalt != "0123" || u.Name != "Bo"):
			t.Errorf("terminals are told %+v", u)
		}
	}
	p := b.coins(10_00)
	step := int64(b.clock()) / (30 * time.Second).Milliseconds()
	p.Authcode = protocol.NewSecret(b.pin("2", p, step))
	_, err := b.dispense(p)
	wants(t, err, protocol.CodeAuthcodeWrong, -1)
	if err := b.NewPIN(ctx, "2", "$", "00", approveKey); err != nil {
		t.Fatal(err)
	}
	b.dispensed(p)
	if err := b.NewPIN(ctx, "9", "$new", "", nil); !errors.Is(err, server.ErrNotFound) {
		t.Errorf("nobody: %v", err)
	}
}

func TestAuthenticatorsAreToldTheShopsName(t *testing.T) {
	b := openBank(t, func(s *server.Settings) { s.Shop.Name = "Café & Bar" })
	made, err := b.NewTOTP(context.Background(), "3")
	if err != nil {
		t.Fatal(err)
	}
	const name = "Caf%C3%A9%20&%20Bar:3?secret="
	if uri := made.URI.Reveal(); !strings.Contains(uri, name) || !strings.Contains(uri, "&issuer=Caf%C3%A9%20%26%20Bar&") {
		t.Error("the name of the shop is not in the URI as authenticators read it")
	}
}
