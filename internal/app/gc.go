package app

import (
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// gcPercent lets the heap grow to four times the live data before a collection. The live data is about 20 MB, and
// each collection costs the same. See docs/BENCHMARKS.md for measurements.
const gcPercent = 300

// tuneGC sets the garbage collector, unless GOGC or GOMEMLIMIT is set. In a container it limits memory to four fifths
// of what the container has.
func tuneGC(log *slog.Logger) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	limit, err := memlimit.Set(memlimit.WithRatio(0.8), memlimit.WithProvider(memlimit.FromCgroup))
	if err == nil && limit > 0 {
		log.Debug("memory is limited", "bytes", limit)
	}
}
