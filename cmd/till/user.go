package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"till/cmd/internal/boot"
	"till/device"
	"till/protocol"
	"till/server"
)

func (p *program) user() *cobra.Command {
	group := &cobra.Command{Use: "user", Short: "The people who work at the terminals"}
	var id, role, addPIN, newPIN string
	add := &cobra.Command{
		Use: "add NAME --role cashier|manager|owner", Short: "Add a person", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return p.addUser(c.Context(), id, args[0], protocol.Role(role), addPIN)
		},
	}
	add.Flags().StringVar(&role, "role", "", "cashier, manager or owner")
	add.Flags().StringVar(&id, "id", "", "what the person types to sign in (default the next number)")
	pin := p.aboutUser("pin ID", "Give a person another PIN; who was disabled may work again", func(ctx context.Context, id string) error {
		return p.changePIN(ctx, id, newPIN)
	})
	for c, file := range map[*cobra.Command]*string{add: &addPIN, pin: &newPIN} {
		c.Flags().StringVar(file, "pin-file", "", "file with the PIN, - for standard input (default: asked twice)")
	}
	group.AddCommand(add, pin,
		&cobra.Command{Use: "list", Short: "List all people", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error { return p.listUsers(c.Context()) }},
		p.aboutUser("disable ID", "Lock a person out at every terminal", func(ctx context.Context, id string) error {
			return p.orderUser(ctx, "user.disable", boot.Person{ID: id}, id, "disabled")
		}),
		p.aboutUser("unlock ID", "End the lock that wrong approval codes put on a person", func(ctx context.Context, id string) error {
			return p.orderUser(ctx, "user.unlock", boot.Person{ID: id}, id, "unlocked")
		}),
		p.aboutUser("totp ID", "Make a new secret for an authenticator; the old one dies", p.newTOTP))
	return group
}

func (p *program) aboutUser(use, short string, do func(ctx context.Context, id string) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: cobra.ExactArgs(1), RunE: func(c *cobra.Command, args []string) error {
		return do(c.Context(), args[0])
	}}
}

// orderUser asks the server for something about a person that has no result.
func (p *program) orderUser(ctx context.Context, call string, params any, id, done string) error {
	if err := p.ask(ctx, call, params, nil); err != nil {
		return userFailure(call, id, err)
	}
	return p.print(struct {
		ID   string `json:"id"`
		Done string `json:"done"`
	}{id, done}, func() { p.say("%s: %s\n", id, done) })
}

func userFailure(call, id string, err error) error {
	what := strings.TrimPrefix(call, "user.") + " user"
	switch {
	case errors.Is(err, server.ErrExists):
		return &failure{exitRefused, fmt.Errorf("%s: there is a user %q", what, id), "another --id, or till user pin " + id}
	case errors.Is(err, server.ErrNotFound):
		return &failure{exitRefused, fmt.Errorf("%s: there is no user %q", what, id), "till user list"}
	}
	return fail(what, err)
}

// maxShown bounds names and ids, which stand in columns and on receipts.
const maxShown = 40

func (p *program) addUser(ctx context.Context, id, name string, role protocol.Role, pinFile string) error {
	if !role.Valid() {
		return usage("--role cashier", "add user: a role is needed: cashier, manager or owner")
	}
	for _, text := range []string{name, id} {
		if len([]rune(text)) > maxShown || !shownAsIs(text) {
			return usage("a name of at most 40 printable characters", "add user: %q cannot be shown", text)
		}
	}
	if name == "" || strings.ContainsAny(id, ": ") {
		return usage("till user add Anna --role cashier", "add user: a name is needed, and an id has no space or colon")
	}
	member, err := p.member(id, name, role, pinFile)
	if err != nil {
		return fail("add user", err)
	}
	defer clear(member.ApproveKey)
	var added boot.Person
	if err := p.ask(ctx, "user.add", member, &added); err != nil {
		return userFailure("user.add", id, err)
	}
	line := boot.UserLine{ID: added.ID, Name: name, Role: role, PIN: role != protocol.RoleCashier}
	return p.print(line, func() { p.say("%s: %s, %s\n", added.ID, name, role) })
}

func (p *program) changePIN(ctx context.Context, id, pinFile string) error {
	// As an approver, since the role is not known here; the server keeps what it needs.
	member, err := p.member(id, "", protocol.RoleOwner, pinFile)
	if err != nil {
		return fail("pin user", err)
	}
	defer clear(member.ApproveKey)
	return p.orderUser(ctx, "user.pin", member, id, "has another PIN")
}

// member asks for the PIN and makes a person with it.
func (p *program) member(id, name string, role protocol.Role, pinFile string) (boot.StaffMember, error) {
	pin, err := p.pin(pinFile)
	if err != nil {
		return boot.StaffMember{}, err
	}
	defer pin.Wipe()
	return boot.MakeStaffMember(id, name, role, pin, rand.Reader)
}

// maxPINFile is far above any PIN.
const maxPINFile = 64

// pin reads a PIN from a file, or asks it twice.
func (p *program) pin(file string) (protocol.Secret, error) {
	if file == "" {
		if !isTerminal(p.in) {
			return protocol.Secret{}, usage("--pin-file FILE", "a PIN is needed and there is no terminal to ask it")
		}
		pin, same, err := p.askTwice(bufio.NewReader(p.in), "PIN: ")
		if err == nil && !same {
			err = &failure{exitNo, errors.New("the PINs differ; nothing was changed"), "again"}
		}
		return pin, err
	}
	from := p.in
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return protocol.Secret{}, fmt.Errorf("read PIN: %w", err)
		}
		defer func() { _ = f.Close() }()
		from = f
	}
	text, err := io.ReadAll(io.LimitReader(from, maxPINFile))
	defer clear(text)
	if err != nil {
		return protocol.Secret{}, fmt.Errorf("read PIN: %w", err)
	}
	return protocol.NewSecret(strings.TrimRight(string(text), "\r\n")), nil
}

func (p *program) newTOTP(ctx context.Context, id string) error {
	var secret boot.TOTPSecret
	if err := p.ask(ctx, "user.totp", boot.Person{ID: id}, &secret); err != nil {
		return userFailure("user.totp", id, err)
	}
	return p.print(secret, func() {
		p.say("Shown once; what was enrolled before is void.\n\n  user    %s\n  secret  %s\n  %s\n", secret.User, secret.Secret, secret.URI)
		if !isTerminal(p.out) {
			return
		}
		if code, err := device.EncodeQR(secret.URI); err == nil {
			p.say("\n%s", drawQR(code))
		}
	})
}

func (p *program) listUsers(ctx context.Context) error {
	lines := []boot.UserLine{}
	if err := p.ask(ctx, "user.list", struct{}{}, &lines); err != nil {
		return fail("list users", err)
	}
	return p.print(lines, func() {
		table := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, "ID\tNAME\tROLE\tAPPROVES BY\tSTATE")
		for _, u := range lines {
			by := []string{}
			if u.PIN {
				by = append(by, "PIN")
			}
			if u.TOTP {
				by = append(by, "TOTP")
			}
			state := "active"
			if u.Disabled {
				state = "disabled"
			}
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", u.ID, u.Name, u.Role, strings.Join(by, ", "), state)
		}
		_ = table.Flush()
	})
}
