//go:build !soak

package histories

// times is how often the usual number of histories is made.
const times = 1
