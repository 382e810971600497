package purse

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"till/protocol"
	"till/protocol/taler"
)

// Errors that a command branches on.
var (
	// ErrUnreachable: the other side does not answer; the same command goes on later.
	ErrUnreachable = errors.New("no answer")
	// ErrRefused: the other side said no.
	ErrRefused = errors.New("refused")
	// ErrTooLittle: the coins at hand do not make the amount.
	ErrTooLittle = errors.New("not enough coins")
	// ErrHeld: another process uses the purse.
	ErrHeld = errors.New("another process uses this purse")
)

// Options are what a [Purse] stands on; all are needed.
type Options struct {
	Path   string
	Clock  func() time.Time
	Random io.Reader
	HTTP   *http.Client
}

// Purse is an open purse. It is used by one goroutine.
type Purse struct {
	o    Options
	lock *os.File
	s    stored
}

// stored is the file. Keys, signatures and seeds are base32, messages are canonical
// JSON, amounts millionths.
type stored struct {
	Mints    []*mintRecord    `json:"mints"`
	Drafts   []*draftRecord   `json:"drafts"`
	Coins    []*coinRecord    `json:"coins"`
	Payments []*paymentRecord `json:"payments"`
	Tabs     []*tabRecord     `json:"tabs"`
}

// mintRecord is a mint whose master key is pinned, with the reserve kept there.
type mintRecord struct {
	URL     string `json:"url"`
	Master  string `json:"mint_pub"`
	Reserve string `json:"reserve"` // its seed
}

// draftRecord is a coin that the mint has not signed yet.
type draftRecord struct {
	Mint     string `json:"mint_pub"`
	Denom    string `json:"denom_pub"`
	Key      string `json:"key"`
	Blinding string `json:"blinding"`
}

// coinRecord is a coin. Left is what was not handed over.
type coinRecord struct {
	Mint     string            `json:"mint_pub"`
	Denom    string            `json:"denom_pub"`
	Key      string            `json:"key"`
	UBSig    string            `json:"ubsig"`
	Currency protocol.Currency `json:"currency"`
	Value    uint64            `json:"value"`
	Left     uint64            `json:"left"`
	// Held is until when the mint is known to hold it for something that is over for
	// this purse, such as a lot whose coin is not let go yet.
	Held time.Time `json:"held,omitzero"`
}

// States of a payment.
const (
	statePending = "pending" // sent, perhaps: only the identical request may follow
	statePaid    = "paid"
	stateRefused = "refused"
	stateFree    = "free" // a lottery that cost nothing
)

// paymentRecord is what was signed for a contract.
type paymentRecord struct {
	Link     string          `json:"link"`
	State    string          `json:"state"`
	At       time.Time       `json:"at"`
	Contract json.RawMessage `json:"contract"`
	Sent     json.RawMessage `json:"sent"`
	Answer   json.RawMessage `json:"answer,omitempty"`
}

// Open opens the purse, an empty one where there is no file. Another process keeps
// it out: [ErrHeld].
func Open(o Options) (*Purse, error) {
	lock, err := os.OpenFile(o.Path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open purse: %w", err)
	}
	p := &Purse{o: o, lock: lock}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("open purse: %w", ErrHeld), lock.Close())
	}
	text, err := os.ReadFile(o.Path)
	if errors.Is(err, os.ErrNotExist) {
		return p, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &p.s)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read purse: %w", err), lock.Close())
	}
	return p, nil
}

// Close releases the purse.
func (p *Purse) Close() error { return p.lock.Close() }

// save writes the file, whole and durable.
func (p *Purse) save() error {
	text, err := json.MarshalIndent(p.s, "", " ")
	if err != nil {
		return fmt.Errorf("write purse: %w", err)
	}
	f, err := os.OpenFile(p.o.Path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write purse: %w", err)
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(p.o.Path+".new", p.o.Path)
	}
	if err != nil {
		return fmt.Errorf("write purse: %w", err)
	}
	dir, err := os.Open(filepath.Dir(p.o.Path))
	if err == nil {
		err = errors.Join(dir.Sync(), dir.Close())
	}
	if err != nil {
		return fmt.Errorf("write purse: %w", err)
	}
	return nil
}

// Holding is what the purse holds of one mint's coins.
type Holding struct {
	Mint   string         `json:"mint_pub"`
	URL    string         `json:"url"`
	Amount protocol.Money `json:"amount"`
	Coins  int            `json:"coins"`
}

// Balance tells what is left, by mint.
func (p *Purse) Balance() ([]Holding, error) {
	list := []Holding{}
	for _, m := range p.s.Mints {
		h := Holding{Mint: m.Master, URL: m.URL}
		left := uint64(0)
		for _, c := range p.s.Coins {
			if c.Mint == m.Master && c.Left > 0 {
				h.Amount.Currency = c.Currency
				h.Coins++
				left += c.Left
			}
		}
		if h.Coins == 0 {
			continue
		}
		a, err := taler.NewAmount(h.Amount.Currency, left)
		if err != nil {
			return nil, fmt.Errorf("sum coins: %w", err)
		}
		if h.Amount, err = a.Money(); err != nil {
			return nil, fmt.Errorf("sum coins: %w", err)
		}
		list = append(list, h)
	}
	return list, nil
}

// coin gives a record as a coin that can sign.
func (c *coinRecord) coin() (*taler.Coin, error) {
	key, err := taler.ParsePrivateKey(c.Key)
	if err != nil {
		return nil, fmt.Errorf("read coin: %w", err)
	}
	mint, err := taler.ParsePublicKey(c.Mint)
	if err != nil {
		return nil, fmt.Errorf("read coin: %w", err)
	}
	denom, err := taler.ParseDenomPub(c.Denom)
	if err != nil {
		return nil, fmt.Errorf("read coin: %w", err)
	}
	sig, err := taler.DecodeBase32(c.UBSig)
	if err != nil {
		return nil, fmt.Errorf("read coin: %w", err)
	}
	return &taler.Coin{Key: key, Public: taler.PublicCoin{Coin: key.Public(), Mint: mint, Denom: denom, UBSig: sig}}, nil
}

func seed(k taler.PrivateKey) string {
	b := k.Reveal()
	return taler.EncodeBase32(b[:])
}
