//go:build !soak

package histories_test

// times is how many times as many histories are made.
const times = 1
