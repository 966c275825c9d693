package records

import "sneakerdrop/internal/drop"

// Passes contains rows of type drop.Pass.
var Passes = table[drop.Pass](Table{Name: "passes", Key: "id", Drop: "drop_id", Rights: "SELECT, INSERT, UPDATE (used)"},
	number("id", func(p *drop.Pass) *drop.PassID { return &p.ID }),
	array("hash", Bytes, func(p *drop.Pass) []byte { return p.Hash[:] }),
	number("used", func(p *drop.Pass) *int { return &p.Used }),
)

// accesses reads the stored accesses of a drop. Damaged ones become a single one that lets nobody in. An audit finds
// what was kept for them.
func accesses(stored string) []drop.Access {
	all, err := drop.DecodeAccesses(stored)
	if err != nil {
		return []drop.Access{drop.DamagedAccess()}
	}
	return all
}
