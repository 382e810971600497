package server

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"time"

	"till/protocol"
	"till/protocol/taler"
)

// The transaction_id of a product's bill, 63 bits: minute modulo 64, quantity (10),
// a keyed hash of the sku (16), and one of everything with the price (31). It tells
// what is sold, so nothing is kept until somebody pays; forging one gives a contract
// that anybody may ask for.
const (
	minuteBits, quantityBits, itemBits, tagBits = 6, 10, 16, 31
	minutes                                     = 1 << minuteBits
)

func (d *cashDesk) mac(parts ...string) uint64 {
	h := hmac.New(sha256.New, d.product)
	for _, p := range parts {
		h.Write([]byte(strconv.Itoa(len(p)) + ":" + p))
	}
	return binary.BigEndian.Uint64(h.Sum(nil))
}

func (d *cashDesk) itemHash(sku string) uint64 { return d.mac("item", sku) >> (64 - itemBits) }

// productID names pieces of an item sold in a minute (since 1970).
func (d *cashDesk) productID(item *protocol.Item, quantity, minute int64) taler.TransactionID {
	tag := d.mac("bill", item.SKU, item.Name, item.Price.String(), strconv.FormatInt(quantity, 10), strconv.FormatInt(minute, 10)) >> (64 - tagBits)
	id := uint64(minute%minutes)<<quantityBits | uint64(quantity)
	return taler.TransactionID((id<<itemBits|d.itemHash(item.SKU))<<tagBits | tag)
}

// productBill makes the bill of pieces of an item sold in a minute.
func (s *Server) productBill(item *protocol.Item, quantity, minute int64) (*Bill, error) {
	line := protocol.Line{SKU: item.SKU, Name: item.Name, Quantity: quantity * 1000, Price: *item.Price}
	amount, err := line.Total()
	if err != nil {
		return nil, err
	}
	begun := protocol.Time(minute * time.Minute.Milliseconds())
	return &Bill{
		ID: s.cash.productID(item, quantity, minute).String(), Kind: BillProduct, State: BillOpen, Amount: amount,
		Most: protocol.Money{Currency: amount.Currency}, Ends: begun.Add(s.rules().PaymentWindow),
		Description: describe([]protocol.Line{line}),
	}, nil
}

func minuteOf(t protocol.Time) int64 { return int64(t) / time.Minute.Milliseconds() }

// productContract gives the same contract for the same product, quantity and minute.
func (s *Server) productContract(ctx context.Context, q *taler.ContractRequest) ([]byte, error) {
	items, err := s.priced(ctx)
	if err != nil {
		return nil, err
	}
	for i := range items {
		if items[i].SKU != q.Product {
			continue
		}
		b, err := s.productBill(&items[i], int64(q.Quantity), minuteOf(s.o.Clock()))
		if err != nil {
			return nil, &taler.Error{Status: 400, Parameter: "quantity", Reason: "too much"}
		}
		refs, _, err := s.cash.mints(ctx)
		if err != nil {
			return nil, errNoMint
		}
		c, err := s.signProduct(b, refs)
		if err != nil {
			return nil, err
		}
		return c.Text(), nil
	}
	return nil, notOffered("product", "no such product with a price")
}

func (s *Server) signProduct(b *Bill, refs []taler.MintRef) (*taler.Contract, error) {
	t, err := s.cash.terms(b, refs)
	if err != nil {
		return nil, err
	}
	c, err := taler.NewContract(t, s.cash.key)
	if err != nil {
		return nil, fmt.Errorf("sign contract: %w", err)
	}
	return c, nil
}

// priced gives the goods that have a price.
func (s *Server) priced(ctx context.Context) (priced []protocol.Item, err error) {
	err = s.o.Store.Read(ctx, func(tx *Tx) error {
		items, err := tx.Shop.Items()
		priced = nil
		for _, item := range items {
			if item.Price != nil && item.Price.Minor > 0 {
				priced = append(priced, item)
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list items: %w", err)
	}
	return priced, nil
}

var errNoBill = notOffered("transaction_id", "no such transaction")

// recallProduct makes the bill and the contract again that a transaction_id of a
// product stands for.
func (s *Server) recallProduct(ctx context.Context, id taler.TransactionID) (*Bill, *taler.Contract, error) {
	items, err := s.priced(ctx)
	if err != nil {
		return nil, nil, err
	}
	item := uint64(id) >> tagBits & (1<<itemBits - 1)
	quantity := int64(uint64(id) >> (tagBits + itemBits) & (1<<quantityBits - 1))
	now := minuteOf(s.o.Clock())
	minute := now - (now-int64(uint64(id)>>(tagBits+itemBits+quantityBits)))%minutes
	for i := range items {
		if quantity < 1 || s.cash.itemHash(items[i].SKU) != item || s.cash.productID(&items[i], quantity, minute) != id {
			continue
		}
		b, err := s.productBill(&items[i], quantity, minute)
		if err != nil {
			return nil, nil, errNoBill
		}
		refs, _, err := s.cash.mints(ctx)
		if err != nil {
			return nil, nil, errNoMint
		}
		c, err := s.signProduct(b, refs)
		return b, c, err
	}
	return nil, nil, errNoBill
}

// keepProduct stores a product's bill with its first permission.
func (w *work) keepProduct(b *Bill, c *taler.Contract) (*Bill, error) {
	stored, err := w.Bills.Get(b.ID)
	if !errors.Is(err, ErrNotFound) {
		return stored, err
	}
	kept := *b
	kept.Contract = c.Hash().String()
	if err := w.Bills.Insert(&kept); err != nil {
		return nil, fmt.Errorf("store bill: %w", err)
	}
	return &kept, w.Contracts.Put(&StoredContract{Hash: kept.Contract, Bill: kept.ID, Text: c.Text()})
}
