//go:build soak

package test

import "testing"

func TestSoak_AThousandWaitInLine(t *testing.T) {
	playLine(t, lineUp{holders: 100, waiters: 1000, connections: 64})
}
