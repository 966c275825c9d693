package drop_test

import (
	"fmt"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
)

// BenchmarkApply measures the state machine alone, with batches of reserves. Each buyer comes once.
func BenchmarkApply(b *testing.B) {
	for _, size := range []int{1, 10, 100, 500} {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			cmds := make([]drop.Command, size)
			user := drop.UserID(0)
			b.ReportAllocs()
			for b.Loop() {
				for i := range cmds {
					user++
					cmds[i] = drop.Reserve{User: user, Hold: time.Minute}
				}
				stock := drop.Stock{Total: drop.MaxStock, Available: drop.MaxStock}
				s := &drop.State{Drop: drop.Drop{ID: 1, Sizes: []drop.Size{{Stock: stock}}}}
				if _, changes := drop.Apply(s, 1769853600000, drop.BatchID{1}, cmds); len(changes.Made) != size {
					b.Fatalf("%d of %d were made", len(changes.Made), size)
				}
			}
			b.ReportMetric(float64(b.N)*float64(size)/b.Elapsed().Seconds(), "reservations/s")
		})
	}
}
