package memory

import (
	"cmp"
	"fmt"
	"slices"

	"sneakerdrop/internal/drop"
)

// loadWaitlist loads what a batch needs of the lines, and returns who is first in them.
func (r *row) loadWaitlist(s *drop.State, need *drop.Need) (first []drop.UserID) {
	lines := make([][]drop.Entry, len(s.Sizes))
	for _, e := range r.entries {
		waits := e.As(r.lineClosed).Status == drop.Waiting
		if slices.Contains(need.Entries, e.ID) || waits && slices.Contains(need.Waiting, e.UserID) {
			s.LoadEntry(e)
		}
		if waits {
			lines[e.Line] = append(lines[e.Line], e)
		}
	}
	for i, line := range lines {
		if s.Sizes[i].Waiting == 0 {
			continue
		}
		slices.SortFunc(line, func(a, b drop.Entry) int { return cmp.Compare(a.ID, b.ID) })
		most := drop.OffersPerLine(len(s.Sizes))
		whole := len(line) <= most
		line = line[:min(len(line), most)]
		for _, e := range line {
			first = append(first, e.UserID)
		}
		s.LoadLine(i, line, whole)
	}
	if s.DrawState.Lined > 0 && len(s.Sizes) > 1 { // a turn ends the buyer's other places
		for _, e := range r.entries {
			if e.As(r.lineClosed).Status == drop.Waiting && slices.Contains(first, e.UserID) {
				s.LoadEntry(e)
			}
		}
	}
	return first
}

// checkWaitlist refuses what a database's constraints refuse.
func (r *row) checkWaitlist(c *drop.Changes) error {
	joined := make(map[drop.EntryID]bool, len(c.Joined))
	for _, e := range c.Joined {
		if _, taken := r.entries[e.ID]; taken || joined[e.ID] {
			return fmt.Errorf("waitlist entry %d already exists", e.ID)
		}
		joined[e.ID] = true
	}
	for _, e := range c.Left {
		if have, ok := r.entries[e.ID]; !ok || have.Status != drop.Waiting {
			return fmt.Errorf("waitlist entry %d does not wait", e.ID)
		}
	}
	return nil
}
