//go:build linux

package cluster

import (
	"fmt"
	"time"

	"sneakerdrop/internal/testing/histories"
)

// outcome describes the result of one fault.
type outcome struct {
	step
	verdict

	detail         string
	struck, mended time.Time
	over           time.Time // everything is as before
	events         []event   // since the fault
	pause          time.Duration
	patient        time.Duration // the longest time that a buyer had to repeat a call
	// For the last time without writable databases: until there was another primary, until it accepted writes, and
	// from then until the shop sold.
	elected, writable, shop time.Duration
	history                 histories.Found
	tally                   map[string]int
}

// judge calculates the times from what buyers and the databases were told.
func (o *outcome) judge(crowd *crowd, p *probe) {
	o.events = crowd.since(o.struck)
	o.tally = crowd.tally
	o.pause = pause(o.events, o.struck)
	var sold time.Time // the first sale after the longest pause
	last := o.struck
	for _, e := range o.events {
		o.patient = max(o.patient, e.after)
		if e.sold {
			if e.at.Sub(last) == o.pause {
				sold = e.at
			}
			last = e.at
		}
	}
	began, write := p.pause(o.struck)
	if o.writable = write.at.Sub(began); o.writable < noticeable {
		o.writable = 0
		return
	}
	if write.primary.After(began) {
		o.elected = write.primary.Sub(began)
	}
	o.shop = max(0, sold.Sub(write.at))
}

// noticeable is the longest pause that does not count as an outage.
const noticeable = time.Second

func (o *outcome) String() string {
	line := fmt.Sprintf("%s (%s, %s): %d buyers, %d acknowledged, %d asked again; a history of %s; no sale for %s, a buyer asked for %s",
		o.name, o.detail, o.last.Round(100*time.Millisecond), o.buyers, o.acknowledged, o.asked, o.history, o.pause.Round(time.Millisecond),
		o.patient.Round(time.Millisecond))
	if o.elected > 0 {
		line += fmt.Sprintf("; another primary after %s", o.elected.Round(time.Millisecond))
	}
	if o.writable > 0 {
		line += fmt.Sprintf("; no write by the databases for %s, then the shop sold after %s", o.writable.Round(time.Millisecond), o.shop.Round(time.Millisecond))
	}
	return fmt.Sprintf("%s; all back %s after it was mended; %v", line, o.over.Sub(o.mended).Round(100*time.Millisecond), o.tally)
}
