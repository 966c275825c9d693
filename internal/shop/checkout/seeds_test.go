//go:build !soak

package checkout_test

func simulationSeeds() []uint64 {
	seeds := make([]uint64, 300)
	for i := range seeds {
		seeds[i] = uint64(i) + 1
	}
	return seeds
}
