package cli

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"strconv"
	"strings"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/events"
	"sneakerdrop/internal/store"
)

type eventsCommand struct {
	common
	After    string        `placeholder:"CURSOR" help:"Only events behind this cursor, which an earlier run printed; now: only what happens from now on (default: from the first event)."`
	Type     eventTypes    `placeholder:"TYPE" help:"Only events of this type, such as purchase.completed (default all). Repeat it for more, or separate them by commas."`
	Drop     dropIDs       `placeholder:"N" help:"Only events of this drop (default: all drops except those of rehearsals). Repeat it for more, or separate them by commas."`
	Limit    int           `default:"0" help:"How many events to print at most; 0 means all (default 0)."`
	Follow   bool          `help:"Go on until interrupted, and look for new events each second (default false)."`
	Currency drop.Currency `default:"USD" placeholder:"CODE" help:"The shop's currency, as given to serve; it is in the events of purchases."`
}

// eventTypes are types of events.
type eventTypes []events.Type

func parseEventType(s string) (events.Type, error) {
	if t := events.Type(s); t.Known() {
		return t, nil
	}
	return "", fmt.Errorf("must be a type of event (%s), not %q", strings.Join(events.TypeNames(), ", "), s)
}

// dropIDs are numbers of drops.
type dropIDs []drop.ID

func parseDropID(s string) (drop.ID, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 1 || n > int64(drop.MaxID) {
		return 0, fmt.Errorf("must be the number of a drop, not %q", s)
	}
	return drop.ID(n), nil
}

const (
	eventsPage = 1000
	followEach = time.Second
)

func (c *eventsCommand) run(ctx context.Context, con *console) error {
	if c.Limit < 0 {
		return &faultError{flag: "limit", rule: fmt.Sprintf("must be 0 or a number of events, not %d", c.Limit)}
	}
	cursor, err := events.ParseCursor(c.After)
	if c.After != "now" && err != nil {
		return &faultError{flag: "after", rule: "must be now or a cursor that an earlier run printed; leave it out to begin with the first event"}
	}
	log := c.logger(con.stderr)
	s, err := con.openBooks(ctx, c.Database, c.waiting, log)
	if err != nil {
		return err
	}
	return errors.Join(c.print(ctx, con, s, cursor, log), s.Close())
}

func (c *eventsCommand) print(ctx context.Context, con *console, s store.Store, cursor events.Cursor, log *slog.Logger) error {
	drops := &polledDrops{store: s}
	feed := events.New(s, drops, c.Currency.Code, log)
	err := drops.look(ctx)
	if err == nil && c.After == "now" {
		cursor, err = feed.Now(ctx)
	}
	if err != nil {
		return con.databaseError(c.Database, err)
	}
	for _, id := range c.Drop {
		if drops.known[id] == nil {
			return &faultError{flag: "drop", rule: fmt.Sprintf("names drop %d, but there is no such drop in %s", id, c.Database)}
		}
	}
	err = c.follow(ctx, con, feed, drops, &cursor)
	if ctx.Err() != nil { // interrupted, which is how --follow ends
		err = nil
	}
	fmt.Fprintf(con.stderr, "to go on behind the last of these events: --after %s\n", cursor)
	return err
}

// follow prints events and moves the cursor behind them.
func (c *eventsCommand) follow(ctx context.Context, con *console, feed *events.Feed, drops *polledDrops, cursor *events.Cursor) error {
	filter := events.Filter{Types: c.Type, Drops: c.Drop}
	for printed := 0; ; {
		limit := eventsPage
		if c.Limit > 0 {
			limit = min(limit, c.Limit-printed)
		}
		found, next, more, err := feed.Read(ctx, *cursor, filter, limit)
		if err != nil {
			return con.databaseError(c.Database, err)
		}
		for i := range found {
			if _, err := fmt.Fprintf(con.stdout, "%s\n", found[i].JSON()); err != nil {
				return err
			}
		}
		*cursor, printed = next, printed+len(found)
		switch {
		case c.Limit > 0 && printed >= c.Limit:
			return nil
		case more || len(found) > 0:
			continue
		case !c.Follow:
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(followEach):
		}
		if err := drops.look(ctx); err != nil {
			return con.databaseError(c.Database, err)
		}
	}
}

// polledDrops are the drops of a store that this command asks itself, because it has no engine. The zero value knows no
// drops. It is not safe for concurrent use.
type polledDrops struct {
	store      store.Store
	known      map[drop.ID]*drop.Drop
	generation uint64
}

// look reads which drops have changed.
func (p *polledDrops) look(ctx context.Context) error {
	if p.known == nil {
		all, err := p.store.Drops(ctx)
		if err != nil {
			return err
		}
		p.known = make(map[drop.ID]*drop.Drop, len(all))
		for i := range all {
			p.known[all[i].Drop.ID] = &all[i].Drop
		}
		p.generation++
		return nil
	}
	pulse, err := p.store.Pulse(ctx)
	if err != nil {
		return err
	}
	for _, d := range pulse.Drops {
		if have := p.known[d.ID]; have != nil && have.Version == d.Version {
			continue
		}
		newer, err := p.store.Drop(ctx, d.ID)
		if err != nil {
			return err
		}
		p.known[d.ID] = &newer.Drop
		p.generation++
	}
	return nil
}

// Generation implements events.Drops.
func (p *polledDrops) Generation() uint64 { return p.generation }

// All implements events.Drops.
func (p *polledDrops) All() iter.Seq[*drop.Drop] { return maps.Values(p.known) }

// Queued implements events.Drops. Nothing is sold here.
func (p *polledDrops) Queued() int { return 0 }
