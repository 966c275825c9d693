package memory

import (
	"fmt"

	"sneakerdrop/internal/drop"
)

// loadPasses loads the passes that a batch looks up.
func (r *row) loadPasses(s *drop.State, need *drop.Need) {
	for _, hash := range need.Passes {
		if id, ok := r.byHash[hash]; ok {
			s.LoadPass(r.passes[id])
		}
	}
}

// checkPasses refuses what a database's constraints refuse.
func (r *row) checkPasses(c *drop.Changes) error {
	ids, hashes := make(map[drop.PassID]bool, len(c.Passes)), make(map[drop.Hash]bool, len(c.Passes))
	for _, p := range c.Passes {
		_, taken := r.passes[p.ID]
		_, known := r.byHash[p.Hash]
		if taken || known || ids[p.ID] || hashes[p.Hash] {
			return fmt.Errorf("pass %d already exists", p.ID)
		}
		ids[p.ID], hashes[p.Hash] = true, true
	}
	return nil
}

func (r *row) writePasses(c *drop.Changes) {
	for _, p := range c.Passes {
		r.passes[p.ID], r.byHash[p.Hash] = p, p.ID
	}
	for _, u := range c.Uses {
		if p, ok := r.passes[u.Pass]; ok {
			p.Used = max(p.Used+u.More, 0)
			r.passes[u.Pass] = p
		}
	}
}
