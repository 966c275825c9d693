package postgres

import (
	"testing"

	"sneakerdrop/internal/drop"
)

func TestDeadlineBounds_AreBoundedAndSentToPulse(t *testing.T) {
	var b deadlineBounds
	b.set(7, deadlineBound{at: 5})
	if known, sent, err := b.all(); err != nil || string(sent) != "{}" || known[7] != 5 {
		t.Errorf("at first: %v, %s, %v; want what is known and nothing sent", known, sent, err)
	}
	if _, sent, err := b.all(); err != nil || string(sent) != `{"7":5}` {
		t.Errorf("then: %s, %v", sent, err)
	}
	for id := range drop.ID(maxBounds + 1) {
		b.set(id+10, deadlineBound{at: 6})
		b.set(id+10, deadlineBound{at: 7})
	}
	if known, _, _ := b.all(); len(known) > maxBounds {
		t.Errorf("%d drops are remembered", len(known))
	}
	if b.get(maxBounds+10).at != 7 {
		t.Error("the newest is not remembered")
	}
}
