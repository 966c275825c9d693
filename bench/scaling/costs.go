package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
)

// costs are what was measured of one reserve, and what follows from it. CPU is in µs.
type costs struct {
	// A batch of b commands takes batch + b·command of the database's CPU, and so does the server, with turn and
	// request.
	Command, Batch float64
	Request, Turn  float64
	Refusal        float64 // a request that is refused from memory, on the server
	Load           float64 // what made the load, which shared the machine
	Idle           float64 // of the machine at its limit
}

// What else was measured on the same machine. docs/SCALING.md says where each figure is from.
const (
	commitAlone   = 710.0 // µs of wall time: one command alone, 1,400 commits a second
	commandInLane = 5.9   // µs of wall time each further command takes: 137,000 reserves a second in batches of 500
	maxBatch      = 500.0
	laneQueue     = 20_000.0 // commands that wait for one drop, in one replica; more are refused
	writeToSocket = 11.9     // µs of CPU to tell one watcher
	fanOutShare   = 0.1      // of a replica's cores, which the hub keeps to
	connectPlain  = 42.0     // µs of CPU to take one connection
	connectTLS    = 414.0    // µs of CPU in all where it is TLS
	socketMemory  = 8.9      // KB of the server; the kernel has its own
	socketKernel  = 4.0      // KB, an assumption
	proxyPorts    = 28_232.0 // connections of one proxy's address to one replica, with the kernel's usual range of ports
)

// measured holds the rows of docs/bench.json that the costs are taken from, each with the commands in one of its
// batches. That number is the mean of sneakerdrop_batch_commands while each load ran (2026-11-26); bench.json does
// not have it. The rows are of one drop. Batches of several drops share transactions, and each costs less than here.
var measured = map[string]float64{
	"reserve, PostgreSQL 64": 32.7, "reserve, PostgreSQL 256": 107, "reserve, PostgreSQL 1024": 354, "batching off, PostgreSQL 256": 1,
}

type bench struct {
	Loads []load `json:"loads"`
	Open  []open `json:"open_loop"`
}

type load struct {
	Name      string    `json:"name"`
	PerSecond []float64 `json:"per_second"`
	Server    float64   `json:"server_us"`
	Database  float64   `json:"database_us"`
	Load      float64   `json:"load_us"`
	Idle      float64   `json:"idle"`
}

func (l *load) median() float64 {
	sorted := slices.Sorted(slices.Values(l.PerSecond))
	return sorted[len(sorted)/2]
}

// open is a run in which so many buyers came each second whatever the server did.
type open struct {
	Offered  float64 `json:"offered"`
	Accepted float64 `json:"accepted"`
}

func readBench(file string) (bench, error) {
	var b bench
	text, err := os.ReadFile(file)
	if err != nil {
		return b, err
	}
	return b, json.Unmarshal(text, &b)
}

// costsOf fits the two lines (CPU of the server and of the database over 1/batch) to all rows, so that the sum of the
// squared relative errors is least.
func costsOf(b bench) (costs, error) {
	var c costs
	var server, database line
	for i := range b.Loads {
		l := &b.Loads[i]
		if batch, ok := measured[l.Name]; ok {
			server.add(1/batch, l.Server)
			database.add(1/batch, l.Database)
		}
		switch l.Name {
		case "sold out, no key, no limit, PostgreSQL 256":
			c.Refusal = l.Server
		case "reserve, PostgreSQL 256":
			c.Load, c.Idle = l.Load, l.Idle
		}
	}
	if server.n != len(measured) || c.Refusal == 0 || c.Load == 0 {
		return c, fmt.Errorf("bench.json has %d of %d rows", server.n, len(measured))
	}
	c.Request, c.Turn = server.fit()
	c.Command, c.Batch = database.fit()
	if math.Min(math.Min(c.Request, c.Turn), math.Min(c.Command, c.Batch)) <= 0 {
		return c, errors.New("the rows do not lie on a line that rises with the number of batches")
	}
	return c, nil
}

// line is y = a + b·x by weighted least squares, each point with the weight 1/y².
type line struct {
	n               int
	w, x, y, xx, xy float64
}

func (l *line) add(x, y float64) {
	w := 1 / (y * y)
	l.n++
	l.w += w
	l.x += w * x
	l.y += w * y
	l.xx += w * x * x
	l.xy += w * x * y
}

func (l *line) fit() (a, b float64) {
	b = (l.w*l.xy - l.x*l.y) / (l.w*l.xx - l.x*l.x)
	return (l.y - b*l.x) / l.w, b
}
