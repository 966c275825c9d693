package app

import (
	"bytes"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
)

func TestConnections_BoundOfOneAddress(t *testing.T) {
	for _, test := range []struct {
		all, given, want int
	}{{50_000, 0, 2500}, {1000, 0, 500}, {20, 0, 10}, {1, 0, 1}, {50_000, 10_000, 10_000}, {20, 20, 20}} {
		if b := connections(test.all, test.given, nil, slog.New(slog.DiscardHandler)); b.OfAddress != test.want || b.Connections != test.all {
			t.Errorf("of %d, with %d given: %d of %d", test.all, test.given, b.OfAddress, b.Connections)
		}
	}
}

func TestConnections_WhatCountsAsOneAddress(t *testing.T) {
	b := connections(100, 0, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}, slog.New(slog.DiscardHandler))
	for address, want := range map[string]string{
		"198.51.100.7": "198.51.100.7", "127.0.0.1": "127.0.0.1", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::",
		"10.1.2.3": "invalid IP", "fd00::7": "invalid IP", // trusted proxies have no limit
	} {
		if got := b.Caller(netip.MustParseAddr(address)); got.String() != want {
			t.Errorf("%s counts as %s, want %s", address, got, want)
		}
	}
}

func TestConnections_RefusalsAreSaidOnceInAWhile(t *testing.T) {
	var log bytes.Buffer
	b := connections(100, 0, nil, slog.New(slog.NewTextHandler(&log, nil)))
	for range 1000 {
		b.Refused(netip.MustParseAddr("198.51.100.7"))
	}
	if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "198.51.100.7") || !strings.Contains(text, "--trusted-proxy") {
		t.Error(text)
	}
}
