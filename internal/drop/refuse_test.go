package drop_test

import (
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sneakerdrop/internal/drop"
)

// TestRefuseReserve_AgreesWithApply compares the two after random batches, for a buyer without any rows.
func TestRefuseReserve_AgreesWithApply(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBook(drawSpec(t))
		now := opened
		for range rapid.IntRange(0, 12).Draw(t, "batches") {
			var cmds []drop.Command
			now, cmds = drawBatch(t, b, now)
			b.apply(now, cmds...)
		}
		if rapid.Bool().Draw(t, "sell out") {
			for i := range b.drop.Sizes {
				if n := b.drop.Sizes[i].Stock.Available; n > 0 {
					b.do(now, drop.Restock{Add: -n, Size: b.drop.Sizes[i].Label})
				}
			}
		}
		now = max(now, b.lastAt)
		for _, size := range append(labels, "", "none of them") {
			view := b.clone().drop
			refused := view.RefuseReserve(size, nil, now)
			granted := b.clone().do(now, drop.Reserve{User: 900, Size: size, Hold: time.Minute})
			if b.due(now) { // the batch may expire a due hold and make its unit available: then only a refusal by Apply counts
				if granted.Err != nil && refused == nil {
					t.Fatalf("size %q at %s: the view grants what Apply refuses with %+v", size, now, granted.Err)
				}
				continue
			}
			if !reflect.DeepEqual(refused, granted.Err) {
				t.Fatalf("size %q at %s of %+v: the view says %+v, Apply %+v", size, now, b.drop, refused, granted.Err)
			}
		}
	})
}

// due reports whether a hold is past its end that no batch has expired yet.
func (b *book) due(now drop.Time) bool {
	for _, r := range b.reservations {
		if r.Status == drop.Active && !r.LiveAt(now) {
			return true
		}
	}
	return false
}

func TestRefuseReserve_ChangesNothing(t *testing.T) {
	b := newBook(sized(1, "9"))
	before := b.clone()
	for _, size := range []string{"", "9", "8"} {
		b.drop.RefuseReserve(size, nil, opened)
	}
	if !reflect.DeepEqual(before, b) {
		t.Error("asking changed the drop")
	}
}

// The view is checked at the given time, not at the time of its last batch.
func TestRefuseReserve_AtTheStartToTheMillisecond(t *testing.T) {
	b := newBook(plain(1))
	b.drop.StartTime = opened + 1500
	want := drop.Error{Code: drop.CodeNotStarted, StartsAt: opened + 1500, StartsIn: time.Millisecond}
	if got := b.drop.RefuseReserve("", nil, opened+1499); got == nil || *got != want {
		t.Errorf("a millisecond before: %+v", got)
	}
	if got := b.drop.RefuseReserve("a note", nil, opened+1500); got != nil {
		t.Errorf("at the start: %+v", got)
	}
}
