package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"till/protocol"
	"till/protocol/taler"
)

// Words of deposit alerts.
const (
	depositSilent = "mint_unavailable"
	depositFault  = "mint_fault"
	depositSpent  = "spent"
	depositHeld   = "held"
	depositEnded  = "coin_expired"
	depositOwed   = "owed"
	lotteryWon    = "lottery_won"
	lotteryLost   = "lottery_lost"
)

const messageOwed = "the mint paid what nobody waits for any more: give it back against the customer's receipt"

// States of deposit alerts.
const (
	alertWaiting  = "waiting"
	alertAccepted = "accepted"
	alertRejected = "rejected"
)

// tryDeposit asks the mint about a stored deposit and stores what it says.
func (s *Server) tryDeposit(ctx context.Context, id string) {
	open, outcome, err := s.askMint(ctx, id)
	if err == nil && open {
		// The mint's answer is kept even when whoever asked has left.
		err = s.settleDeposit(context.WithoutCancel(ctx), id, outcome)
	}
	if err != nil {
		s.o.Log.ErrorContext(ctx, "deposit not settled", "deposit", id, "error", err)
	}
}

// askMint gives what the mint said of a deposit that is still open: nil for yes, else
// an error of taler.MintClient.
func (s *Server) askMint(ctx context.Context, id string) (open bool, outcome, err error) {
	var ps taler.Permissions
	var request taler.DepositRequest
	err = s.o.Store.Read(ctx, func(tx *Tx) error {
		d, err := tx.Deposits.Get(id)
		if err != nil || d.State != DepositWaiting {
			return err
		}
		open = true
		if ps, err = taler.ParsePermissions(d.Body); err != nil {
			return err
		}
		if ps[0].Type == taler.Probabilistic {
			if err := s.openPermission(tx, d, &ps[0]); err != nil {
				return err
			}
		}
		account, err := readAccount(tx, s.seal, ps[0].HWire.String())
		request = taler.DepositRequest{Permissions: ps, Wire: account}
		return err
	})
	if err != nil {
		return false, nil, fmt.Errorf("read deposit: %w", err)
	}
	if !open {
		return false, nil, nil
	}
	mint, ok := s.cash.mint(ps[0].Mint)
	if !ok {
		return true, fmt.Errorf("%w: mint %s is not trusted any more", taler.ErrMintFault, ps[0].Mint), nil
	}
	_, outcome = mint.Deposit(ctx, &request)
	return true, outcome, nil
}

// settleDeposit stores the outcome of a deposit with all that follows from it.
// Unknown is not failed: without an answer that is proven it goes on waiting.
func (s *Server) settleDeposit(ctx context.Context, id string, outcome error) error {
	done := false
	err := s.write(ctx, func(w *work) error {
		done = false
		d, err := w.Deposits.Get(id)
		if err != nil || d.State != DepositWaiting {
			return err
		}
		b, err := w.Bills.Get(d.Bill)
		if err != nil {
			return fmt.Errorf("find bill: %w", err)
		}
		c := closing{w, d, b}
		done = true
		var refused *taler.RefusedError
		switch {
		case outcome == nil:
			return c.paid()
		case errors.As(outcome, &refused):
			reason, message := depositSpent, "the coin was spent before: ask for payment anew"
			if refused.Locked {
				reason, message = depositHeld, "the coin is held for something else: ask for payment anew"
			}
			return c.refused(DepositRefused, reason, message, refused.Body)
		case w.now >= d.Until:
			return c.expired()
		}
		done = false
		return c.waits(outcome)
	})
	if done {
		s.cash.forget(askDeposit + id)
	}
	if err != nil {
		return fmt.Errorf("settle deposit: %w", err)
	}
	return nil
}

// closing is a deposit whose outcome is stored.
type closing struct {
	*work
	deposit *Deposit
	bill    *Bill
}

// tell sends a deposit alert to the terminal; a product's bill has none.
func (c closing) tell(state, reason, message string) error {
	if c.bill.Terminal == "" {
		return nil
	}
	return c.alert(c.bill.Terminal, protocol.AlertDeposit, protocol.DepositStatus{
		Sale: c.bill.Sale, Tender: c.bill.Tender, State: state, Amount: c.deposit.Amount, Reason: reason, Message: message,
	})
}

// paid signs the receipt, and marks deposit, bill and sale paid.
func (c closing) paid() error {
	answer, err := c.receipt()
	if err != nil {
		return err
	}
	c.deposit.State = DepositPaid
	if c.bill.Kind != BillTab { // each round of a tab had its answer
		c.deposit.Status, c.deposit.Answer = http.StatusOK, answer
	}
	if err := c.Deposits.Update(c.deposit); err != nil {
		return fmt.Errorf("store deposit: %w", err)
	}
	owed, err := c.unwanted()
	if err != nil {
		return err
	}
	c.bill.State = BillPaid
	if err := c.Bills.Update(c.bill); err != nil {
		return fmt.Errorf("store bill: %w", err)
	}
	if owed != "" {
		if err := c.owe(owed); err != nil {
			return err
		}
		if err := c.tell(alertAccepted, depositOwed, messageOwed); err != nil {
			return err
		}
		return c.markWaiting(c.bill, false)
	}
	reason, message := reasonPaid, "paid"
	if c.bill.Kind == BillLottery {
		reason, message = lotteryWon, "paid by lot: the shop drew the whole coin"
	}
	if err := c.accept(reason, message); err != nil {
		return err
	}
	return c.markWaiting(c.bill, false)
}

// accept marks the tender paid and tells the terminal.
func (c closing) accept(reason, message string) error {
	if c.bill.Tender == "" {
		return nil
	}
	t, err := c.Tenders.Get(c.bill.Tender)
	if err != nil {
		return fmt.Errorf("find tender: %w", err)
	}
	t.Accepted = c.now
	t.Short = c.bill.Kind == BillTab && c.bill.Signed < c.bill.Amount.Minor
	if err := c.Tenders.Update(t); err != nil {
		return fmt.Errorf("mark tender: %w", err)
	}
	if c.bill.Kind == BillTab {
		if err := c.tellTab(c.bill, tabPaid); err != nil {
			return err
		}
	}
	return c.tell(alertAccepted, reason, message)
}

// receipt is the answer that says paid.
func (c closing) receipt() ([]byte, error) {
	stored, err := c.Contracts.Get(c.deposit.Contract)
	if err != nil {
		return nil, fmt.Errorf("find contract: %w", err)
	}
	contract, err := taler.ParseContract(stored.Text)
	if err != nil {
		return nil, fmt.Errorf("read contract: %w", err)
	}
	ps, err := taler.ParsePermissions(c.deposit.Body)
	if err != nil {
		return nil, fmt.Errorf("read permissions: %w", err)
	}
	terms := contract.Terms()
	paid := &taler.Paid{
		Status: taler.StatusDepositOK, TransactionID: terms.TransactionID, Amount: terms.Amount,
		Receipt: *taler.NewReceipt(contract, ps, taler.TimeAt(c.now.Time()), c.s.cash.key),
	}
	if terms.Lottery != nil {
		draw, err := c.s.drawOf(c.bill, &terms)
		if err != nil {
			return nil, err
		}
		if paid.RM = &draw.RM; !draw.Won(ps[0].RC) {
			paid.Status = taler.StatusLotteryLost
		}
	}
	return taler.Encode(paid)
}

// openPermission adds the draw to a lottery's permission: the mint checks it.
func (s *Server) openPermission(tx *Tx, d *Deposit, p *taler.Permission) error {
	b, err := tx.Bills.Get(d.Bill)
	if err != nil {
		return fmt.Errorf("find bill: %w", err)
	}
	c, err := tx.contractOf(b, p.HA)
	if err != nil {
		return err
	}
	t := c.Terms()
	p.Draw, err = s.drawOf(b, &t)
	return err
}

// keepRound stores a round of a tab without asking the mint; the highest counts. The
// last round of a closed tab ends it.
func (c closing) keepRound() error {
	rounds, err := c.Deposits.OfBill(c.bill.ID)
	if err != nil {
		return fmt.Errorf("list rounds: %w", err)
	}
	for _, d := range rounds {
		if d.Contract == c.deposit.Contract {
			return taken("H_a", "this round is signed")
		}
	}
	c.deposit.State, c.deposit.Status = DepositSigned, http.StatusOK
	if c.deposit.Answer, err = c.receipt(); err != nil {
		return err
	}
	if err := c.Deposits.Insert(c.deposit); err != nil {
		return fmt.Errorf("store deposit: %w", err)
	}
	if c.deposit.Amount.Minor <= c.bill.Signed {
		return nil
	}
	c.bill.Signed, c.bill.Deposit = c.deposit.Amount.Minor, c.deposit.ID
	if err := c.tellTab(c.bill, tabCharged); err != nil {
		return err
	}
	if c.bill.Closed && c.bill.Signed >= c.bill.Amount.Minor {
		return c.endTab(c.bill)
	}
	return c.Bills.Update(c.bill)
}

// unwanted gives the word why the money is owed to the customer, "" when it pays.
func (c closing) unwanted() (string, error) {
	if c.bill.State == BillPaid || c.bill.Deposit != c.deposit.ID {
		return debtTwice, nil
	}
	if c.bill.Tender == "" {
		return "", nil
	}
	sale, err := c.Sales.Get(c.bill.Sale)
	if err != nil {
		return "", fmt.Errorf("find sale: %w", err)
	}
	tenders, err := c.Tenders.Of(sale.ID)
	if err != nil {
		return "", fmt.Errorf("list tenders: %w", err)
	}
	others := int64(0)
	for _, t := range tenders {
		switch {
		case t.ID == c.bill.Tender && t.Removed:
			return debtRemoved, nil
		case t.ID != c.bill.Tender && !t.Removed && t.Refused == "":
			others += t.Amount.Minor
		}
	}
	switch {
	case sale.Said == saidCancelled:
		return debtCancelled, nil
	case sale.Said == saidPaid && others >= sale.Total.Minor:
		return debtTwice, nil
	}
	return "", nil
}

func (c closing) owe(reason string) error {
	c.alarm("ecash", "", "%s are owed to a customer (%s): transaction %s", plain(c.deposit.Amount), reason, c.bill.ID)
	return c.putDebt(&Debt{Sale: c.bill.Sale, Reason: reason, Amount: c.deposit.Amount, Bill: c.bill.ID, Since: c.now})
}

// oweOnce owes what was paid for a sale that is given up after all. A lot that left the
// customer the coin cost nothing.
func (c closing) oweOnce(reason string) error {
	if c.bill.Kind == BillLottery {
		paid := new(taler.Paid)
		if err := taler.DecodeAnswer(c.deposit.Answer, paid); err != nil {
			return fmt.Errorf("read answer: %w", err)
		}
		if paid.Status == taler.StatusLotteryLost {
			return nil
		}
	}
	debts, err := c.Debts.OfSale(c.bill.Sale)
	if err != nil {
		return fmt.Errorf("list debts: %w", err)
	}
	for _, d := range debts {
		if d.Bill == c.bill.ID {
			return nil
		}
	}
	return errors.Join(c.owe(reason), c.tell(alertAccepted, depositOwed, messageOwed))
}

// refused opens the bill again for another payment.
func (c closing) refused(state DepositState, reason, message string, answer []byte) error {
	c.deposit.State = state
	if c.bill.Kind != BillTab {
		c.deposit.Status, c.deposit.Answer = http.StatusForbidden, answer
	}
	if err := c.Deposits.Update(c.deposit); err != nil {
		return fmt.Errorf("store deposit: %w", err)
	}
	if c.bill.State == BillWaiting && c.bill.Deposit == c.deposit.ID {
		if err := c.reopen(); err != nil {
			return err
		}
	}
	if err := c.tell(alertRejected, reason, message); err != nil {
		return err
	}
	return c.markWaiting(c.bill, false)
}

// reopen lets another payment take the bill's place. What was signed on a tab cannot
// be replaced, nor can a commitment that was played.
func (c closing) reopen() error {
	c.bill.State, c.bill.Deposit = BillOpen, ""
	if c.bill.Kind == BillTab || c.bill.Kind == BillLottery {
		c.bill.State, c.bill.Deposit = BillLost, c.deposit.ID
		c.alarm("ecash", "", "the mint refused what was locked: %s of transaction %s are lost", plain(c.deposit.Amount), c.bill.ID)
	}
	if err := c.Bills.Update(c.bill); err != nil {
		return fmt.Errorf("store bill: %w", err)
	}
	if c.bill.Kind == BillTab {
		return c.tellTab(c.bill, tabLost)
	}
	return nil
}

// expired gives up: the coin's time is over and what the mint did is not known.
func (c closing) expired() error {
	c.alarm("ecash", "", "the mint did not answer while the coins were good: %s of transaction %s are lost unless it paid", plain(c.deposit.Amount), c.bill.ID)
	body, err := taler.Encode(untrue("denom_pub", "the coin ended before its mint answered"))
	if err != nil {
		return err
	}
	return c.refused(DepositLost, depositEnded, "the mint did not answer while the coin was good: ask for payment anew", body)
}

// waits tells once why the answer is still out.
func (c closing) waits(outcome error) error {
	reason, message := depositSilent, "waiting for the mint"
	if !errors.Is(outcome, taler.ErrUnknownOutcome) {
		reason, message = depositFault, "the mint's answer cannot be believed: waiting for a better one"
	}
	c.s.o.Log.Warn("deposit waits", "transaction_id", c.bill.ID, "reason", reason, "error", outcome)
	if c.deposit.Told == reason {
		return nil
	}
	if reason == depositFault {
		c.alarm("ecash", "", "a mint gave an answer that does not verify for transaction %s: %v", c.bill.ID, outcome)
	}
	c.deposit.Told = reason
	if err := c.Deposits.Update(c.deposit); err != nil {
		return fmt.Errorf("store deposit: %w", err)
	}
	return c.tell(alertWaiting, reason, message)
}
