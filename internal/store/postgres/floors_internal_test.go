package postgres

import (
	"testing"

	"sneakerdrop/internal/drop"
)

func TestFloors_AreBoundedAndSentToPulse(t *testing.T) {
	var f floors
	f.set(7, floor{at: 5})
	if known, sent, err := f.all(); err != nil || string(sent) != "{}" || known[7] != 5 {
		t.Errorf("at first: %v, %s, %v; want what is known and nothing sent", known, sent, err)
	}
	if _, sent, err := f.all(); err != nil || string(sent) != `{"7":5}` {
		t.Errorf("then: %s, %v", sent, err)
	}
	for id := range drop.ID(maxFloors + 1) {
		f.set(id+10, floor{at: 6})
		f.set(id+10, floor{at: 7})
	}
	if known, _, _ := f.all(); len(known) > maxFloors {
		t.Errorf("%d drops are remembered", len(known))
	}
	if f.get(maxFloors+10).at != 7 {
		t.Error("the newest is not remembered")
	}
}
