//go:build soak

package checkout_test

import "time"

// simulationSeeds start at a different number each time.
func simulationSeeds() []uint64 {
	first := uint64(time.Now().UnixNano())
	seeds := make([]uint64, 10_000)
	for i := range seeds {
		seeds[i] = first + uint64(i)
	}
	return seeds
}
