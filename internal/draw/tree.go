package draw

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// tagged begins what is hashed for one purpose, so that no hash serves another.
func tagged(purpose string) []byte { return appendText(nil, Version+" "+purpose) }

// appendText appends the length of a text in bytes, as 4 bytes, and the text in UTF-8.
func appendText[T string | []byte](b []byte, text T) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(text))), text...)
}

func appendNumber[T ~int | ~int64](b []byte, n T) []byte {
	return binary.BigEndian.AppendUint64(b, uint64(n))
}

// HashBuyer is the salted hash that stands for a buyer in the public record. Nobody without the salt can tell whose it
// is. buyer is the buyer's number, from 1 to 2^53-1.
func HashBuyer(salt Salt, buyer int64) Hash {
	return sha256.Sum256(appendNumber(append(tagged("buyer"), salt[:]...), buyer))
}

// Leaf is the leaf of an entry in the Merkle tree. sizes are the labels of the wanted sizes, the favorite first.
func Leaf(drop int64, id EntryID, buyer Hash, sizes []string) Hash {
	b := appendNumber(appendNumber(append([]byte{0}, tagged("entry")...), drop), id)
	b = append(b, buyer[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(sizes)))
	for _, label := range sizes {
		b = appendText(b, label)
	}
	return sha256.Sum256(b)
}

// node is the parent of two nodes. Its first byte differs from a leaf's, so that no node can pass for a leaf.
func node(left, right Hash) Hash {
	var b [1 + 2*len(left)]byte
	b[0] = 1
	copy(b[1:], left[:])
	copy(b[1+len(left):], right[:])
	return sha256.Sum256(b[:])
}

func (r *Record) leaves() []Hash {
	leaves := make([]Hash, len(r.Entries))
	for i := range r.Entries {
		e := &r.Entries[i]
		leaves[i] = Leaf(r.Drop.ID, e.ID, e.Hash, r.labels(e))
	}
	return leaves
}

func (r *Record) labels(e *Entry) []string {
	labels := make([]string, len(e.Sizes))
	for i, size := range e.Sizes {
		labels[i] = r.Stock[size].Size
	}
	return labels
}

// Root is the root of the Merkle tree of RFC 6962, section 2.1, over leaves that are hashed already. Without leaves it
// is the SHA-256 of nothing.
func Root(leaves []Hash) Hash {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	}
	k := split(len(leaves))
	return node(Root(leaves[:k]), Root(leaves[k:]))
}

// split is the largest power of two below n, which must be at least 2: as many leaves are on the left.
func split(n int) int { return 1 << (bits.Len(uint(n-1)) - 1) }

// Proof shows that one entry is part of a tree. It is the audit path of RFC 6962, section 2.1.1.
type Proof struct {
	Entry EntryID `json:"entry"`
	// Count is the number of entries in the tree.
	Count int `json:"count"`
	// Path has the nodes beside the way from the leaf to the root, from the bottom up.
	Path []Hash `json:"path"`
}

// Prove returns the proof of an entry. It returns an error if there is no such entry among the leaves, which are in the
// order of the entries.
func Prove(leaves []Hash, id EntryID) (Proof, error) {
	if id < 1 || int64(id) > int64(len(leaves)) {
		return Proof{}, fmt.Errorf("there is no entry %d among %d", id, len(leaves))
	}
	return Proof{Entry: id, Count: len(leaves), Path: path(leaves, int(id-1))}, nil
}

func path(leaves []Hash, i int) []Hash {
	if len(leaves) == 1 {
		return []Hash{}
	}
	k := split(len(leaves))
	if i < k {
		return append(path(leaves[:k], i), Root(leaves[k:]))
	}
	return append(path(leaves[k:], i-k), Root(leaves[:k]))
}

var errProof = errors.New("the proof does not lead from the receipt to the root")

// Check reports by an error that the proof does not lead from the leaf to the root.
func (p *Proof) Check(leaf, root Hash) error {
	if p.Entry < 1 || int64(p.Entry) > int64(p.Count) || p.Count > MaxEntries {
		return fmt.Errorf("the proof has no place for entry %d among %d", p.Entry, p.Count)
	}
	made, err := rootBy(p.Path, int(p.Entry-1), p.Count, leaf)
	if err != nil {
		return err
	}
	if made != root {
		return errProof
	}
	return nil
}

// rootBy is the root of a tree of n leaves, of which leaf is number i, by its path.
func rootBy(path []Hash, i, n int, leaf Hash) (Hash, error) {
	if n == 1 {
		if len(path) > 0 {
			return Hash{}, errProof
		}
		return leaf, nil
	}
	if len(path) == 0 {
		return Hash{}, errProof
	}
	below, beside := path[:len(path)-1], path[len(path)-1]
	k := split(n)
	if i < k {
		left, err := rootBy(below, i, k, leaf)
		return node(left, beside), err
	}
	right, err := rootBy(below, i-k, n-k, leaf)
	return node(beside, right), err
}

// seal hashes the terms, the root, and who does not take part.
func (r *Record) seal() Hash {
	b := appendText(appendNumber(tagged("seal"), r.Drop.ID), r.Drop.Name)
	b = append(appendNumber(appendNumber(b, r.Opens), r.Closes), r.Commitment[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(r.Stock)))
	for i := range r.Stock {
		b = appendNumber(appendText(b, r.Stock[i].Size), r.Stock[i].Units)
	}
	if r.Beacon == nil {
		b = append(b, 0)
	} else {
		b = r.Beacon.appendTerms(append(b, 1))
	}
	b = append(appendNumber(b, r.Count), r.Root[:]...)
	var withdrawn, removed []*Entry
	for i := range r.Entries {
		switch e := &r.Entries[i]; {
		case e.Withdrawn:
			withdrawn = append(withdrawn, e)
		case e.Removed != "":
			removed = append(removed, e)
		}
	}
	b = appendNumber(b, len(withdrawn))
	for _, e := range withdrawn {
		b = appendNumber(b, e.ID)
	}
	b = appendNumber(b, len(removed))
	for _, e := range removed {
		b = appendText(appendNumber(b, e.ID), e.Removed)
	}
	return sha256.Sum256(b)
}
