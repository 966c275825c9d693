// Package draw decides who may buy a drop that is not sold first come, first served, so that anybody can decide it
// again. The result follows from a seed and from the entries. The shop commits to the seed before entries open, and may
// add the randomness of a public beacon. A Merkle tree fixes the entries at the close. docs/DRAW.md defines every
// encoding.
//
// The package is pure: it has no clock, no randomness, no files and no state. Its functions are safe for concurrent use
// as long as nobody changes their arguments.
package draw

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
)

// Version names the encodings of this package. It is part of every hash, so no value of one version fits another.
const Version = "sneakerdrop draw 1"

// Limits of a record. Lengths are in characters.
const (
	MaxEntries = 200_000
	MaxSizes   = 100
	MaxLabel   = 32
	MaxName    = 200
	MaxReason  = 200
	MaxURL     = 2048
	MaxUnits   = 10_000_000 // of all sizes together
	MaxBytes   = 64 << 20   // of an encoded record
	maxNumber  = 1<<53 - 1  // the largest whole number that is exact in JavaScript
)

// EntryID numbers the entries of one draw from 1, without gaps, in the order in which they came.
type EntryID int64

// Record is the whole public record of a draw. Close fills in what is fixed when entries close, and Run the result.
type Record struct {
	Version string `json:"version"`
	Drop    Drop   `json:"drop"`
	// Opens and Closes bound the time in which buyers could enter.
	Opens  Time `json:"opens"`
	Closes Time `json:"closes"`
	// Stock has the units to draw for. Entries name sizes by their place in it, from 0.
	Stock []Stock `json:"stock"`
	// Commitment is Commit of the seed.
	Commitment Hash `json:"commitment"`
	// Beacon is nil if the seed alone decides.
	Beacon *Beacon `json:"beacon"`
	// Count is the number of entries, withdrawn and removed ones included.
	Count int `json:"count"`
	// Root is the root of the Merkle tree over all entries.
	Root Hash `json:"root"`
	// Seal fixes at the close what the root does not: the terms, and who withdrew or was removed.
	Seal Hash `json:"seal"`
	Seed Seed `json:"seed"`
	// Winners are in the order of the draw.
	Winners []Winner `json:"winners"`
	// RunnersUp are those who won nothing, in the order of the draw. Each is next in line for all of its sizes.
	RunnersUp []EntryID `json:"runners_up"`
	// Entries are all that came, in the order of their numbers.
	Entries []Entry `json:"entries"`
}

// Drop names what is drawn for.
type Drop struct {
	// ID is from 1 to 2^53-1.
	ID int64 `json:"id"`
	// Name has 1 to MaxName characters.
	Name string `json:"name"`
}

// Stock is what one size has to draw for.
type Stock struct {
	// Size is the label, at most MaxLabel characters; empty if the drop has no sizes.
	Size string `json:"size"`
	// Units are at least 0, and at most MaxUnits over all sizes.
	Units int64 `json:"units"`
}

// Entry is what the public may know of one entry. It never has the buyer.
type Entry struct {
	ID EntryID `json:"id"`
	// Hash is HashBuyer of the entry's receipt.
	Hash Hash `json:"hash"`
	// Sizes are the places of the wanted sizes in Record.Stock, the favorite first: at least one, and none twice.
	Sizes []int `json:"sizes"`
	// Withdrawn means that the buyer took the entry back before the close.
	Withdrawn bool `json:"withdrawn,omitzero"`
	// Removed is why an operator took the entry out before the close; empty: no operator did. At most MaxReason
	// characters.
	Removed string `json:"removed,omitzero"`
}

// Drawn reports whether the entry takes part in the draw.
func (e *Entry) Drawn() bool { return !e.Withdrawn && e.Removed == "" }

// Winner is an entry with the size that it won.
type Winner struct {
	Entry EntryID `json:"entry"`
	// Size is the size's place in Record.Stock.
	Size int `json:"size"`
}

// Close fills in Version, Count, Root and Seal from the terms and the entries. Nothing that these cover may change
// afterwards. It returns an error if the terms or the entries break a rule of the format.
func (r *Record) Close() error {
	r.Version, r.Count = Version, len(r.Entries)
	if err := r.check(); err != nil {
		return err
	}
	r.Root = Root(r.leaves())
	r.Seal = r.seal()
	return nil
}

// Run fills in Winners and RunnersUp. The record must be closed, and have its seed and the beacon's randomness and
// signature, if it has a beacon. It returns an error, and changes nothing, if any of these does not hold.
func (r *Record) Run() error {
	if err := r.checkInputs(); err != nil {
		return err
	}
	r.Winners, r.RunnersUp = r.decide()
	return nil
}

// decide draws. The entries must be checked.
func (r *Record) decide() (winners []Winner, runnersUp []EntryID) {
	left := make([]int64, len(r.Stock))
	for i := range r.Stock {
		left[i] = r.Stock[i].Units
	}
	winners, runnersUp = []Winner{}, []EntryID{}
	for _, e := range r.order() {
		won := slices.IndexFunc(e.Sizes, func(size int) bool { return left[size] > 0 })
		if won < 0 {
			runnersUp = append(runnersUp, e.ID)
			continue
		}
		left[e.Sizes[won]]--
		winners = append(winners, Winner{Entry: e.ID, Size: e.Sizes[won]})
	}
	return winners, runnersUp
}

// order returns the entries that take part, the lowest score first. Equal scores are in the order of numbers.
func (r *Record) order() []*Entry {
	type scored struct {
		score Hash
		*Entry
	}
	mac := hmac.New(sha256.New, r.key())
	all := make([]scored, 0, len(r.Entries))
	for i := range r.Entries {
		e := &r.Entries[i]
		if !e.Drawn() {
			continue
		}
		mac.Reset()
		mac.Write(binary.BigEndian.AppendUint64(nil, uint64(e.ID)))
		s := scored{Entry: e}
		mac.Sum(s.score[:0])
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b scored) int {
		return cmp.Or(bytes.Compare(a.score[:], b.score[:]), cmp.Compare(a.ID, b.ID))
	})
	ordered := make([]*Entry, len(all))
	for i := range all {
		ordered[i] = all[i].Entry
	}
	return ordered
}

// key is the key of the scores: the seed, and the beacon's randomness if there is a beacon.
func (r *Record) key() []byte {
	key := slices.Clone(r.Seed[:])
	if r.Beacon != nil {
		key = append(key, r.Beacon.Randomness[:]...)
	}
	return key
}

var errSeed = errors.New("the seed does not match the commitment")

// Commit is what a shop publishes of a seed before entries open.
func Commit(s Seed) Hash {
	return sha256.Sum256(append(tagged("seed"), s[:]...))
}
