package boot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"till/protocol"
	"till/server"
)

// adminSocket is where a running server takes commands, in its data directory,
// mode 0600: whoever may read the data may command.
const adminSocket = "till.sock"

// maxAdmin bounds a command and its answer.
const maxAdmin = 64 << 20

// Command is what a shell command asks of the server whose data it names.
type Command struct {
	Call   string          `json:"call" wire:"required"`
	Params json.RawMessage `json:"params,omitempty"`
}

// commands are all that may be asked, by name.
var commands = map[string]func(ctx context.Context, s *server.Server, params json.RawMessage) (any, error){
	"terminal.add":  command(addTerminal),
	"terminal.list": command(listTerminals),
	"terminal.suspend": command(func(ctx context.Context, s *server.Server, p Named) (any, error) {
		return nil, s.Suspend(ctx, p.Name, p.Reason)
	}),
	"terminal.resume": command(func(ctx context.Context, s *server.Server, p Named) (any, error) { return nil, s.Resume(ctx, p.Name) }),
	"terminal.revoke": command(func(ctx context.Context, s *server.Server, p Named) (any, error) { return nil, s.Revoke(ctx, p.Name) }),
	"terminal.rename": command(func(ctx context.Context, s *server.Server, p Named) (any, error) {
		return nil, s.Rename(ctx, p.Name, p.To)
	}),
	"journal.verify":   command(verifyJournals),
	"user.add":         command(addUser),
	"user.list":        command(listUsers),
	"user.disable":     command(disableUser),
	"user.pin":         command(newPIN),
	"user.totp":        command(newTOTP),
	"user.unlock":      command(unlockUser),
	"wallet.rescan":    command(rescan),
	"wallet.bump":      command(bump),
	"catalogue.import": command(importCatalogue),
	"catalogue.export": command(exportCatalogue),
	"debt.list":        command(listDebts),
	"debt.settle":      command(settleDebt),
	"debt.pay":         command(payDebt),
	"alert.list":       command(listAlerts),
	"alert.test":       command(testAlerts),
	"sale.list":        command(listSales),
	"sale.replay":      command(replaySale),
	"refund.list":      command(listRefunds),
	"payout.list":      command(listPayouts),
	"books.begin":      command(beginBooks),
	"report":           command(reports),
	"config.push":      command(pushConfig),
	"config.promote":   command(promoteConfig),
	"config.rollback":  command(rollBackConfig),
	"config.pushes":    command(listPushes),
}

func command[P any](do func(context.Context, *server.Server, P) (any, error)) func(context.Context, *server.Server, json.RawMessage) (any, error) {
	return func(ctx context.Context, s *server.Server, params json.RawMessage) (any, error) {
		var p P
		if len(params) > 0 {
			if err := json.Unmarshal(params, &p); err != nil {
				return nil, fmt.Errorf("read command: %w", err)
			}
		}
		return do(ctx, s, p)
	}
}

// Named is the params of commands about one terminal.
type Named struct {
	Name    string `json:"name"`
	To      string `json:"to,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Replace bool   `json:"replace,omitempty"`
	Host    string `json:"host,omitempty"`
}

func addTerminal(ctx context.Context, s *server.Server, p Named) (any, error) {
	return s.AddTerminal(ctx, p.Name, p.Replace, p.Host)
}

func verifyJournals(ctx context.Context, s *server.Server, _ struct{}) (any, error) {
	reports := []server.JournalReport{}
	err := s.VerifyJournals(ctx, func(r server.JournalReport) { reports = append(reports, r) })
	return reports, err
}

// run carries out a command in this process; a refusal is an [*adminError].
func run(ctx context.Context, s *server.Server, c Command) (json.RawMessage, error) {
	do, known := commands[c.Call]
	if !known {
		return nil, fmt.Errorf("there is no command %q", c.Call)
	}
	result, err := do(ctx, s, c.Params)
	if err != nil {
		return nil, refusal(err)
	}
	return protocol.Encode(result)
}

// adminHandler serves commands on the socket: 200 with the result, or 409 with
// {"error":TEXT,"cause":WORD}.
func adminHandler(s *server.Server) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var c Command
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAdmin))
		if err == nil {
			err = protocol.Decode(body, &c)
		}
		var result json.RawMessage
		if err == nil {
			result, err = run(r.Context(), s, c)
		}
		w.Header().Set("Content-Type", "application/json")
		if err != nil {
			w.WriteHeader(http.StatusConflict)
			result, err = json.Marshal(refusal(err))
			if err != nil {
				return
			}
		}
		_, _ = w.Write(result) // the caller may have left
	})
}

// adminError is an error of a command as it crosses the socket: its text, and
// the word of the sentinel it wraps.
type adminError struct {
	Text  string `json:"error"`
	Cause string `json:"cause,omitempty"` // a key of causes, "" none
}

func (e *adminError) Error() string { return e.Text }

// causes are the sentinels that a caller branches on.
var causes = map[string]error{
	"exists": server.ErrExists, "missing": server.ErrNotFound, "unreachable": ErrUnreachable, "refused": ErrRefused, "input": ErrInput, "key": server.ErrKeyNeeded,
	"settled": server.ErrSettled, "ecash_debt": server.ErrEcashDebt,
}

// Is keeps the sentinels across the socket.
func (e *adminError) Is(target error) bool { return e.Cause != "" && causes[e.Cause] == target }

// refusal finds the word of an error.
func refusal(err error) *adminError {
	var done *adminError
	if errors.As(err, &done) {
		return done
	}
	e := &adminError{Text: err.Error()}
	var said *protocol.Error
	switch {
	case errors.Is(err, server.ErrChainUnavailable), errors.As(err, &said) && said.Code == protocol.CodeChainUnavailable:
		e.Cause = "unreachable"
	case errors.Is(err, server.ErrPush):
		e.Cause = "input"
	case errors.Is(err, server.ErrNotApprover), errors.Is(err, server.ErrNotStuck), errors.Is(err, server.ErrNotPushed), said != nil && said.Code != protocol.CodeInternal:
		e.Cause = "refused"
	default:
		for word, sentinel := range causes {
			if errors.Is(err, sentinel) {
				e.Cause = word
			}
		}
	}
	return e
}

// listenAdmin opens the socket; the caller holds the data directory, so that a
// socket left behind by a process that died may be removed.
func listenAdmin(dir string) (net.Listener, error) {
	path := filepath.Join(dir, adminSocket)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("remove old socket: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("open command socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("protect command socket: %w", err), l.Close())
	}
	return l, nil
}

// ask sends a command to the server that holds dir.
func ask(ctx context.Context, dir string, c Command) (json.RawMessage, error) {
	text, err := protocol.Encode(c)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	client := http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(dir, adminSocket))
		},
		DisableKeepAlives: true,
	}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://till/", bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask the running till: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAdmin))
	if err != nil {
		return nil, fmt.Errorf("ask the running till: %w", err)
	}
	if response.StatusCode == http.StatusOK {
		return body, nil
	}
	refused := &adminError{}
	if err := json.Unmarshal(body, refused); err != nil {
		return nil, fmt.Errorf("ask the running till: status %d", response.StatusCode)
	}
	return nil, refused
}
