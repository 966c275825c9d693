package engineio

import (
	"maps"
	"sync"
	"sync/atomic"
)

// Stats are a Server's counters at one moment. All but the first three only grow.
type Stats struct {
	Polling, WebSocket     int64            // sessions now, by transport
	OpenPolls              int64            // now
	Handshakes             int64            // sessions opened
	Upgrades               int64            // sessions upgraded to WebSocket
	Refused                map[string]int64 // requests, by message
	Closed                 map[Reason]int64 // sessions
	PacketsIn, PacketsOut  int64
	BytesOut               int64 // of WebSocket frames and polling payloads
	Replaced               int64 // packets that a newer one with their key replaced
	DirectWrites, Deferred int64 // packets or batches the kernel took at once; those it did not take whole
}

type counters struct {
	polling, webSocket     atomic.Int64
	openPolls              atomic.Int64
	handshakes, upgrades   atomic.Int64
	packetsIn, packetsOut  atomic.Int64
	bytesOut, replaced     atomic.Int64
	directWrites, deferred atomic.Int64

	mu      sync.Mutex
	refused map[string]int64
	closed  map[Reason]int64
}

func (c *counters) refuse(p *problem) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refused[p.message]++
}

func (c *counters) close(r Reason) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed[r]++
}

// Stats returns the counters of now.
func (e *Server) Stats() Stats {
	c := &e.counters
	c.mu.Lock()
	defer c.mu.Unlock()
	return Stats{
		Polling: c.polling.Load(), WebSocket: c.webSocket.Load(), OpenPolls: c.openPolls.Load(),
		Handshakes: c.handshakes.Load(), Upgrades: c.upgrades.Load(),
		Refused: maps.Clone(c.refused), Closed: maps.Clone(c.closed),
		PacketsIn: c.packetsIn.Load(), PacketsOut: c.packetsOut.Load(),
		BytesOut: c.bytesOut.Load(), Replaced: c.replaced.Load(),
		DirectWrites: c.directWrites.Load(), Deferred: c.deferred.Load(),
	}
}
