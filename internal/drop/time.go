package drop

import (
	"regexp"
	"time"
)

// timeText is what RFC 3339 admits and time.Parse does not insist on: two digits of the hour, a point before the
// fraction, a zone within a day. Like the RFC it does not care about the case of T and Z.
var timeText = regexp.MustCompile(`^(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:)(\d\d)((?:\.\d+)?)([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$`)

// ParseTime reads a moment as RFC 3339 writes it, with its zone, and cuts it to whole milliseconds. A leap second, of
// second 60, is the first of the next minute, as for clocks that know none and for PostgreSQL.
func ParseTime(text string) (Time, bool) {
	m := timeText.FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	second, zone, leap := m[3], m[5], time.Duration(0)
	if second == "60" {
		second, leap = "59", time.Second
	}
	if zone == "z" {
		zone = "Z"
	}
	at, err := time.Parse(time.RFC3339, m[1]+"T"+m[2]+second+m[4]+zone)
	if err != nil {
		return 0, false
	}
	return TimeOf(at.Add(leap)), true
}
