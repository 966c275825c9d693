package main

import (
	"errors"
	"os"
	"slices"
	"time"

	bench "sneakerdrop/internal/load"
)

const (
	// probeEvery is how often the disk is asked: beside some 800 COMMITs a second that is little.
	probeEvery = 20 * time.Millisecond
	// probeBytes is a page of PostgreSQL's log.
	probeBytes = 8 << 10
)

// disk is how long a page took to be safe on the disk, while a load ran that waits for the same disk.
type disk struct {
	P50 float64 `json:"p50_ms"`
	P99 float64 `json:"p99_ms"`
	Max float64 `json:"max_ms"`
}

// probe writes a page and syncs it, over and over in the same place of a file among other temporary ones, until it is
// told to end.
func probe(end <-chan struct{}) (d disk, err error) {
	f, err := os.CreateTemp("", "sneakerdrop-disk-")
	if err != nil {
		return d, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	page := make([]byte, probeBytes)
	var took []float64
	for {
		select {
		case <-end:
			return spread(took), nil
		case <-tick.C:
		}
		page[0]++
		began := time.Now()
		if _, err = f.WriteAt(page, 0); err != nil {
			return d, err
		}
		if err = f.Sync(); err != nil {
			return d, err
		}
		took = append(took, float64(time.Since(began))/float64(time.Millisecond))
	}
}

func spread(took []float64) (d disk) {
	if len(took) == 0 {
		return d
	}
	slices.Sort(took)
	return disk{P50: bench.Median(took), P99: took[len(took)*99/100], Max: took[len(took)-1]}
}
