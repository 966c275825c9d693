package memory

import (
	"fmt"
	"slices"

	"sneakerdrop/internal/drop"
)

// loadDraw loads what a batch needs of the draw.
func (r *row) loadDraw(s *drop.State, need *drop.Need) {
	if len(need.Entrants) == 0 && len(need.DrawEntries) == 0 {
		return
	}
	for _, e := range r.drawEntries {
		if slices.Contains(need.Entrants, e.UserID) || slices.Contains(need.DrawEntries, e.ID) {
			s.LoadDrawEntry(e)
		}
	}
}

// checkDraw refuses what a database's constraints refuse.
func (r *row) checkDraw(c *drop.Changes) error {
	entered := make(map[drop.EntryID]bool, len(c.Entered))
	for _, e := range c.Entered {
		if _, taken := r.drawEntries[e.ID]; taken || entered[e.ID] {
			return fmt.Errorf("draw entry %d already exists", e.ID)
		}
		entered[e.ID] = true
	}
	for _, e := range c.Redrawn {
		if _, ok := r.drawEntries[e.ID]; !ok {
			return fmt.Errorf("there is no draw entry %d", e.ID)
		}
	}
	return nil
}
