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
	// For PostgreSQL and for people: its hosts, its name, and the parameters of the URL that have no meaning here.
	hosts, name, ignored string
}

var errDatabase = errors.New("must be sqlite:FILE, such as sqlite:sneakerdrop.db, or a PostgreSQL URL, such as postgres://user:password@localhost:5432/shop")

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

// parsePostgres reads the address of a PostgreSQL database. foreign says that its tables are another program's.
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
	// reachWithin limits the wait for a database that is not up yet: containers on one machine start at the same
	// time.
	reachWithin = 5 * time.Second
	reachEvery  = 200 * time.Millisecond
	// sayEvery is how often the log says that the command still waits for its database.
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

// openBeside opens the database for a small write. If a server uses an SQLite file, the two share it, and nothing is
// migrated.
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

// openBooks opens the database for reading. Nothing is migrated, and a server may be using an SQLite file.
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

// openFile opens an SQLite file, and warns if others can read or change it.
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
		log.Info("these parameters of the database URL have no meaning here", "names", d.ignored)
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

// reach waits until the database answers. It does not check the schema; Migrate does.
func (con *console) reach(ctx context.Context, s *postgres.Store, d database, w waiting, log *slog.Logger) error {
	began, said := time.Now(), time.Time{}
	bounded, cancel := context.WithTimeout(ctx, max(time.Duration(w.WaitForDatabase), reachEvery))
	defer cancel()
	var last error // says more than that the time is up
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

// pauseAfter returns how long to wait before the next try: short at first, then a second.
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

// refused reports that a server answered and will not change its mind: a wrong password, or no such database.
func refused(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code != pgerrcode.CannotConnectNow && !pgerrcode.IsInsufficientResources(e.Code) &&
		!pgerrcode.IsConnectionException(e.Code) // PgBouncer sends this if PostgreSQL is down
}

// databaseError says what is wrong with the database, which one it is, and what to do.
func (con *console) databaseError(d database, err error) error {
	return con.databaseErrorOf("database", d, err)
}

// databaseErrorOf is databaseError for a database that another flag names.
func (con *console) databaseErrorOf(flag string, d database, err error) error {
	setting := con.settings.name(flag)
	if errors.Is(err, store.ErrTooNew) {
		return fmt.Errorf("%s (%s): %w", d, setting, store.ErrTooNew)
	}
	if d.file != "" || refused(err) || isSetting(err) || store.ClassOf(err) != store.ClassUnavailable {
		return fmt.Errorf("cannot use %s: %w%s (set by %s)", d, cause(err), fileRemedy(err), setting)
	}
	return fmt.Errorf("cannot reach %s: %w; start it, or correct %s", d, cause(err), setting)
}

// cause returns the part of a database error that an operator can act on.
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

// fileRemedy says what to do about a file that this user may not read and write.
func fileRemedy(err error) string {
	if sqlite.NotWritable(err) {
		return "; give this user the right to write the file and its folder, or name another file"
	}
	return ""
}

// remedy says what to do about a parameter in the URL that PostgreSQL does not accept as a setting.
func remedy(e *pgconn.PgError) string {
	switch e.Code {
	case pgerrcode.UndefinedObject, pgerrcode.InvalidParameterValue, pgerrcode.CantChangeRuntimeParam:
		return "; leave it out of the database URL, or correct it"
	}
	return ""
}
