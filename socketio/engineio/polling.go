package engineio

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
)

// servePoll answers a GET of a polling session: with what waits, or when something comes.
func (s *Session) servePoll(w http.ResponseWriter, r *http.Request) {
	wake, p := s.beginPoll()
	if p != nil {
		s.server.refuse(w, p)
		return
	}
	s.server.counters.openPolls.Add(1)
	defer s.server.counters.openPolls.Add(-1)
	aborted := false
	select {
	case <-wake:
	case <-r.Context().Done():
		aborted = true
	}
	body, p := s.endPoll(aborted)
	if p != nil {
		s.server.refuse(w, p)
		return
	}
	if err := s.server.answer(w, http.StatusOK, textPlain, body); err != nil {
		s.End(TransportError)
	}
}

func (s *Session) beginPoll() (<-chan struct{}, *problem) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.farewell:
		s.farewell = false
		s.poll = make(chan struct{}, 1)
		s.poll <- struct{}{}
		return s.poll, nil
	case s.state == ended:
		return nil, unknownSession
	case s.ws != nil:
		return nil, badRequest
	case s.poll != nil:
		s.endLocked(DuplicatePoll)
		return nil, badRequest
	case s.pongBy != 0 && s.server.now() >= s.pongBy: // the timer is about to say so
		s.endLocked(PingTimeout)
		return nil, unknownSession
	}
	s.askBy = 0
	s.poll = make(chan struct{}, 1)
	s.wakeLocked()
	return s.poll, nil
}

// endPoll returns the answer of the poll that was open.
func (s *Session) endPoll(aborted bool) ([]byte, *problem) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.poll = nil
	switch {
	case s.state == ended && s.reason == ClientClose:
		return []byte{typeNoop}, nil
	case s.state == ended:
		return []byte{typeClose}, nil
	case s.ws != nil: // a client that upgrades has no poll open
		return nil, badRequest
	case aborted:
		s.endLocked(PollAborted)
		return nil, badRequest
	}
	var body []byte
	for _, p := range s.queue {
		if len(body) > 0 {
			body = append(body, separator)
		}
		body = append(body, p.payload...)
		s.server.counters.packetsOut.Add(int64(p.count))
	}
	s.queue, s.queued = nil, 0
	if s.state == closing {
		if len(body) > 0 {
			body = append(body, separator)
		}
		body = append(body, typeClose)
		s.endLocked(ServerClose)
	}
	if len(body) == 0 {
		body = []byte{typeNoop} // a probe woke it
	}
	s.server.counters.bytesOut.Add(int64(len(body)))
	return body, nil
}

// servePost takes the packets of a POST.
func (s *Session) servePost(w http.ResponseWriter, r *http.Request) {
	if p := s.beginPost(); p != nil {
		s.server.refuse(w, p)
		return
	}
	p := s.receivePost(w, r)
	s.mu.Lock()
	s.posting = false
	s.mu.Unlock()
	if p != nil {
		s.server.refuse(w, p)
		return
	}
	_ = s.server.answer(w, http.StatusOK, "text/html", []byte("ok"))
}

func (s *Session) beginPost() *problem {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.state == ended:
		return unknownSession
	case s.ws != nil:
		return badRequest
	case s.posting:
		s.endLocked(DuplicatePost)
		return badRequest
	}
	s.posting = true
	return nil
}

func (s *Session) receivePost(w http.ResponseWriter, r *http.Request) *problem {
	o := &s.server.options
	if r.ContentLength > int64(o.MaxPayload) {
		s.End(PayloadTooLarge)
		return payloadTooLarge
	}
	announced := r.ContentLength
	if announced < 0 {
		announced = int64(o.MaxPayload)
	}
	if announced > smallMessage {
		if !s.server.inbound.acquire(announced) {
			s.End(ServerBusy)
			return tooBusy
		}
		defer s.server.inbound.release(announced)
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(o.WriteTimeout))
	body, err := io.ReadAll(io.LimitReader(r.Body, int64(o.MaxPayload)+1))
	switch {
	case err != nil:
		s.End(TransportError)
		return badRequest
	case len(body) > o.MaxPayload:
		s.End(PayloadTooLarge)
		return payloadTooLarge
	}
	packets, err := decodePayload(body)
	if err != nil {
		s.End(ParseError)
		return badRequest
	}
	for _, p := range packets {
		if !s.receive(p) && p.kind != typeClose {
			return badRequest
		}
	}
	return nil
}

const (
	textPlain = "text/plain; charset=UTF-8"
	textJSON  = "application/json"
)

// answer writes a whole response within the write timeout, and leaves none behind for the connection's next request.
func (e *Server) answer(w http.ResponseWriter, status int, contentType string, body []byte) error {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	c := http.NewResponseController(w)
	_ = c.SetWriteDeadline(time.Now().Add(e.options.WriteTimeout))
	defer func() { _ = c.SetWriteDeadline(time.Time{}) }()
	w.WriteHeader(status)
	if _, err := io.Copy(w, bytes.NewReader(body)); err != nil {
		return err
	}
	if err := c.Flush(); !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}
