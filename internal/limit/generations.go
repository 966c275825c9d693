package limit

// generations keep a value for each caller, in bounded memory. There are two: a caller moves to the young one when its
// value is put, and when that is full, the old one is dropped.
type generations[K comparable, V any] struct {
	most       int // the most callers in a generation
	young, old map[K]V
}

// generationsOf returns generations that remember at most the given number of callers.
func generationsOf[K comparable, V any](callers int) generations[K, V] {
	return generations[K, V]{most: max(callers/2, 1), young: make(map[K]V)}
}

// get returns a caller's value, zero if it has none or was forgotten.
func (g *generations[K, V]) get(caller K) V {
	if v, ok := g.young[caller]; ok {
		return v
	}
	return g.old[caller]
}

func (g *generations[K, V]) put(caller K, v V) {
	if _, there := g.young[caller]; !there && len(g.young) >= g.most {
		g.old, g.young = g.young, make(map[K]V)
	}
	g.young[caller] = v
}

func (g *generations[K, V]) forget(caller K) {
	delete(g.young, caller)
	delete(g.old, caller)
}
