package drop

import (
	"regexp"
	"time"
)

// timeText enforces the parts of RFC 3339 that time.Parse does not: two digits for the hour, a period before the
// fraction, and a zone offset below 24 hours. Like the RFC, it ignores the case of T and Z.
var timeText = regexp.MustCompile(`^(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:)(\d\d)((?:\.\d+)?)([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$`)

// ParseTime reads a time in RFC 3339 with its zone, and truncates it to whole milliseconds. A leap second (second 60)
// becomes the first second of the next minute, as in PostgreSQL.
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
