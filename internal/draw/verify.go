package draw

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// Verify runs the draw again. It returns nil if the record is right, and otherwise an error that names the first thing
// that is wrong.
func (r *Record) Verify() error {
	if err := r.checkInputs(); err != nil {
		return err
	}
	winners, runnersUp := r.decide()
	if err := compare("winner", "winners", r.Winners, winners, func(w Winner) EntryID { return w.Entry }); err != nil {
		return err
	}
	for i, w := range r.Winners {
		if want := winners[i].Size; w.Size != want {
			return fmt.Errorf("winner %d has size %s, the draw gives size %s", i+1, r.sizeName(w.Size), r.sizeName(want))
		}
	}
	return compare("runner-up", "runners-up", r.RunnersUp, runnersUp, func(id EntryID) EntryID { return id })
}

func (r *Record) sizeName(size int) string {
	if size < 0 || size >= len(r.Stock) {
		return fmt.Sprintf("number %d, which is not in stock", size)
	}
	return fmt.Sprintf("%q", r.Stock[size].Size)
}

func compare[T any](one, many string, has, want []T, id func(T) EntryID) error {
	for i := range min(len(has), len(want)) {
		if id(has[i]) != id(want[i]) {
			return fmt.Errorf("%s %d is entry %d, the draw gives entry %d", one, i+1, id(has[i]), id(want[i]))
		}
	}
	if len(has) != len(want) {
		return fmt.Errorf("the record has %d %s, the draw gives %d", len(has), many, len(want))
	}
	return nil
}

// checkInputs checks everything except the result.
func (r *Record) checkInputs() error {
	if err := r.check(); err != nil {
		return err
	}
	if r.Count != len(r.Entries) {
		return fmt.Errorf("the count is %d, the record has %d entries", r.Count, len(r.Entries))
	}
	if root := Root(r.leaves()); r.Root != root {
		return fmt.Errorf("the root is %s, the entries make %s", r.Root, root)
	}
	if r.Commitment != Commit(r.Seed) {
		return errSeed
	}
	if seal := r.seal(); r.Seal != seal {
		return fmt.Errorf("the seal is %s, the record makes %s: the drop, its times, its stock, the beacon's round, "+
			"or who withdrew or was removed has changed since the close", r.Seal, seal)
	}
	if r.Beacon != nil {
		return r.Beacon.Verify()
	}
	return nil
}

// check checks the terms and the entries by themselves.
func (r *Record) check() error {
	if r.Version != Version {
		return fmt.Errorf("version: must be %q", Version)
	}
	if r.Drop.ID < 1 || r.Drop.ID > maxNumber {
		return errors.New("drop.id: must be from 1 to 9007199254740991")
	}
	if err := checkText(r.Drop.Name, 1, MaxName); err != nil {
		return fmt.Errorf("drop.name: %w", err)
	}
	if r.Opens < 0 || r.Closes > lastTime || r.Opens >= r.Closes {
		return errors.New("opens: must be before closes")
	}
	if err := r.checkStock(); err != nil {
		return err
	}
	if r.Beacon != nil {
		if err := r.Beacon.check(r.Closes); err != nil {
			return err
		}
	}
	return r.checkEntries()
}

func (r *Record) checkStock() error {
	if len(r.Stock) < 1 || len(r.Stock) > MaxSizes {
		return fmt.Errorf("stock: must have 1 to %d sizes", MaxSizes)
	}
	seen := make(map[string]bool, len(r.Stock))
	var sum int64
	for i, s := range r.Stock {
		if err := checkText(s.Size, 0, MaxLabel); err != nil {
			return fmt.Errorf("stock %d: size: %w", i+1, err)
		}
		if seen[s.Size] {
			return fmt.Errorf("stock %d: size: is there twice", i+1)
		}
		seen[s.Size] = true
		if s.Units < 0 || s.Units > MaxUnits-sum {
			return fmt.Errorf("stock %d: units: must be at least 0, and at most %d over all sizes", i+1, MaxUnits)
		}
		sum += s.Units
	}
	return nil
}

func (r *Record) checkEntries() error {
	if len(r.Entries) > MaxEntries {
		return fmt.Errorf("entries: must be at most %d", MaxEntries)
	}
	var seen [MaxSizes]EntryID
	for i := range r.Entries {
		e := &r.Entries[i]
		want := EntryID(i + 1)
		if e.ID != want {
			return fmt.Errorf("entry %d: its place has the number %d; entries are numbered from 1 without gaps", want, e.ID)
		}
		if len(e.Sizes) == 0 {
			return fmt.Errorf("entry %d: sizes: must be at least one", e.ID)
		}
		for _, size := range e.Sizes {
			if size < 0 || size >= len(r.Stock) {
				return fmt.Errorf("entry %d: sizes: %d is not in stock", e.ID, size)
			}
			if seen[size] == e.ID {
				return fmt.Errorf("entry %d: sizes: %d is there twice", e.ID, size)
			}
			seen[size] = e.ID
		}
		if e.Withdrawn && e.Removed != "" {
			return fmt.Errorf("entry %d: is withdrawn and removed; it can only be one of these", e.ID)
		}
		if err := checkText(e.Removed, 0, MaxReason); err != nil {
			return fmt.Errorf("entry %d: removed: %w", e.ID, err)
		}
	}
	return nil
}

func checkText(s string, least, most int) error {
	if n := utf8.RuneCountInString(s); n < least || n > most || !utf8.ValidString(s) {
		return fmt.Errorf("must have %d to %d characters", least, most)
	}
	return nil
}
