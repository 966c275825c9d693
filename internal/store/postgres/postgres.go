// Package postgres keeps drops in a PostgreSQL database, version 15 or newer, in its own schema ("sneakerdrop").
//
// A batch takes two pipelined round trips on one connection. The first begins the transaction, locks the drop's row,
// then reads the clock, and then reads what the batch needs. These are separate statements at READ COMMITTED: a
// single statement that waits for the lock would use a clock and a snapshot from before the wait. The second round
// trip writes and commits. Nothing else happens while the lock is held. If another batch is to follow, its first
// round trip goes out right behind the COMMIT of the one before (see commitAndBegin).
//
// Each round trip ends with a single Sync, so the server skips everything after a failed statement, including COMMIT.
// An ERROR from a statement before COMMIT therefore means that nothing was written.
//
// A Store is safe for concurrent use, also by several replicas on one database.
package postgres

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/records"
)

// connectTimeout limits one attempt to connect if the URL does not set connect_timeout.
const connectTimeout = 5 * time.Second

// rollbackTimeout limits a ROLLBACK. A connection that does not answer it is closed, which also rolls back.
const rollbackTimeout = 5 * time.Second

// Options are the options of Open. The zero value is useful.
type Options struct {
	// Connections is the most connections that the pool opens. 0 means four per CPU, at least 8. Each batch under way
	// uses one.
	Connections int
	// Log receives messages for operators: the server's notices and closed connections. Nil means slog.Default().
	Log *slog.Logger

	unpinned bool // for tests, which show what the pins are good for
}

// Store is a store.Store on PostgreSQL.
type Store struct {
	records.Store // everything off the hot path

	pool   *pgxpool.Pool
	log    *slog.Logger
	bounds deadlineBounds
	// pooled: there may be a pooler, which keeps no settings for us. The settings go with each transaction instead.
	pooled bool
	// session has the settings of each connection. ofTransaction is SQL that sets those that go with each transaction
	// when pooled.
	session       map[string]string
	ofTransaction string
	cautions      cautions
	// reads: the URL asks for a standby, which is enough for an audit.
	reads bool
	// primary is nil if the URL names a single host.
	primary *primary
	closing sync.Once
	groups  groups
	lookups chan struct{} // limits concurrent look-ups: each may wait for a lock, and others need connections
}

var (
	_ store.Store    = (*Store)(nil)
	_ store.Cautious = (*Store)(nil)
)

// Open prepares a store on the database at an address that ReadAddress accepts. It neither connects nor migrates. The
// first call that needs the database connects, and fails if it is out of reach. Of several hosts the store uses the
// one that takes writes.
//
// Behind PgBouncer in transaction mode the URL must contain default_query_exec_mode=exec; see CheckPooler.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	at, err := ReadAddress(url, false)
	if err != nil {
		return nil, fmt.Errorf("the database URL %w", err)
	}
	cfg, err := pgxpool.ParseConfig(at.URL)
	if err != nil {
		return nil, fmt.Errorf("read the database URL: %w", withoutAddress(err))
	}
	s := &Store{log: o.Log}
	s.Store = records.New(engine{s})
	if s.log == nil {
		s.log = slog.Default()
	}
	s.pooled = cfg.ConnConfig.DefaultQueryExecMode != pgx.QueryExecModeCacheStatement
	s.reads = !wantsPrimary(cfg.ConnConfig.ValidateConnect)
	s.configure(cfg.ConnConfig, o)
	if !s.reads {
		s.primary = newPrimary(cfg, s.log)
	}
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = connectTimeout
	}
	// The connection may lead to another server than the earlier ones. Without synchronous replication that server
	// may lack some of their commits.
	cfg.AfterConnect = func(_ context.Context, conn *pgx.Conn) error {
		registerArrays(conn.TypeMap())
		s.bounds.forgetAll()
		return nil
	}
	cfg.MaxConns = int32(max(8, 4*runtime.NumCPU()))
	if most := cmp.Or(o.Connections, at.connections); most > 0 {
		cfg.MaxConns = int32(min(most, 10_000))
	}
	s.groups.most, s.groups.turnTime = min(max(2, runtime.NumCPU()), max(1, int(cfg.MaxConns)/2)), turnTime
	s.groups.mostTimedOut = max(1, int(cfg.MaxConns)/4)
	s.lookups = make(chan struct{}, max(1, cfg.MaxConns/4))
	if s.pool, err = pgxpool.NewWithConfig(ctx, cfg); err != nil {
		return nil, fmt.Errorf("open the connection pool: %w", err)
	}
	if s.primary != nil {
		s.primary.watch(s.pool)
	}
	return s, nil
}

// Close waits for the calls under way and closes all connections.
func (s *Store) Close() error {
	s.pool.Close()
	s.closing.Do(s.primary.close)
	return nil
}
