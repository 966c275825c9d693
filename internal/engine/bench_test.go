package engine_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store/memory"
)

// BenchmarkReserve measures a lane over the model store, with 256 callers that each wait for their answer.
func BenchmarkReserve(b *testing.B) {
	e := engine.New(memory.New(localNow), engine.Config{Hold: 1000 * time.Hour})
	stock := int64(drop.MaxStock)
	if _, err := e.Create(context.Background(), drop.Spec{Name: "Air Zenith 1", TotalStock: &stock}, engine.Retry{}); err != nil {
		b.Fatal(err)
	}
	var user atomic.Int64
	b.SetParallelism(128)
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if _, err := e.Reserve(context.Background(), 1, drop.UserID(user.Add(1)), "", engine.Retry{}); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
