package main

import "math"

// scenario is a crowd, what it wants, and what stands there for it.
type scenario struct {
	Name   string
	Buyers float64 // each presses once, and once more when refused
	Drops  int
	Units  float64 // of each drop
	// Popular is the exponent of Zipf's law: the k-th drop has a share of the buyers that goes as 1/k^Popular.
	Popular float64
	// Within: the buyers come after the opening at times that are exponentially distributed with this mean, in seconds.
	Within float64
	// NoGate: refusals go to the lane too, as they do under limit_per_user 1 and with an Idempotency-Key.
	NoGate bool

	Replicas  float64
	Primaries int
	DBCores   float64 // of each primary
	// Shared: server, database and load share DBCores of one machine.
	Shared bool
	// Offered, where it is not 0, is a steady stream of so many buyers a second in place of the crowd.
	Offered float64

	Commit           float64 // µs of wall time of a commit alone
	Database, Server float64 // factors of the costs
}

// outcome is how it went. All but the sums are the most of any moment.
type outcome struct {
	Requests    float64 // a second
	Commands    float64 // that lanes answered, a second
	Commits     float64 // a second
	Hottest     float64 // commits of one drop, a second
	DBCores     float64 // of one primary, which lanes use up before they let their batches grow
	DBLeast     float64 // of one primary, had all batches been full
	ServerCores float64 // of all replicas
	Wait        float64 // in a lane, seconds
	Reserved    float64 // sum
	Overloaded  float64 // sum; answered 503, because a lane's queue was full
	Sold        float64 // seconds until the last unit was taken; 0: some are left
}

const (
	step    = 0.01 // seconds
	again   = 200  // steps until a refused buyer presses once more
	horizon = 60   // seconds that a crowd is followed
	steady  = 5    // seconds of a steady stream
	micro   = 1e6
	trace   = 1e-3 // of a command: what a fluid leaves behind
)

// hot is one drop.
type hot struct {
	share, units, queue float64
	later               [again]float64 // who presses once more
}

// lane describes what one drop's lane does in a step.
type lane struct {
	drop        *hot
	done, batch float64
	time        float64 // of a batch, µs of wall time
}

// simulate steps through the crowd's arrivals, 10 ms at a time. It is a fluid model of queues that are served in
// batches. A lane takes what came while its last batch was committing, at most 500. A batch of b takes Commit +
// (b-1)·commandInLane.
//
// So batches grow with the load, and commands wait longer than one batch only once batches are full. Drops share the
// cores of their primary. When the cores are used up, batches grow first. Once all batches are full, every drop of
// the primary slows down alike.
func simulate(c costs, s scenario) outcome {
	drops := crowd(s)
	var o outcome
	seconds := float64(horizon)
	if s.Offered > 0 {
		seconds = steady
	}
	for i := range int(seconds / step) {
		at := float64(i) * step
		coming := s.Buyers * (math.Exp(-at/s.Within) - math.Exp(-(at+step)/s.Within))
		if s.Offered > 0 {
			coming = s.Offered * step
		}
		requests, refused := 0.0, 0.0
		for d := range drops {
			pressed, fromMemory := drops[d].press(i, coming, s)
			requests += pressed
			refused += fromMemory
			room := math.Max(0, laneQueue*s.Replicas-drops[d].queue)
			taken := math.Min(pressed-fromMemory, room)
			o.Overloaded += pressed - fromMemory - taken
			drops[d].queue += taken
		}
		before := left(drops)
		server := refused * c.Refusal * s.Server
		var commands, commits float64
		for p := range s.Primaries {
			lanes := lanesOf(drops, p, s)
			used := share(c, s, lanes)
			o.DBCores = math.Max(o.DBCores, used/step/micro)
			least := 0.0
			for _, l := range lanes {
				commands += l.done
				least += l.done * (c.Command + c.Batch/maxBatch) * s.Database
				commits += l.done / l.batch
				server += l.done * (c.Request + c.Turn/l.batch) * s.Server
				o.Hottest = math.Max(o.Hottest, l.done/l.batch/step)
				o.Reserved += l.drop.take(l.done)
				o.Wait = math.Max(o.Wait, l.time/micro+l.drop.queue*step/l.done)
			}
			o.DBLeast = math.Max(o.DBLeast, least/step/micro)
		}
		o.Requests = math.Max(o.Requests, requests/step)
		o.Commands = math.Max(o.Commands, commands/step)
		o.Commits = math.Max(o.Commits, commits/step)
		o.ServerCores = math.Max(o.ServerCores, server/step/micro)
		if before > 0 && left(drops) == 0 {
			o.Sold = at + step
		}
	}
	return o
}

func crowd(s scenario) []hot {
	drops := make([]hot, s.Drops)
	sum := 0.0
	for k := range drops {
		drops[k] = hot{share: math.Pow(float64(k+1), -s.Popular), units: s.Units}
		sum += drops[k].share
	}
	for k := range drops {
		drops[k].share /= sum
	}
	return drops
}

func left(drops []hot) (units float64) {
	for d := range drops {
		units += drops[d].units
	}
	return units
}

// press returns how many buyers ask for the drop in this step, and how many of them are refused from memory. A buyer
// who is refused presses once more.
func (h *hot) press(i int, coming float64, s scenario) (pressed, fromMemory float64) {
	first := coming * h.share
	pressed = first + h.later[i%again]
	h.later[i%again] = 0
	if h.units > 0 {
		return pressed, 0
	}
	h.later[i%again] = first
	if s.NoGate {
		return pressed, 0
	}
	return pressed, pressed
}

// take is how many of the answered commands got a unit.
func (h *hot) take(done float64) float64 {
	h.queue -= done
	got := math.Min(done, h.units)
	if h.units -= got; h.units < trace {
		h.units = 0
	}
	return got
}

// lanesOf returns what the drops of one primary would do in a step if it had enough cores.
func lanesOf(drops []hot, primary int, s scenario) []lane {
	var lanes []lane
	const wall = step * micro
	for d := primary; d < len(drops); d += s.Primaries {
		n := drops[d].queue
		if n < trace {
			continue
		}
		l := lane{drop: &drops[d], done: n, batch: 1}
		if n*s.Commit > wall {
			l.batch = maxBatch
			if rest := wall - n*commandInLane; rest > 0 {
				l.batch = math.Min(maxBatch, math.Max(1, n*(s.Commit-commandInLane)/rest))
			}
			l.done = math.Min(n, wall*l.batch/(s.Commit+(l.batch-1)*commandInLane))
		}
		lanes = append(lanes, l)
	}
	return lanes
}

// share fits what the lanes do to the primary's cores, and returns the CPU that it takes of them in µs.
func share(c costs, s scenario, lanes []lane) float64 {
	each, turn, budget := c.Command*s.Database, c.Batch*s.Database, s.DBCores*step*micro
	if s.Shared {
		each += c.Request + c.Load
		turn += c.Turn
		budget *= 1 - c.Idle
	}
	need := func(grown float64) (sum float64) {
		for _, l := range lanes {
			sum += l.done * (each + turn/math.Min(maxBatch, l.batch*grown))
		}
		return sum
	}
	grown := 1.0
	if need(1) > budget {
		low, high := 1.0, maxBatch
		for range 24 {
			if grown = (low + high) / 2; need(grown) > budget {
				low = grown
			} else {
				high = grown
			}
		}
	}
	used := need(grown)
	slower := math.Min(1, budget/math.Max(used, 1e-9))
	for i := range lanes {
		lanes[i].batch = math.Min(maxBatch, lanes[i].batch*grown)
		lanes[i].done *= slower
		lanes[i].time = (s.Commit + (lanes[i].batch-1)*commandInLane) / slower
	}
	return used * slower
}
