//go:build linux

package cluster

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// probe writes to the databases themselves all the time, so that what is their part of a pause is known without
// sneakerdrop.
type probe struct {
	mu     sync.Mutex
	writes []write
}

// write is a commit that was acknowledged, and so is on two machines.
type write struct {
	at      time.Time
	primary time.Time // when its session found out that the server is the primary
}

// startProbe starts a probe that runs until ctx ends.
func (c *cluster) startProbe(ctx context.Context) *probe {
	p := &probe{}
	for _, m := range c.members {
		go func() {
			for ctx.Err() == nil {
				_ = p.write(ctx, m) // most of them are no primary, and one may be gone
				time.Sleep(20 * time.Millisecond)
			}
		}()
	}
	return p
}

// write writes until something goes wrong.
func (p *probe) write(ctx context.Context, m *member) error {
	config, err := pgx.ParseConfig(m.url("postgres", "postgres") + "&connect_timeout=1")
	if err != nil {
		return err
	}
	noticed := false // what is on one machine alone is no write
	config.OnNotice = func(*pgconn.PgConn, *pgconn.Notice) { noticed = true }
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var standby bool
	if err := conn.QueryRow(ctx, `SELECT pg_is_in_recovery()`).Scan(&standby); err != nil {
		return err
	}
	if standby {
		return errors.New("is no primary")
	}
	for primary := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if _, err = conn.Exec(ctx, `INSERT INTO public.probe VALUES (1)`); err != nil || noticed {
			return err
		}
		p.mu.Lock()
		p.writes = append(p.writes, write{time.Now(), primary})
		p.mu.Unlock()
	}
}

// pause is the longest time without a write from a moment on: when it began, and the write that ended it.
func (p *probe) pause(from time.Time) (began time.Time, ended write) {
	p.mu.Lock()
	defer p.mu.Unlock()
	slices.SortFunc(p.writes, func(a, b write) int { return a.at.Compare(b.at) })
	last := from
	for _, w := range p.writes {
		if w.at.Before(from) {
			continue
		}
		if w.at.Sub(last) > ended.at.Sub(began) || ended.at.IsZero() {
			began, ended = last, w
		}
		last = w.at
	}
	return began, ended
}
