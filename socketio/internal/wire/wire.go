// Package wire is a client for the tests of socketio and engineio. It sends exactly what the test tells it to,
// however wrong, and reads no faster than it is told to.
package wire

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Opcodes of frames, with the bit that marks a final one.
const (
	Text   = 0x81
	Binary = 0x82
	Close  = 0x88
	Ping   = 0x89
	Pong   = 0x8A
)

// timeout bounds what only hangs where something is wrong: longer than a busy machine takes.
const timeout = time.Minute

// WebSocket is the client's end of one.
type WebSocket struct {
	net.Conn
	in *bufio.Reader
}

// ErrRefused is returned by Dial when the server answers with something else than a WebSocket.
var ErrRefused = errors.New("refused")

// Dial opens a WebSocket at an http URL. When it is refused, the response is returned, its body read into the error.
func Dial(address string, header http.Header) (*WebSocket, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil, err
	}
	return Open(conn, u, header)
}

// Open makes a WebSocket of a connection.
func Open(conn net.Conn, u *url.URL, header http.Header) (*WebSocket, error) {
	request := &http.Request{Method: http.MethodGet, URL: u, Host: u.Host, Header: http.Header{
		"Connection": {"Upgrade"}, "Upgrade": {"websocket"},
		"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
	}}
	maps.Copy(request.Header, header)
	_ = conn.SetDeadline(time.Now().Add(timeout))
	if err := request.Write(conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	in := bufio.NewReaderSize(conn, 4096)
	response, err := http.ReadResponse(in, request) //nolint:bodyclose // the connection is closed
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		body, _ := io.ReadAll(response.Body)
		_ = conn.Close()
		return nil, fmt.Errorf("%w: %d %s", ErrRefused, response.StatusCode, body)
	}
	_ = conn.SetDeadline(time.Time{})
	return &WebSocket{conn, in}, nil
}

// ReadFrame returns one frame.
func (w *WebSocket) ReadFrame() (opcode byte, data []byte, err error) {
	_ = w.SetReadDeadline(time.Now().Add(timeout))
	var head [10]byte
	if _, err := io.ReadFull(w.in, head[:2]); err != nil {
		return 0, nil, err
	}
	n := uint64(head[1])
	switch n {
	case 126:
		_, err = io.ReadFull(w.in, head[2:4])
		n = uint64(binary.BigEndian.Uint16(head[2:]))
	case 127:
		_, err = io.ReadFull(w.in, head[2:10])
		n = binary.BigEndian.Uint64(head[2:])
	}
	if err != nil {
		return 0, nil, err
	}
	data = make([]byte, n)
	_, err = io.ReadFull(w.in, data)
	return head[0], data, err
}

// Next returns the next message, of text or binary; pings of the protocol are answered and left out. A close frame is
// EOF.
func (w *WebSocket) Next() (string, error) {
	for {
		opcode, data, err := w.ReadFrame()
		switch {
		case err != nil:
			return "", err
		case opcode == Close:
			return "", fmt.Errorf("%w: close frame %x", io.EOF, data)
		case opcode == Text && string(data) == "2":
			if err := w.Send("3"); err != nil {
				return "", err
			}
		case opcode == Text || opcode == Binary:
			return string(data), nil
		}
	}
}

// Send sends a text message.
func (w *WebSocket) Send(text string) error { return w.WriteFrame(Text, []byte(text)) }

// WriteFrame sends a frame.
func (w *WebSocket) WriteFrame(opcode byte, data []byte) error {
	return w.WriteLie(opcode, uint64(len(data)), data)
}

// WriteLie sends a frame that announces n bytes, whatever the data is. The mask is all zeros.
func (w *WebSocket) WriteLie(opcode byte, n uint64, data []byte) error {
	b := []byte{opcode}
	switch {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), n)
	}
	b = append(b, 0, 0, 0, 0)
	_ = w.SetWriteDeadline(time.Now().Add(timeout))
	_, err := w.Write(append(b, data...))
	return err
}

// Poller is a client that polls.
type Poller struct {
	URL  string // with EIO and transport
	SID  string
	HTTP *http.Client
}

// Answer is a response.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Do makes a request of the session.
func (p *Poller) Do(ctx context.Context, method, body string) (Answer, error) {
	address := p.URL
	if p.SID != "" {
		address += "&sid=" + p.SID
	}
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	response, err := p.HTTP.Do(r)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	return Answer{response.StatusCode, response.Header, string(data)}, err
}

// Handshake opens the session.
func (p *Poller) Handshake(ctx context.Context) error {
	a, err := p.Do(ctx, http.MethodGet, "")
	if err != nil {
		return err
	}
	p.SID, err = SID(a.Body)
	return err
}

// SID reads the session's id out of an open packet.
func SID(packet string) (string, error) {
	var open struct {
		SID string `json:"sid"`
	}
	if !strings.HasPrefix(packet, "0") {
		return "", fmt.Errorf("no open packet: %q", packet)
	}
	err := json.Unmarshal([]byte(packet[1:]), &open)
	return open.SID, err
}
