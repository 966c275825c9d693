package drop_test

import (
	"strings"
	"testing"

	"sneakerdrop/internal/drop"
)

// An entry is withdrawn or removed, never both: the public record would have no place for it.
func TestRemove_LeavesAWithdrawnEntryAlone(t *testing.T) {
	spec := plain(1)
	spec.Draw = drop.Draw{Opens: opened, Closes: opened + 100, PayWithin: 60}
	spec.StartTime = spec.Draw.Closes
	state, _ := spec.Create(7, opened, drop.BatchID{1})
	do := func(now drop.Time, cmd drop.Command) drop.Result {
		results, _ := drop.Apply(state, now, drop.BatchID{2}, []drop.Command{cmd})
		return results[0]
	}
	entry := do(opened, drop.Enter{User: 1}).DrawEntry
	do(opened+1, drop.Withdraw{User: 1})
	remove := drop.Remove{Entry: entry.ID, Reason: "a second account"}
	if r := do(opened+2, remove); r.Err != nil || r.DrawEntry.WithdrawnAt != opened+1 || r.DrawEntry.Removed != "" {
		t.Errorf("a withdrawn entry: %+v, %v", r.DrawEntry, r.Err)
	}
	if r := do(opened+3, drop.Enter{User: 1}); r.Err != nil || r.DrawEntry.ID != entry.ID || !r.DrawEntry.In() {
		t.Errorf("enter again: %+v, %v", r.DrawEntry, r.Err)
	}
	if r := do(opened+4, remove); r.Err != nil || r.DrawEntry.WithdrawnAt != 0 || r.DrawEntry.Removed != remove.Reason {
		t.Errorf("an entry in the draw: %+v, %v", r.DrawEntry, r.Err)
	}
	if r := do(opened+5, drop.Withdraw{User: 1}); r.Err != nil || r.DrawEntry.WithdrawnAt != 0 {
		t.Errorf("withdraw a removed entry: %+v, %v", r.DrawEntry, r.Err)
	}
}

func TestDecodeDraw_RefusesADamagedCommitment(t *testing.T) {
	for _, digits := range []string{"", strings.Repeat("0", 62), strings.Repeat("0", 63), strings.Repeat("0", 66), strings.Repeat("g", 64)} {
		if terms, err := drop.DecodeDraw(`{"opens":1,"closes":2,"pay_within":60,"commitment":"` + digits + `"}`); err == nil {
			t.Errorf("%q: %+v", digits, terms)
		}
	}
}
