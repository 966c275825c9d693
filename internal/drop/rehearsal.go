package drop

import (
	"strconv"
	"strings"
)

const rehearsalPrefix = "Rehearsal of "

// RehearsalName is the name of the hidden copy of a drop that a rehearsal sells.
func RehearsalName(of ID) string { return rehearsalPrefix + strconv.FormatInt(int64(of), 10) }

// Rehearsal reports whether the drop is the hidden copy that a rehearsal made. Such a drop has simulated buyers, so
// what it sells does not count among the shop's sales, and its requests do not count in the service's figures.
func (d *Drop) Rehearsal() bool { return d.Hidden && isRehearsalName(d.Name) }

func isRehearsalName(name string) bool {
	number, ok := strings.CutPrefix(name, rehearsalPrefix)
	of, err := strconv.ParseUint(number, 10, 31)
	return ok && err == nil && RehearsalName(ID(of)) == name
}
