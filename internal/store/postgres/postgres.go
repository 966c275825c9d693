// Package postgres keeps drops in a PostgreSQL database, version 15 or newer, in a schema of its own ("sneakerdrop").
//
// A batch is two pipelined round trips on one connection. The first begins the transaction, locks the drop's row, then
// reads the clock, then what the batch needs: separate statements at READ COMMITTED, because a statement that waits for
// the lock has its clock and its snapshot of other rows from before the wait. The second writes and commits. Nothing
// else ever happens while the lock is held. Where another batch is to follow, its first round trip is sent behind the
// COMMIT of the one before (see commitAndBegin).
//
// Each round trip has one Sync at its end, so that the server skips all that follows a failed statement, COMMIT
// included: an ERROR of a statement before COMMIT means that nothing was written.
//
// A Store is safe for concurrent use, by several replicas on one database too.
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

// connectTimeout bounds one attempt to connect where the URL does not say (connect_timeout).
const connectTimeout = 5 * time.Second

// rollbackTimeout bounds a ROLLBACK; a connection that does not answer it is closed, which rolls back too.
const rollbackTimeout = 5 * time.Second

// Options are what may differ between stores on one URL. The zero value is useful.
type Options struct {
	// Connections is how many the pool opens at most; 0: four a CPU, at least 8. Each batch under way takes one.
	Connections int
	// Log gets what an operator should know: the server's notices and dropped connections. Nil: slog.Default().
	Log *slog.Logger

	unpinned bool // for tests, which show what the pins are good for
}

// Store is a store.Store on PostgreSQL.
type Store struct {
	records.Store // what is cold

	pool   *pgxpool.Pool
	log    *slog.Logger
	bounds deadlineBounds
	// pooled: a pooler may stand between, which keeps no settings of ours: they go with each transaction.
	pooled bool
	// session has the settings of each connection, and ofTransaction is SQL that sets those that go with each
	// transaction where it is pooled.
	session       map[string]string
	ofTransaction string
	cautions      cautions
	// reads: the URL asks for a standby, which an audit can be run on.
	reads bool
	// primary is nil where the URL names one host.
	primary *primary
	closing sync.Once
	groups  groups
	lookups chan struct{} // those under way: each may wait for a lock, and others need connections
}

var (
	_ store.Store    = (*Store)(nil)
	_ store.Cautious = (*Store)(nil)
)

// Open prepares a store on the database of an address that ReadAddress takes. It neither connects nor migrates: the
// first call that needs the database does, and fails if it is out of reach. Of several hosts it uses the one that
// takes writes.
//
// Behind PgBouncer in transaction mode the URL must say default_query_exec_mode=exec; see CheckPooler.
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
	// It may lead to another server than those before it, whose past is another where that one was not synchronous.
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

// Close waits for the calls that are under way and closes all connections.
func (s *Store) Close() error {
	s.pool.Close()
	s.closing.Do(s.primary.close)
	return nil
}
