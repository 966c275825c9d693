package shop_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/shop"
)

// notes is a log that records its calls. It refuses those that are named.
type notes struct {
	lines  []string
	faulty string
}

func (n *notes) say(what string) error {
	n.lines = append(n.lines, what)
	if word, _, _ := strings.Cut(what, " "); word == n.faulty {
		return errors.New(word + " failed")
	}
	return nil
}

func (n *notes) Record(_ context.Context, a operator.Action) (operator.ActionID, error) {
	return 7, n.say("record " + a.Call)
}

func (n *notes) Conclude(ctx context.Context, id operator.ActionID, outcome string) error {
	if until, bounded := ctx.Deadline(); !bounded || time.Until(until) > time.Minute || ctx.Err() != nil {
		return errors.New("the last entry has no time of its own")
	}
	return n.say(fmt.Sprintf("conclude %d: %s", id, outcome))
}

func TestRecorded_NothingIsDoneThatIsNotInTheLog(t *testing.T) {
	for _, test := range []struct{ faulty, lines, err, lost string }{
		{"", "record pause, do, conclude 7: ok, drop 3", "", ""},
		{"do", "record pause, do, conclude 7: ok, drop 3", "do failed", ""},
		{"record", "record pause", "record failed", ""},
		{"conclude", "record pause, do, conclude 7: ok, drop 3", "", "7: conclude failed"},
	} {
		log, lost := &notes{faulty: test.faulty}, ""
		ctx, cancel := context.WithCancel(t.Context())
		err := shop.Recorded(ctx, log, operator.Action{Call: "pause"}, func() (string, error) {
			cancel() // the caller has left, but what was done is in the log
			return "ok, drop 3", log.say("do")
		}, func(id operator.ActionID, err error) { lost = fmt.Sprintf("%d: %v", id, err) })
		if got := strings.Join(log.lines, ", "); got != test.lines || lost != test.lost {
			t.Errorf("%q: %s; lost: %s", test.faulty, got, lost)
		}
		if err == nil && test.err != "" || err != nil && err.Error() != test.err {
			t.Errorf("%q: %v", test.faulty, err)
		}
		if _, unrecorded := errors.AsType[*shop.UnrecordedError](err); unrecorded != (test.faulty == "record") {
			t.Errorf("%q: %T", test.faulty, err)
		}
	}
}
