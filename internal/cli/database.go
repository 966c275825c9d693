package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgconn"

	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/postgres"
	"sneakerdrop/internal/store/sqlite"
)

// database says which store to open: the file of the embedded one, or the URL of PostgreSQL.
type database struct {
	file, url string
	// Of PostgreSQL, for people: its hosts, its name, and the parameters of the URL that mean nothing here.
	hosts, name, ignored string
}

var errDatabase = errors.New("must be sqlite:FILE, such as sqlite:sneakerdrop.db, or a URL of PostgreSQL, such as postgres://user:password@localhost:5432/shop")

func parseDatabase(s string) (database, error) {
	if file, ok := strings.CutPrefix(strings.TrimSpace(s), "sqlite:"); ok {
		if file = strings.TrimPrefix(file, "//"); file == "" {
			return database{}, errDatabase
		}
		return database{file: file}, nil
	}
	if !postgres.IsAddress(s) {
		return database{}, errDatabase
	}
	return parsePostgres(s, false)
}

// parsePostgres reads the address of a PostgreSQL database; foreign: not of ours.
func parsePostgres(s string, foreign bool) (database, error) {
	a, err := postgres.ReadAddress(s, foreign)
	return database{url: a.URL, hosts: a.Hosts, name: a.Database, ignored: a.Ignored}, err
}

// String names the database without its password.
func (d database) String() string {
	if d.file != "" {
		return "the file " + d.file
	}
	return fmt.Sprintf("PostgreSQL at %s, database %s", d.hosts, d.name)
}

const (
	// reachWithin bounds the wait for a database that is not there yet: containers of one machine start at once.
	reachWithin = 5 * time.Second
	reachEvery  = 200 * time.Millisecond
	// sayEvery is how often the log says that a database is still waited for.
	sayEvery = 15 * time.Second
)

// open opens the database and brings its schema up to date.
func (con *console) open(ctx context.Context, d database, w waiting, log *slog.Logger) (s store.Store, from, to int, err error) {
	if s, err = con.openStore(ctx, d, w, log); err != nil {
		return nil, 0, 0, con.databaseError(d, err)
	}
	if from, to, err = s.Migrate(ctx); err != nil {
		return nil, 0, 0, errors.Join(con.databaseError(d, err), s.Close())
	}
	return s, from, to, nil
}

// openBeside opens the database for a small write. Where a server has an SQLite file the two share it, and then
// nothing is migrated.
func (con *console) openBeside(ctx context.Context, d database, w waiting, log *slog.Logger) (store.Store, error) {
	s, _, _, err := con.open(ctx, d, w, log)
	if !errors.Is(err, sqlite.ErrServed) {
		return s, err
	}
	beside, err := openFile(d.file, sqlite.Options{Log: log, Beside: true})
	if err != nil {
		return nil, con.databaseError(d, err)
	}
	if err := beside.Ready(ctx); err != nil {
		return nil, errors.Join(con.databaseError(d, err), beside.Close())
	}
	return beside, nil
}

// openBooks opens the database for reading: nothing is migrated, and an SQLite file may have a server.
func (con *console) openBooks(ctx context.Context, d database, w waiting, log *slog.Logger) (store.Store, error) {
	var s store.Store
	var err error
	if d.file != "" {
		s, err = openFile(d.file, sqlite.Options{Log: log, ReadOnly: true})
	} else {
		s, err = con.openStore(ctx, d, w, log)
	}
	if err != nil {
		return nil, con.databaseError(d, err)
	}
	if err := s.Ready(ctx); err != nil {
		return nil, errors.Join(con.databaseError(d, err), s.Close())
	}
	return s, nil
}

// openFile opens an SQLite file, and says so if others can read or change it.
func openFile(file string, o sqlite.Options) (store.Store, error) {
	s, err := sqlite.Open(file, o)
	if err != nil {
		return nil, err
	}
	warnOfModes(o.Log, file, file+"-wal", file+"-shm")
	return s, nil
}

func (con *console) openStore(ctx context.Context, d database, w waiting, log *slog.Logger) (store.Store, error) {
	if d.file != "" {
		return openFile(d.file, sqlite.Options{Log: log})
	}
	if d.ignored != "" {
		log.Info("these parameters of the database URL mean nothing here", "names", d.ignored)
	}
	s, err := postgres.Open(ctx, d.url, postgres.Options{Log: log})
	if err != nil {
		return nil, err
	}
	if err := con.reach(ctx, s, d, w, log); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// reach waits until the database answers. What it says about its schema is not asked: that is Migrate's.
func (con *console) reach(ctx context.Context, s *postgres.Store, d database, w waiting, log *slog.Logger) error {
	began, said := time.Now(), time.Time{}
	bounded, cancel := context.WithTimeout(ctx, max(time.Duration(w.WaitForDatabase), reachEvery))
	defer cancel()
	var last error // says more than that the time was over
	for {
		err := s.CheckPooler(bounded)
		if err == nil {
			err = s.Ready(bounded)
		}
		unfit := errors.Is(err, postgres.ErrPoolMode) || isSetting(err)
		if unfit && !w.waits() {
			return err
		}
		if err == nil || !unfit && !refused(err) && store.ClassOf(err) != store.ClassUnavailable && store.ClassOf(err) != store.ClassExhausted {
			return nil
		}
		if last == nil || bounded.Err() == nil {
			last = err
		}
		if refused(err) && !w.waits() {
			return last
		}
		if w.waits() {
			if con.waits != nil {
				con.waits(cause(last).Error())
			}
			if time.Since(said) >= sayEvery {
				said = time.Now()
				log.Warn("waiting for the database", "database", d.String(), "why", cause(last), "waited", time.Since(began).Round(time.Second),
					"for_at_most", time.Duration(w.WaitForDatabase))
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-bounded.Done():
			return last
		case <-time.After(pauseAfter(time.Since(began))):
		}
	}
}

// pauseAfter is how long to wait for the next try: soon at first, then once a second.
func pauseAfter(waited time.Duration) time.Duration {
	if waited < reachWithin {
		return reachEvery
	}
	return time.Second
}

func isSetting(err error) bool {
	_, ok := errors.AsType[*postgres.SettingError](err)
	return ok
}

// refused reports that a server answered, and that waiting will not change its mind: a wrong password, no such
// database.
func refused(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code != pgerrcode.CannotConnectNow && !pgerrcode.IsInsufficientResources(e.Code) &&
		!pgerrcode.IsConnectionException(e.Code) // PgBouncer's, where PostgreSQL is away
}

// databaseError says what is wrong with the database, which one is meant, and what to do.
func (con *console) databaseError(d database, err error) error {
	return con.databaseErrorOf("database", d, err)
}

// databaseErrorOf is databaseError of a database that another flag has named.
func (con *console) databaseErrorOf(flag string, d database, err error) error {
	setting := con.settings.name(flag)
	if errors.Is(err, store.ErrTooNew) {
		return fmt.Errorf("%s (%s): %w", d, setting, store.ErrTooNew)
	}
	if d.file != "" || refused(err) || isSetting(err) || store.ClassOf(err) != store.ClassUnavailable {
		return fmt.Errorf("cannot use %s: %w (set by %s)", d, cause(err), setting)
	}
	return fmt.Errorf("cannot reach %s: %w; start it, or correct %s", d, cause(err), setting)
}

// cause takes the part of a database error that an operator can act on.
func cause(err error) error {
	if e, ok := errors.AsType[*postgres.NoPrimaryError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*postgres.SettingError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*postgres.ReadOnlyError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return errors.New(e.Message + remedy(e))
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return e.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.New("no answer in time")
	}
	if e, ok := errors.AsType[*store.Error](err); ok {
		return e.Err
	}
	return err
}

// remedy is what to do about a parameter of the URL that PostgreSQL does not take as one of its settings.
func remedy(e *pgconn.PgError) string {
	switch e.Code {
	case pgerrcode.UndefinedObject, pgerrcode.InvalidParameterValue, pgerrcode.CantChangeRuntimeParam:
		return "; leave it out of the database URL, or correct it"
	}
	return ""
}
