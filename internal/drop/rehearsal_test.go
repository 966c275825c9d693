package drop_test

import (
	"testing"

	"sneakerdrop/internal/drop"
)

func TestRehearsal_IsAHiddenCopyByItsName(t *testing.T) {
	for name, want := range map[string]bool{
		drop.RehearsalName(7): true, "Rehearsal of 7": true, "Rehearsal of 2147483647": true,
		"Rehearsal of ": false, "Rehearsal of 07": false, "Rehearsal of -7": false, "Rehearsal of 7 pairs": false, "Rehearsal of 99999999999999999999": false,
		"rehearsal of 7": false, "Air Zenith": false, "": false,
	} {
		var d drop.Drop
		d.Name, d.Hidden = name, true
		if got := d.Rehearsal(); got != want {
			t.Errorf("hidden %q: %t, want %t", name, got, want)
		}
		if d.Hidden = false; d.Rehearsal() {
			t.Errorf("%q is public, and so is no rehearsal", name)
		}
	}
}
