package merchant_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"till/protocol"
	"till/protocol/taler"
	"till/server"
)

// TestAPowerCutAtEachStepOfADepositLosesNothing stops the shop when the mint has been
// asked and has not answered, and when it has answered and nobody heard it.
func TestAPowerCutAtEachStepOfADepositLosesNothing(t *testing.T) {
	t.Parallel()
	for name, reaches := range map[string]bool{"before the mint": false, "after the mint": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			s := w.sell(500)
			c := w.contract(s)
			ps := w.sign(c, 500, w.purse(10_00).coin(500))
			asked := make(chan struct{}, 1)
			cut := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if reaches {
					w.mint.Handler().ServeHTTP(&deaf{header: http.Header{}}, r)
				}
				_, _ = io.Copy(io.Discard, r.Body) // or the server does not hear that the caller left
				select {
				case asked <- struct{}{}:
				default:
				}
				<-r.Context().Done() // the answer never comes
			})
			w.lie.Store(&cut)
			left := make(chan struct{})
			body := must(ps.Encode())(t)
			go func() {
				defer close(left)
				resp, err := http.Post(w.door.URL+"/deposit", "application/json", bytes.NewReader(body))
				if err == nil {
					_ = resp.Body.Close()
				}
			}()
			<-asked
			w.restart()
			<-left
			w.lie.Store(nil)
			w.pass(time.Minute)
			w.untilDeposit(s.tender, "accepted")
			w.untilSale(s.id, protocol.SaleConfirmed)
			status, answer := w.deposit(ps)
			w.paid(c, ps, status, answer)
			if debts := must(w.server.Debts(t.Context()))(t); len(debts) != 0 {
				t.Errorf("%+v", debts)
			}
		})
	}
}

// deaf takes an answer and forgets it.
type deaf struct{ header http.Header }

func (d *deaf) Header() http.Header         { return d.header }
func (d *deaf) WriteHeader(int)             {}
func (d *deaf) Write(p []byte) (int, error) { return len(p), nil }

// TestADepositThatIsNotStoredReachesNoMint breaks the transaction that stores it.
func TestADepositThatIsNotStoredReachesNoMint(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s := w.sell(500)
	c := w.contract(s)
	ps := w.sign(c, 500, w.purse(10_00).coin(500))
	asked := false
	watch := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { asked = true })
	w.lie.Store(&watch)
	w.stop()
	if _, err := w.server.Deposit(t.Context(), ps); err == nil {
		t.Error("a closed database takes a deposit")
	}
	if asked {
		t.Error("the mint was asked about what is not stored")
	}
	w.lie.Store(nil)
	w.openShop()
	status, body := w.deposit(ps)
	w.paid(c, ps, status, body)
}

// TestADepositIsGivenUpWhenItsCoinsEnd lets a mint be silent until the denomination
// expires.
func TestADepositIsGivenUpWhenItsCoinsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s := w.sell(500)
	c := w.contract(s)
	ps := w.sign(c, 500, w.purse(10_00).coin(500))
	w.down(true)
	if status, body := w.deposit(ps); status != http.StatusAccepted {
		t.Fatalf("%d %s", status, body)
	}
	w.untilDeposit(s.tender, "waiting")
	w.pass(361 * 24 * time.Hour)
	if d := w.untilDeposit(s.tender, "rejected"); d.Reason != "coin_expired" {
		t.Errorf("%+v", d)
	}
	if status, body := w.deposit(ps); status != http.StatusForbidden {
		t.Errorf("%d %s", status, body)
	}
	err := w.db.Read(t.Context(), func(tx *server.Tx) error {
		waiting, err := tx.Deposits.Waiting()
		if len(waiting) != 0 {
			err = errors.New("it waits still")
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestAMintThatRenewsItsKeysIsFollowed moves the clock beyond a denomination's sale.
func TestAMintThatRenewsItsKeysIsFollowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	old := w.purse(10_00)
	coin := old.coin(500)
	w.pass(200 * 24 * time.Hour)
	fresh := w.purse(10_00)
	for _, pay := range []*taler.Coin{coin, fresh.coin(500)} {
		s := w.sell(500)
		c := w.contract(s)
		ps := w.sign(c, 500, pay)
		status, body := w.deposit(ps)
		w.paid(c, ps, status, body)
	}
}
