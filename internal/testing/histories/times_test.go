//go:build !soak

package histories

// times is how many times as many histories are made.
const times = 1
