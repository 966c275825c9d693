//go:build linux

package test

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"sneakerdrop/internal/testing/pgtest"
)

// The network between the server and its database is slow, breaks connections anywhere in a message, or loses data.
func TestFault_Network(t *testing.T) {
	t.Parallel()
	direct := pgtest.Database(t)
	u, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	proxy := toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), "database", pgtest.Loopback()+":0", u.Host)
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Stop)
	u.Host = proxy.Listen
	tr := newTraffic(t, seedOf(t), u.String(), direct)
	poison := func(toxics ...string) func() func() {
		return func() func() {
			for i, toxic := range toxics {
				toxic = strings.Replace(toxic, "{", fmt.Sprintf(`{"name":"%d",`, i), 1)
				if _, err := proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
					t.Fatal(err)
				}
			}
			return func() {
				for i := range toxics {
					if err := proxy.Toxics.RemoveToxic(context.Background(), strconv.Itoa(i)); err != nil {
						t.Error(err)
					}
				}
			}
		}
	}
	const last = 600 * time.Millisecond
	tr.suffer(
		fault{name: "slow", last: last, quiet: true, strike: poison(
			`{"type":"latency","stream":"upstream","attributes":{"latency":10,"jitter":10}}`,
			`{"type":"latency","stream":"downstream","attributes":{"latency":10,"jitter":10}}`)},
		fault{name: "in drips", last: last, quiet: true, strike: poison(
			`{"type":"slicer","stream":"upstream","attributes":{"average_size":200,"size_variation":150,"delay":200}}`,
			`{"type":"slicer","stream":"downstream","attributes":{"average_size":50,"size_variation":40,"delay":200}}`)},
		fault{name: "cut after some questions", last: last, strike: poison(
			`{"type":"limit_data","stream":"upstream","attributes":{"bytes":9001}}`)},
		fault{name: "cut after some answers", last: last, strike: poison(
			`{"type":"limit_data","stream":"downstream","attributes":{"bytes":7001}}`)},
		fault{name: "reset", last: last, strike: poison(
			`{"type":"reset_peer","stream":"downstream","attributes":{"timeout":0}}`)},
		fault{name: "answers swallowed", last: last, strike: poison(
			`{"type":"timeout","stream":"downstream","attributes":{"timeout":0}}`)},
		fault{name: "questions swallowed", last: last, strike: poison(
			`{"type":"timeout","stream":"upstream","attributes":{"timeout":0}}`)},
		fault{name: "away", last: last, strike: func() func() {
			proxy.Stop()
			return func() {
				if err := proxy.Start(); err != nil {
					t.Fatal(err)
				}
			}
		}},
	)
	t.Log(tr.report())
}
