package app

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

// traced returns parts that record what happens to them. Those named in faulty fail to start or stop.
func traced(trace *[]string, faulty ...string) (parts []part) {
	for _, name := range []string{"a", "b", "c"} {
		do := func(what string) error {
			*trace = append(*trace, what)
			if slices.Contains(faulty, what) {
				return errors.New(what + " failed")
			}
			return nil
		}
		parts = append(parts, func(context.Context) (stop, error) {
			return func(context.Context) error { return do("-" + name) }, do("+" + name)
		})
	}
	return append(parts, func(context.Context) (end stop, err error) { return end, nil })
}

func TestUp_StopsInTheOppositeOrder(t *testing.T) {
	for _, test := range []struct{ faulty, trace, start, stop string }{
		{"", "+a +b +c -c -b -a", "", ""},
		{"+c", "+a +b +c -b -a", "+c failed", ""},
		{"+a", "+a", "+a failed", ""},
		{"+c -b -a", "+a +b +c -b -a", "+c failed", "-b failed\n-a failed"},
		{"-c", "+a +b +c -c -b -a", "", "-c failed"},
	} {
		var trace []string
		down, err := up(t.Context(), traced(&trace, strings.Fields(test.faulty)...))
		if text(err) != test.start {
			t.Errorf("%q: the start says %v", test.faulty, err)
		}
		if err := down(t.Context()); text(err) != test.stop {
			t.Errorf("%q: the stop says %v", test.faulty, err)
		}
		if got := strings.Join(trace, " "); got != test.trace {
			t.Errorf("%q: %s, want %s", test.faulty, got, test.trace)
		}
		if err := down(t.Context()); err != nil || strings.Join(trace, " ") != test.trace {
			t.Errorf("%q: a second stop does something: %v, %v", test.faulty, trace, err)
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
