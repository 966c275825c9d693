package engineio

import (
	"errors"
	"os"
	"time"
)

// Send queues packets, or writes them at once if nothing waits. It reports whether the session still takes packets.
func (s *Session) Send(packets ...*Packet) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range packets {
		s.sendLocked(p)
	}
	return s.state == open
}

// SendBatch is Send in one write.
func (s *Session) SendBatch(b *Batch) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != open {
		return false
	}
	if !s.direct() {
		for _, p := range b.packets {
			s.pushLocked(p)
		}
		s.wakeLocked()
		return s.state == open
	}
	n, ok := s.writeDirectLocked(b.frames, b.count)
	if !ok {
		return s.state == open
	}
	for i, p := range b.packets { // the kernel took n bytes: whole packets, then perhaps a part of one
		if n < len(p.frames) {
			rest := b.packets[i:]
			if n > 0 {
				s.partial, rest = p.frames[n:], b.packets[i+1:]
				s.server.counters.packetsOut.Add(int64(p.count))
			}
			for _, p := range rest {
				s.pushLocked(p)
			}
			break
		}
		n -= len(p.frames)
		s.server.counters.packetsOut.Add(int64(p.count))
	}
	s.wakeLocked()
	return s.state == open
}

func (s *Session) sendLocked(p *Packet) {
	if s.state != open {
		return
	}
	if s.direct() {
		n, ok := s.writeDirectLocked(p.frames, p.count)
		switch {
		case !ok:
			return
		case n > 0:
			s.partial = p.frames[n:]
			s.server.counters.packetsOut.Add(int64(p.count))
		default:
			s.pushLocked(p)
		}
	} else {
		s.pushLocked(p)
	}
	s.wakeLocked()
}

// direct reports whether nothing is ahead of a packet.
func (s *Session) direct() bool { return s.ws != nil && s.ws.raw != nil && !s.writing }

// writeDirectLocked returns how much the kernel took, and whether there is a rest to care for.
func (s *Session) writeDirectLocked(frames []byte, count int) (n int, rest bool) {
	d := s.server.writers.Get().(*directWriter)
	n, err := d.write(s.ws.raw, frames)
	s.server.writers.Put(d)
	c := &s.server.counters
	c.bytesOut.Add(int64(n))
	switch {
	case err != nil:
		s.endLocked(TransportError)
		return 0, false
	case n == len(frames):
		c.directWrites.Add(1)
		c.packetsOut.Add(int64(count))
		return n, false
	}
	c.deferred.Add(1)
	return n, true
}

// pushLocked queues p, in the place of an older packet with the same key if there is one.
func (s *Session) pushLocked(p *Packet) {
	if s.state == ended {
		return
	}
	if p.Key != "" {
		for i, old := range s.queue {
			if old.Key == p.Key {
				s.queue[i] = p
				s.queued += len(p.frames) - len(old.frames)
				s.server.counters.replaced.Add(1)
				return
			}
		}
	}
	o := &s.server.options
	if len(s.queue) >= o.MaxQueuePackets || len(s.queue) > 0 && s.queued+len(p.frames) > o.MaxQueueBytes {
		s.endLocked(SlowClient)
		return
	}
	s.queue = append(s.queue, p)
	s.queued += len(p.frames)
}

// wakeLocked sees to it that somebody takes the queue: the writer or the open poll.
func (s *Session) wakeLocked() {
	switch {
	case s.ws != nil:
		if !s.writing && s.state != ended && len(s.queue)+len(s.partial) > 0 {
			s.writing = true
			s.server.running.Add(1)
			go s.write()
		}
	case len(s.queue) > 0 || s.state != open:
		s.wakePollLocked()
	}
}

// takeLocked appends what is to be sent next, at most about a chunk: what stays in the queue can still be replaced.
func (s *Session) takeLocked(b []byte) []byte {
	b = append(b, s.partial...)
	s.partial = nil
	taken := 0
	for _, p := range s.queue {
		if len(b) > 0 && len(b)+len(p.frames) > chunk {
			break
		}
		b = append(b, p.frames...)
		s.queued -= len(p.frames)
		s.server.counters.packetsOut.Add(int64(p.count))
		taken++
	}
	s.dropLocked(taken)
	return b
}

func (s *Session) dropLocked(n int) {
	rest := copy(s.queue, s.queue[n:])
	clear(s.queue[rest:])
	s.queue = s.queue[:rest]
	if rest == 0 {
		s.queue = nil // most sessions never need one again
	}
}

const chunk = 16 << 10

// write empties the queue into the WebSocket, one deadline a chunk.
func (s *Session) write() {
	defer s.server.running.Done()
	buffer := s.server.chunks.Get().(*[]byte)
	defer func() {
		if cap(*buffer) <= 4*chunk {
			s.server.chunks.Put(buffer)
		}
	}()
	for {
		s.mu.Lock()
		*buffer = s.takeLocked((*buffer)[:0])
		ws := s.ws
		if len(*buffer) == 0 || s.state == ended {
			s.writing = false
			_ = ws.SetWriteDeadline(time.Time{}) // an old one fails direct writes
			if s.state == closing {
				s.endLocked(ServerClose)
			}
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		_ = ws.SetWriteDeadline(time.Now().Add(s.server.options.WriteTimeout))
		n, err := ws.Conn.Write(*buffer)
		s.server.counters.bytesOut.Add(int64(n))
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			s.End(WriteTimeout)
		case err != nil:
			s.End(TransportError)
		}
	}
}
