package limit_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sneakerdrop/internal/limit"
)

func rules(t testing.TB, text string) limit.Rules {
	t.Helper()
	r, err := limit.ParseRules(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTake_BurstThenRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limit.New[string](rules(t, "buy=2/3"), 0)
		for i := range 3 {
			v, limited := l.Take(limit.Buy, "ann")
			if !limited || !v.Allowed || v.Remaining != 2-i || v.RetryAfter != 0 {
				t.Fatalf("call %d: %+v", i+1, v)
			}
		}
		if window := rules(t, "buy=2/3")[limit.Buy].Window(); window != 1500*time.Millisecond {
			t.Errorf("three calls at two a second take %s to come back", window)
		}
		v, _ := l.Take(limit.Buy, "ann")
		if v.Allowed || v.Remaining != 0 || v.RetryAfter != 500*time.Millisecond || v.Reset != 1500*time.Millisecond {
			t.Fatalf("the fourth: %+v", v)
		}
		if v, _ := l.Take(limit.Buy, "bob"); !v.Allowed {
			t.Error("another caller waits")
		}
		if _, limited := l.Take(limit.Read, "ann"); limited {
			t.Error("a class without a rule is limited")
		}
		time.Sleep(v.RetryAfter - time.Millisecond)
		if v, _ := l.Take(limit.Buy, "ann"); v.Allowed {
			t.Error("a millisecond early")
		}
		time.Sleep(time.Millisecond)
		if v, _ := l.Take(limit.Buy, "ann"); !v.Allowed {
			t.Errorf("after RetryAfter: %+v", v)
		}
		time.Sleep(time.Hour)
		for i := range 3 {
			if v, _ := l.Take(limit.Buy, "ann"); !v.Allowed {
				t.Fatalf("call %d after an hour: %+v", i+1, v)
			}
		}
		if v, _ := l.Take(limit.Buy, "ann"); v.Allowed {
			t.Error("an hour saved up more than the burst")
		}
	})
}

// A crowd of addresses must neither make the server grow nor reset callers who called recently.
func TestTake_MemoryIsBounded(t *testing.T) {
	l := limit.New[int](rules(t, "read=0.001/1"), 1000)
	for i := range 1_000_000 {
		l.Take(limit.Read, i)
	}
	if v, _ := l.Take(limit.Read, 999_999); v.Allowed {
		t.Error("the newest caller was forgotten")
	}
	if v, _ := l.Take(limit.Read, 5); !v.Allowed {
		t.Error("the oldest caller is still remembered: nothing bounds the memory")
	}
}

func TestTake_Concurrently(t *testing.T) {
	l := limit.New[int](rules(t, "buy=0.001/50"), 0)
	var allowed atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 1000 {
				if v, _ := l.Take(limit.Buy, i%4); v.Allowed {
					allowed.Add(1)
				}
			}
		})
	}
	all.Wait()
	if got := allowed.Load(); got != 4*50 {
		t.Errorf("%d calls allowed, want 50 for each of 4 callers", got)
	}
}

func TestParseRules(t *testing.T) {
	for _, off := range []string{"", "off"} {
		if r := rules(t, off); len(r) != 0 {
			t.Errorf("%q: %v", off, r)
		}
	}
	r := rules(t, "buy=0.5/40, read=100/200,operate=20/1")
	if r[limit.Buy] != (limit.Rate{PerSecond: 0.5, Burst: 40}) || r[limit.Read].Burst != 200 || r[limit.Operate].PerSecond != 20 {
		t.Errorf("%v", r)
	}
	for text, says := range map[string]string{
		"buy": "must be", "buy=1": "must be", "bye=1/1": `"bye"`, "buy=1/1,buy=2/2": "twice", "buy=0/1": "0.001",
		"buy=NaN/1": "0.001", "buy=Inf/1": "0.001", "buy=1/0": "burst", "buy=1/x": "burst", "buy=-1/1": "0.001", ",": "must be",
		"buy=1/9999999": "burst", "on": "must be",
	} {
		if _, err := limit.ParseRules(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want a word of %q", text, err, says)
		}
	}
}

func BenchmarkTake(b *testing.B) {
	l := limit.New[int](rules(b, "buy=1000000/1000000"), 0)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		l.Take(limit.Buy, i%50_000)
	}
}
