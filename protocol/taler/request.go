package taler

import (
	"net/url"
	"strconv"
)

// maxQuantity bounds the pieces of a product (§2).
const maxQuantity = 999

// ContractRequest asks for a contract (§2): of a sale, of pieces of a product, or of
// the tab that an accepted lock opened. Exactly one of the three is set; Quantity
// goes with Product.
type ContractRequest struct {
	Sale          string
	Product       string
	Quantity      int // of a product, 1 to 999; 1 when the request does not say
	TransactionID *TransactionID
}

func (r *ContractRequest) members(m *members) {
	m.may("sale", r.Sale != "", name{&r.Sale})
	m.may("product", r.Product != "", name{&r.Product})
	if r.Product != "" {
		quantity := count(r.Quantity)
		if !m.may("quantity", true, &quantity) {
			quantity = 1
		}
		m.rule("quantity", quantity >= 1 && quantity <= maxQuantity, "not 1 to %d", maxQuantity)
		if m.reading {
			r.Quantity = int(quantity)
		}
	}
	mayScalar(m, "transaction_id", &r.TransactionID)
	asked := 0
	for _, set := range []bool{r.Sale != "", r.Product != "", r.TransactionID != nil} {
		if set {
			asked++
		}
	}
	m.rule("sale", asked == 1, "exactly one of sale, product and transaction_id")
}

// ContractQuery reads the query of GET /contract: the members of the JSON request as
// parameters, each once, no others. The error is an [*Error] of status 400.
func ContractQuery(query string) (*ContractRequest, error) {
	if len(query) > maxURL {
		return nil, malformed("query", "longer than %d bytes", maxURL)
	}
	parameters, err := url.ParseQuery(query)
	if err != nil {
		return nil, malformed("query", "not understood")
	}
	v := objectValue()
	for parameter, values := range parameters {
		if len(values) != 1 {
			return nil, malformed(printable(parameter), "stands twice")
		}
		item := textValue(values[0])
		if parameter == "quantity" {
			n, err := strconv.Atoi(values[0])
			if err != nil || strconv.Itoa(n) != values[0] {
				return nil, malformed(parameter, "not a whole number")
			}
			item = intValue(int64(n))
		}
		v.members = append(v.members, member{printable(parameter), item})
	}
	r := new(ContractRequest)
	if err := readMessage(v, r, false); err != nil {
		return nil, err
	}
	return r, nil
}

// printable makes a foreign name fit for an answer.
func printable(name string) string {
	quoted := strconv.QuoteToASCII(clip(name))
	return quoted[1 : len(quoted)-1]
}

// OfferRequest asks for a tab or for a lottery's lock (§4): of a sale or a service,
// up to an amount if one is named.
type OfferRequest struct {
	Sale      string
	Service   string
	MaxAmount *Amount
}

func (r *OfferRequest) members(m *members) {
	m.may("sale", r.Sale != "", name{&r.Sale})
	m.may("service", r.Service != "", name{&r.Service})
	mayScalar(m, "max_amount", &r.MaxAmount)
	m.rule("max_amount", r.MaxAmount == nil || !r.MaxAmount.IsZero(), "nothing to lock")
	m.rule("sale", (r.Sale == "") != (r.Service == ""), "exactly one of sale and service")
}

// Paid is the merchant's 200 to a deposit (§3, §5): {"status","transaction_id",
// "amount","receipt"} and r_m in a lottery. Status is DEPOSIT_OK or LOTTERY_LOST.
type Paid struct {
	Status        string
	TransactionID TransactionID
	Amount        Amount
	Receipt       Receipt
	RM            *Nonce // r_m, of a lottery
}

func (a *Paid) members(m *members) {
	m.need("status", (*text)(&a.Status))
	m.need("transaction_id", &a.TransactionID)
	m.need("amount", &a.Amount)
	m.needMessage("receipt", &a.Receipt)
	mayScalar(m, "r_m", &a.RM)
	lost := a.Status == StatusLotteryLost
	m.rule("status", a.Status == StatusDepositOK || lost, "%q is not paid", clip(a.Status))
	m.rule("r_m", a.RM != nil || !lost, "missing")
}

// VerifyDraw checks a lottery's outcome as the customer does: that r_m is the one
// committed to, and that the draw went as the answer says. The error is an [*Error]
// of status 403.
func (a *Paid) VerifyDraw(l *Lottery, rc Nonce) error {
	if a.RM == nil || a.RM.Hash() != l.HRM {
		return refused("r_m", "not the one that was committed to")
	}
	won := Draw{*a.RM, l.Odds}.Won(rc)
	if won != (a.Status == StatusDepositOK) {
		return refused("status", "%s, but the coin is owed: %t", a.Status, won)
	}
	return nil
}

// Queued is a 202: the deposit is stored, come again in Retry milliseconds.
type Queued struct{ Retry int64 }

func (a *Queued) members(m *members) {
	m.need("status", word(StatusDepositQueued))
	m.need("retry", (*count)(&a.Retry))
}
