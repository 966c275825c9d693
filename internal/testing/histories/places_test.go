package histories

import "sneakerdrop/internal/testing/stores"

// in returns a place with that many servers on one store, which fails if the setting says so.
func in(servers int, engine string) func(*history) *place {
	return func(h *history) *place {
		s := stores.Open(h.t, engine)
		p := &place{direct: s}
		var troubles []*troubled
		for i := range servers {
			if !h.faults {
				p.stores = append(p.stores, s)
				continue
			}
			t := newTroubled(h, s, uint64(i))
			troubles = append(troubles, t)
			p.stores = append(p.stores, t)
			p.trouble = append(p.trouble, t.run)
		}
		p.settle = func() {
			for _, t := range troubles {
				t.late.Wait()
			}
		}
		return p
	}
}
