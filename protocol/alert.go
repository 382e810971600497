package protocol

import (
	"encoding/json"
	"fmt"
)

// AlertKind is what an alert tells a terminal.
type AlertKind string

// The kinds (terminal.md §4.2).
const (
	AlertSale        AlertKind = "sale"
	AlertIncoming    AlertKind = "incoming"
	AlertContract    AlertKind = "contract"
	AlertInvoice     AlertKind = "invoice"
	AlertDeposit     AlertKind = "deposit"
	AlertTab         AlertKind = "tab"
	AlertPayout      AlertKind = "payout"
	AlertConfig      AlertKind = "config"
	AlertQuote       AlertKind = "quote"
	AlertCertificate AlertKind = "certificate"
	AlertSuspended   AlertKind = "suspended"
	AlertReserveLow  AlertKind = "reserve_low"
	AlertRateStale   AlertKind = "rate_stale"
	AlertNodeBehind  AlertKind = "node_behind"
)

// MaxAlerts is how many alerts one check-in brings at most.
const MaxAlerts = 200

// Alert is one line of a terminal's alert log: {"seq","at","kind", …}. Seq is
// gapless per terminal and log, 0 outside the sequence. Body is the object of
// the kind's own members; on the wire they stand beside seq, at and kind.
type Alert struct {
	Seq  int64
	At   Time
	Kind AlertKind
	Body json.RawMessage
}

type alertHead struct {
	Seq  int64     `json:"seq" wire:"required"`
	At   Time      `json:"at" wire:"required"`
	Kind AlertKind `json:"kind" wire:"required"`
}

// MarshalJSON writes head and body as one object.
func (a Alert) MarshalJSON() ([]byte, error) {
	head, err := Encode(alertHead{a.Seq, a.At, a.Kind})
	if err != nil {
		return nil, err
	}
	if len(a.Body) <= len("{}") {
		return head, nil
	}
	if a.Body[0] != '{' {
		return nil, fmt.Errorf("encode %s alert %d: body is not an object", a.Kind, a.Seq)
	}
	return append(append(head[:len(head)-1], ','), a.Body[1:]...), nil
}

// UnmarshalJSON reads one object and takes head and body apart.
func (a *Alert) UnmarshalJSON(data []byte) error {
	var head alertHead
	if err := DecodeResult(data, &head); err != nil {
		return err
	}
	object, err := parse(data)
	if err != nil {
		return err
	}
	body := []byte{'{'}
	for _, m := range object.members {
		if m.name == "seq" || m.name == "at" || m.name == "kind" {
			continue
		}
		if len(body) > 1 {
			body = append(body, ',')
		}
		body = append(appendCanonicalString(body, m.name), ':')
		body = append(body, m.value.raw...)
	}
	*a = Alert{head.Seq, head.At, head.Kind, append(body, '}')}
	return nil
}

// Decode reads the kind's members into one of the types below.
func (a Alert) Decode(body any) error {
	if err := DecodeResult(a.Body, body); err != nil {
		return fmt.Errorf("read %s alert %d: %w", a.Kind, a.Seq, err)
	}
	return nil
}

// The bodies of alerts.
type (
	// SaleStatus is a snapshot of a sale; the outer figures are sums and the
	// least confirmations of its tenders.
	SaleStatus struct {
		Sale          SaleID             `json:"sale"`
		State         SaleState          `json:"state"`
		Flags         List[Flag]         `json:"flags"`
		ReceivedSat   Sat                `json:"received_sat"`
		DueSat        Sat                `json:"due_sat"`
		Confirmations int64              `json:"confirmations"`
		TxIDs         List[string]       `json:"txids"`
		Tenders       List[TenderStatus] `json:"tenders"`
		Verdict       Verdict            `json:"verdict"`
		Reason        string             `json:"reason"`
		Message       string             `json:"message"`
	}
	// TenderStatus is one bitcoin tender of the snapshot.
	TenderStatus struct {
		Tender        TenderID     `json:"tender"`
		Address       string       `json:"address"`
		DueSat        Sat          `json:"due_sat"`
		ReceivedSat   Sat          `json:"received_sat"`
		Confirmations int64        `json:"confirmations"`
		TxIDs         List[string] `json:"txids"`
	}
	// Incoming is money to an address leased to this terminal outside an open
	// sale, and each change of its confirmations up to 6.
	Incoming struct {
		Address       string     `json:"address"`
		TxID          string     `json:"txid"`
		AmountSat     Sat        `json:"amount_sat"`
		Confirmations int64      `json:"confirmations"`
		Sale          SaleID     `json:"sale,omitempty"`
		Flags         List[Flag] `json:"flags"`
	}
	// ContractReady brings an e-cash tender's bill.
	ContractReady struct {
		Sale          SaleID   `json:"sale"`
		Tender        TenderID `json:"tender"`
		TransactionID string   `json:"transaction_id"`
		URL           string   `json:"url"`
		Expiry        Time     `json:"expiry"`
	}
	// InvoiceReady brings a Lightning tender's invoice.
	InvoiceReady struct {
		Sale        SaleID   `json:"sale"`
		Tender      TenderID `json:"tender"`
		Bolt11      string   `json:"bolt11"`
		PaymentHash string   `json:"payment_hash"`
		Expiry      Time     `json:"expiry"`
	}
	// DepositStatus tells how far an e-cash payment has got.
	DepositStatus struct {
		Sale    SaleID   `json:"sale"`
		Tender  TenderID `json:"tender"`
		State   string   `json:"state"` // waiting, accepted, rejected
		Amount  Money    `json:"amount"`
		Reason  string   `json:"reason"`
		Message string   `json:"message"`
	}
	// TabStatus tells how far a tab has got (merchant.md §4): what was charged,
	// and what the customer has signed for.
	TabStatus struct {
		Sale          SaleID   `json:"sale"`
		Tender        TenderID `json:"tender"`
		State         string   `json:"state"` // offered, locked, charged, paid, lapsing, lost
		TransactionID string   `json:"transaction_id"`
		MaxAmount     Money    `json:"max_amount"`
		Charged       *Money   `json:"charged,omitempty"`
		Signed        *Money   `json:"signed,omitempty"`
		LockUntil     Time     `json:"lock_until,omitzero"`
	}
	// PayoutStatus tells how far money that goes out has got.
	PayoutStatus struct {
		ID            PayoutID    `json:"id"`
		Of            PayoutKind  `json:"of"`
		State         PayoutState `json:"state"`
		TxID          string      `json:"txid"`
		Confirmations int64       `json:"confirmations"`
		Reason        string      `json:"reason"`
		Message       string      `json:"message"`
	}
	// Notice is the body of config, quote, certificate, suspended, reserve_low,
	// rate_stale and node_behind: what changed and since when.
	Notice struct {
		Reason  string `json:"reason"`
		Message string `json:"message"`
		Since   Time   `json:"since"`
		Version int64  `json:"version,omitempty"` // config
	}
)
