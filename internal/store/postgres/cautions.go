package postgres

import (
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"sneakerdrop/internal/store"
)

// cautions are the reasons why the database may lose commits, as the newest connection found them. The zero value is
// ready.
type cautions struct {
	mu  sync.Mutex
	now []store.Caution
}

// note takes over the reasons and logs what is new.
func (c *cautions) note(found []store.Caution, log *slog.Logger) {
	c.mu.Lock()
	before := c.now
	c.now = found
	c.mu.Unlock()
	for _, caution := range found {
		if !slices.Contains(before, caution) {
			log.Warn("the database may lose sales", "why", caution.What, "source", caution.Source)
		}
	}
	if len(found) == 0 && len(before) > 0 {
		log.Info("the database no longer puts sales at risk", "was", before)
	}
}

func (c *cautions) get() []store.Caution {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Cautions implements store.Cautious. It returns what was true when a connection was last opened, or when Ready last
// asked.
func (s *Store) Cautions() []store.Caution { return s.cautions.get() }

// cautions returns why the server may lose commits. source says where a setting comes from.
func (s *state) cautions(source func(name string) string) (all []store.Caution) {
	say := func(name, value, consequence string) {
		all = append(all, store.Caution{What: fmt.Sprintf("%s is %s: %s", name, value, consequence), Source: source(name)})
	}
	switch s.commit {
	case "off":
		say("synchronous_commit", s.commit, "a crash of the database loses sales that buyers were told about")
	case "local":
		if s.awaited {
			say("synchronous_commit", s.commit, "a failover loses sales that buyers were told about, because commits wait for no standby")
		}
	case "remote_write":
		if s.awaited {
			say("synchronous_commit", s.commit, "a failover to a standby whose machine also crashed loses sales that buyers were told about")
		}
	}
	if s.fsync == "off" {
		say("fsync", s.fsync, "a crash of the database's machine loses sales or the whole database")
	}
	if s.pages == "off" {
		say("full_page_writes", s.pages, "a crash of the database's machine may damage the database")
	}
	return all
}
