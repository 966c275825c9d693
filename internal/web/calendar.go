package web

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"sneakerdrop/internal/engine"
)

const (
	maxLine   = 75 // octets of a line of a calendar file, without its end (RFC 5545, 3.1)
	dropLasts = 30 * time.Minute
)

// calendar is the start of a drop as a calendar file (RFC 5545). The same drop always gives the same bytes.
func (p *Pages) calendar(v *engine.View) []byte {
	d := &v.Drop
	const stamp = "20060102T150405Z"
	start := d.StartTime.Time()
	path := fmt.Sprintf("/drops/%d", d.ID)
	lines := []string{
		"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//sneakerdrop//drops//EN", "CALSCALE:GREGORIAN",
		"BEGIN:VEVENT",
		"UID:" + calendarText(fmt.Sprintf("drop-%d@%s", d.ID, p.calendarHost())),
		"DTSTAMP:" + d.CreatedAt.Time().Format(stamp),
		"DTSTART:" + start.Format(stamp),
		"DTEND:" + start.Add(dropLasts).Format(stamp),
		"SUMMARY:" + calendarText(unturned(d.Name)+" · "+p.config.Shop),
	}
	if p.config.PublicURL != "" {
		lines = append(lines, "URL:"+p.config.PublicURL+path)
	}
	lines = append(lines, "BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:"+calendarText(unturned(d.Name)), "TRIGGER:-PT10M", "END:VALARM", "END:VEVENT", "END:VCALENDAR")
	var b strings.Builder
	for _, line := range lines {
		fold(&b, line)
	}
	return []byte(b.String())
}

// calendarHost is what makes the events of one shop unlike those of any other.
func (p *Pages) calendarHost() string {
	if _, host, ok := strings.Cut(p.config.PublicURL, "://"); ok {
		return host
	}
	return "sneakerdrop"
}

var calendarEscapes = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\r\n", `\n`, "\n", `\n`, "\r", `\n`)

// calendarText escapes a text, and leaves control characters out.
func calendarText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return -1
		}
		return r
	}, calendarEscapes.Replace(s))
}

// fold writes a line in pieces of at most maxLine octets. No character is cut in two.
func fold(b *strings.Builder, line string) {
	for room := maxLine; len(line) > room; room = maxLine - 1 { // the blank that begins a piece counts
		cut := room
		for !utf8.RuneStart(line[cut]) {
			cut--
		}
		b.WriteString(line[:cut] + "\r\n ")
		line = line[cut:]
	}
	b.WriteString(line + "\r\n")
}
