package app

import (
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// gcPercent lets the heap grow to four times what is in use before it is collected: what is in use are some 20 MB,
// and each collection costs the same. Measured: docs/BENCHMARKS.md.
const gcPercent = 300

// tuneGC sets the garbage collector, unless GOGC or GOMEMLIMIT do. Within a container it keeps to four fifths of its
// memory.
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
