package draw

import (
	"errors"
	"fmt"
	"slices"
)

// Receipt is what a buyer gets when it enters. It says which entry is the buyer's, and its salt proves that.
type Receipt struct {
	Version string `json:"version"`
	// Drop is the number of the drop.
	Drop  int64   `json:"drop"`
	Entry EntryID `json:"entry"`
	// Buyer is the buyer's number, from 1 to 2^53-1.
	Buyer int64 `json:"buyer"`
	Salt  Salt  `json:"salt"`
	// Sizes are the labels of the wanted sizes, the favorite first.
	Sizes []string `json:"sizes"`
}

// Leaf is the leaf of the entry in the Merkle tree. It is fixed from the moment of entry on.
func (r *Receipt) Leaf() Hash { return Leaf(r.Drop, r.Entry, HashBuyer(r.Salt, r.Buyer), r.Sizes) }

// Encode returns the one encoding of the receipt: JSON on one line that ends with a line feed. It returns an error if
// a text is not UTF-8.
func (r *Receipt) Encode() ([]byte, error) { return encode(r) }

// MaxReceiptBytes is the most bytes that a receipt may have: MaxSizes labels of MaxLabel characters fit.
const MaxReceiptBytes = 64 << 10

// ParseReceipt reads what Receipt.Encode wrote. It returns an error that names the field for anything else.
func ParseReceipt(data []byte) (*Receipt, error) {
	if len(data) > MaxReceiptBytes {
		return nil, fmt.Errorf("the receipt has %d bytes, and may have %d", len(data), MaxReceiptBytes)
	}
	r := new(Receipt)
	if err := parse("receipt", data, r); err != nil {
		return nil, err
	}
	if r.Version != Version {
		return nil, fmt.Errorf("version: must be %q", Version)
	}
	return r, nil
}

// Outcome is where an entry came.
type Outcome struct {
	// Won means that the entry won a unit of Size.
	Won  bool
	Size string
	// Place is the place among the runners-up, from 1; 0: the entry is none.
	Place int
	// Withdrawn and Removed are those of the entry.
	Withdrawn bool
	Removed   string
}

// Find says where the buyer's entry came. The record must be verified. Find returns an error if the receipt is not of
// an entry in it.
func (r *Record) Find(receipt *Receipt) (Outcome, error) {
	if receipt.Drop != r.Drop.ID {
		return Outcome{}, fmt.Errorf("the receipt is of drop %d, the record of drop %d", receipt.Drop, r.Drop.ID)
	}
	if receipt.Entry < 1 || int64(receipt.Entry) > int64(len(r.Entries)) {
		return Outcome{}, fmt.Errorf("the receipt is of entry %d, the record has %d entries", receipt.Entry, len(r.Entries))
	}
	e := &r.Entries[receipt.Entry-1]
	if e.Hash != HashBuyer(receipt.Salt, receipt.Buyer) {
		return Outcome{}, fmt.Errorf("entry %d: the record has another buyer than the receipt", e.ID)
	}
	if !slices.Equal(r.labels(e), receipt.Sizes) {
		return Outcome{}, fmt.Errorf("entry %d: the record has other sizes than the receipt", e.ID)
	}
	outcome := Outcome{Withdrawn: e.Withdrawn, Removed: e.Removed}
	if i := slices.IndexFunc(r.Winners, func(w Winner) bool { return w.Entry == e.ID }); i >= 0 {
		outcome.Won, outcome.Size = true, r.Stock[r.Winners[i].Size].Size
	}
	outcome.Place = slices.Index(r.RunnersUp, e.ID) + 1
	if e.Drawn() && !outcome.Won && outcome.Place == 0 {
		return Outcome{}, errors.New("the record does not say where the entry came; verify it first")
	}
	return outcome, nil
}
