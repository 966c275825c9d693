package postgres

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// pin is a setting that every connection gets, whatever the server, the database or the role say.
type pin struct {
	name, value string
	// tunable: a value in the URL takes precedence. Such a setting changes how long something takes or waits, never
	// what it means.
	tunable bool
	// each: behind a pooler that keeps no settings for us, it goes with each transaction.
	each bool
}

// pins are all settings that a role may change and that affect the meaning of our statements, whether they run, or
// their plans. session_test.go tries every setting that exists. A statement sets them, because PgBouncer refuses
// connections with parameters that it does not know.
//
// lock_timeout is no longer than a frozen replica can hold a lock. The planner's settings make a plan that was made
// on an empty table fit when the table has grown: it only probes indexes. JIT is off because it goes by estimated
// cost and would compile each of these plans.
func pins() []pin {
	return []pin{
		{name: "client_encoding", value: "UTF8"},
		{name: "standard_conforming_strings", value: "on"},
		{name: "search_path", value: "pg_catalog"}, // our tables are named with their schema
		{name: "DateStyle", value: "ISO, YMD"},
		{name: "IntervalStyle", value: "postgres"},
		{name: "TimeZone", value: "UTC"},
		{name: "bytea_output", value: "hex"},
		{name: "extra_float_digits", value: "1"},
		{name: "array_nulls", value: "on"},
		{name: "transform_null_equals", value: "off"},
		{name: "row_security", value: "on"},
		{name: "default_table_access_method", value: "heap"}, // rows are addressed by their location (ctid)
		{name: "default_transaction_isolation", value: "read committed", each: true},
		{name: "default_transaction_deferrable", value: "off", each: true},
		// A higher level would hide the warning that a COMMIT must not have. A lower one sends more than we need.
		{name: "client_min_messages", value: "warning", each: true},
		{name: "exit_on_error", value: "off", each: true},

		{name: "idle_in_transaction_session_timeout", value: "5s", tunable: true, each: true},
		{name: "lock_timeout", value: "5s", tunable: true, each: true},
		{name: "statement_timeout", value: "0", tunable: true, each: true},
		{name: "transaction_timeout", value: "0", tunable: true, each: true}, // since PostgreSQL 17
		{name: "idle_session_timeout", value: "0", tunable: true},

		{name: "plan_cache_mode", value: "force_generic_plan", tunable: true, each: true},
		{name: "enable_seqscan", value: "off", tunable: true, each: true},
		{name: "enable_bitmapscan", value: "off", tunable: true, each: true},
		{name: "enable_hashjoin", value: "off", tunable: true, each: true},
		{name: "enable_mergejoin", value: "off", tunable: true, each: true},
		{name: "jit", value: "off", tunable: true, each: true},
		{name: "enable_indexscan", value: "on", tunable: true},
		{name: "enable_indexonlyscan", value: "on", tunable: true},
		{name: "enable_tidscan", value: "on", tunable: true},
		{name: "enable_nestloop", value: "on", tunable: true},
		{name: "enable_sort", value: "on", tunable: true},
		{name: "enable_material", value: "on", tunable: true},
		{name: "max_parallel_workers_per_gather", value: "0", tunable: true},
		{name: "force_parallel_mode", value: "off", tunable: true},  // until PostgreSQL 15
		{name: "debug_parallel_query", value: "off", tunable: true}, // since then
		{name: "seq_page_cost", value: "1", tunable: true},
		{name: "random_page_cost", value: "4", tunable: true},
		{name: "cpu_tuple_cost", value: "0.01", tunable: true},
		{name: "cpu_index_tuple_cost", value: "0.005", tunable: true},
		{name: "cpu_operator_cost", value: "0.0025", tunable: true},
		{name: "effective_cache_size", value: "4GB", tunable: true},
		{name: "from_collapse_limit", value: "8", tunable: true},
		{name: "join_collapse_limit", value: "8", tunable: true},
		{name: "geqo", value: "on", tunable: true},
		{name: "cursor_tuple_fraction", value: "0.1", tunable: true},
		{name: "constraint_exclusion", value: "partition", tunable: true},
	}
}

// settings returns the settings of a new connection: the pins, with the URL's values for those that are tunable.
func settings(said map[string]string) map[string]string {
	all := make(map[string]string)
	for _, p := range pins() {
		all[p.name] = p.value
		if v, ok := said[strings.ToLower(p.name)]; ok && p.tunable {
			all[p.name] = v
		}
	}
	return all
}

// takePinned removes the URL's values of pinned settings from a connection's parameters. They may also be in
// options=-c name=value.
func takePinned(params map[string]string) (said map[string]string) {
	said = make(map[string]string)
	names := make(map[string]bool)
	for _, p := range pins() {
		names[strings.ToLower(p.name)] = true
	}
	if options, ok := params["options"]; ok {
		given, rest := splitOptions(options)
		for name, value := range given {
			params[name] = cmp.Or(params[name], value)
		}
		if params["options"] = rest; rest == "" {
			delete(params, "options")
		}
	}
	for name, value := range params {
		if plain := strings.ToLower(name); names[plain] {
			said[plain] = value
			delete(params, name)
		}
	}
	return said
}

var (
	optionWord   = regexp.MustCompile(`(?s)(?:\\.|[^\\ \t\n\r\v\f])+`) // blanks separate words; a backslash escapes the next character
	optionEscape = regexp.MustCompile(`(?s)\\(.)`)
)

// splitOptions splits options=-c name=value --other=value. rest is everything else in it.
func splitOptions(options string) (given map[string]string, rest string) {
	given = make(map[string]string)
	var left []string
	words := optionWord.FindAllString(options, -1)
	for i := 0; i < len(words); i++ {
		begin := i
		setting, ok := strings.CutPrefix(words[i], "--")
		if !ok {
			if setting, ok = strings.CutPrefix(words[i], "-c"); ok && setting == "" && i+1 < len(words) {
				i++
				setting = words[i]
			}
		}
		name, value, assigned := strings.Cut(optionEscape.ReplaceAllString(setting, "$1"), "=")
		if !ok || !assigned || name == "" {
			left = append(left, words[begin:i+1]...)
			continue
		}
		given[strings.ReplaceAll(strings.TrimSpace(name), "-", "_")] = value
	}
	return given, strings.Join(left, " ")
}

// configure prepares the connections of a store.
func (s *Store) configure(cfg *pgx.ConnConfig, o Options) {
	said := takePinned(cfg.RuntimeParams)
	s.session = settings(said)
	if s.pooled { // most settings go with each transaction; PgBouncer keeps these for each client
		cfg.RuntimeParams["standard_conforming_strings"] = "on"
		cfg.RuntimeParams["datestyle"] = "ISO, YMD"
		cfg.RuntimeParams["timezone"] = "UTC"
		cfg.ValidateConnect = s.validate(nil, cfg.ValidateConnect)
	} else {
		cfg.ValidateConnect = s.validate(s.session, cfg.ValidateConnect)
	}
	cfg.RuntimeParams["client_encoding"] = "UTF8"
	if o.unpinned {
		delete(cfg.RuntimeParams, "client_encoding")
		cfg.ValidateConnect = s.validate(nil, nil)
	}
	s.ofTransaction = queueSettings(s.session)
	cfg.DialFunc = dialer().DialContext
	cfg.OnNotice = func(c *pgconn.PgConn, n *pgconn.Notice) {
		level := slog.LevelDebug
		if warns(n) {
			level = slog.LevelWarn
			c.CustomData()[warningKey] = n
		}
		s.log.Log(context.Background(), level, "notice from PostgreSQL", "severity", severity(n), "code", n.Code, "message", n.Message)
	}
	if cfg.RuntimeParams["application_name"] == "" {
		cfg.RuntimeParams["application_name"] = "sneakerdrop"
	}
}

// wantsPrimary reports whether a URL's target_session_attrs ask for a server that takes writes, or for no particular
// one.
func wantsPrimary(target pgconn.ValidateConnectFunc) bool {
	is := func(f pgconn.ValidateConnectFunc) bool {
		return reflect.ValueOf(target).Pointer() == reflect.ValueOf(f).Pointer()
	}
	return target == nil || is(pgconn.ValidateConnectTargetSessionAttrsReadWrite) || is(pgconn.ValidateConnectTargetSessionAttrsPrimary)
}

// setSession returns SQL that gives a session its settings: those that differ from the current ones and that the
// server knows.
func setSession(settings map[string]string) string {
	if len(settings) == 0 {
		return ""
	}
	// The first two must be right for the rest to mean what it says, and for it to be allowed to finish.
	return "SET statement_timeout = 0; SET search_path = pg_catalog; " + assign(settings, "false") + "; "
}

// queueSettings does the same for one transaction, with the settings that go with each.
func queueSettings(settings map[string]string) string {
	each := make(map[string]string)
	for _, p := range pins() {
		if p.each {
			each[p.name] = settings[p.name]
		}
	}
	return assign(each, "true")
}

func assign(settings map[string]string, local string) string {
	var sql strings.Builder
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if sql.Len() > 0 {
			sql.WriteString(", ")
		}
		fmt.Fprintf(&sql, "(%s, %s)", literal(name), literal(settings[name]))
	}
	return "SELECT count(set_config(name, value, " + local + ")) FROM (VALUES " + sql.String() +
		") AS pins (name, value) WHERE current_setting(name, true) <> value"
}

// literal returns a string in SQL, whatever standard_conforming_strings is.
func literal(s string) string {
	return "E'" + strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(s) + "'"
}

// hurried is how often a new connection gets its settings again if that takes longer than a statement may.
const hurried = 10

// SettingError reports a setting of the server, the database or the role that this program cannot work with, and
// cannot change for its own connections.
type SettingError struct {
	Name, Value string
	Source      string // where the setting comes from
	Rule        string // completes "… is <value> (<source>) and "
}

func (e *SettingError) Error() string {
	return fmt.Sprintf("%s is %s (%s) and %s", e.Name, e.Value, e.Source, e.Rule)
}

// ReadOnlyError reports a server that takes no writes.
type ReadOnlyError struct {
	Source string // where default_transaction_read_only comes from; empty for a standby
}

func (e *ReadOnlyError) Error() string {
	if e.Source == "" {
		return "it is a standby"
	}
	return "it is read-only: default_transaction_read_only is on (" + e.Source + ")"
}

// Unwrap returns the error that pgx uses for such a connection.
func (e *ReadOnlyError) Unwrap() error { return pgconn.ErrReadOnlyConnection }

// validate gives a new connection its settings. It refuses the connection if the server is not what the URL asks for;
// of several hosts, and after a failover, only the primary will do. It also refuses a server that this program cannot
// work with.
func (s *Store) validate(settings map[string]string, target pgconn.ValidateConnectFunc) pgconn.ValidateConnectFunc {
	sql := setSession(settings) + sessionState
	writes := wantsPrimary(target)
	return func(ctx context.Context, conn *pgconn.PgConn) error {
		results, err := conn.Exec(ctx, sql).ReadAll()
		for try := 0; code(err) == pgerrcode.QueryCanceled && len(settings) > 0 && try < hurried; try++ {
			_, _ = conn.Exec(ctx, "SET statement_timeout = 0").ReadAll() // the role's timeout may be shorter than this takes
			results, err = conn.Exec(ctx, sql).ReadAll()
		}
		if err != nil {
			return err
		}
		state := newState(results[len(results)-1].Rows[0])
		if writes {
			err = s.judge(ctx, conn, &state)
		} else {
			err = target(ctx, conn)
		}
		if err != nil {
			return err
		}
		return s.refuse(ctx, conn, &state)
	}
}

// examine checks the server again: its configuration may have changed since the connection was opened.
func (s *Store) examine(ctx context.Context) error {
	pooled, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer pooled.Release()
	conn := pooled.Conn().PgConn()
	results, err := conn.Exec(ctx, sessionState).ReadAll()
	if err != nil {
		return err
	}
	state := newState(results[0].Rows[0])
	if s.reads {
		return nil
	}
	return s.judge(ctx, conn, &state)
}

// judge refuses a server that takes no writes, and records what an operator should know about one that does.
func (s *Store) judge(ctx context.Context, conn *pgconn.PgConn, state *state) error {
	switch {
	case state.readOnly && state.standby:
		return &ReadOnlyError{}
	case state.readOnly:
		return &ReadOnlyError{Source: sourceOf(ctx, conn, "default_transaction_read_only")}
	}
	s.cautions.note(state.cautions(func(name string) string { return sourceOf(ctx, conn, name) }), s.log)
	return nil
}

// refuse refuses a connection because of settings that we cannot change.
func (s *Store) refuse(ctx context.Context, conn *pgconn.PgConn, state *state) error {
	if state.encoding != "UTF8" && state.encoding != "SQL_ASCII" { // SQL_ASCII stores our bytes unchanged
		return &SettingError{
			Name: "server_encoding", Value: state.encoding, Source: "set when the database was made",
			Rule: "cannot hold every name; make a database with ENCODING 'UTF8' (CREATE DATABASE … TEMPLATE template0) and copy this one into it",
		}
	}
	if state.replication != "origin" && !state.standby {
		const name = "session_replication_role"
		// A superuser can set it.
		if _, err := conn.Exec(ctx, "SET session_replication_role = origin").ReadAll(); err != nil || s.pooled {
			return &SettingError{
				Name: name, Value: state.replication, Source: sourceOf(ctx, conn, name),
				Rule: "must be origin: otherwise the triggers that protect the operators' log would not run",
			}
		}
	}
	if !s.pooled || state.unfit == "" {
		return nil
	}
	return &SettingError{
		Name: state.unfit, Value: state.unfitValue, Source: sourceOf(ctx, conn, state.unfit),
		Rule: "must have PostgreSQL's default value, because a pooler that gives each transaction another connection keeps no settings for this program; " +
			"reset it, or set pool_mode = session for this database and leave default_query_exec_mode out of the URL",
	}
}

// state is what a server reports about itself and about a new session.
type state struct {
	readOnly, standby     bool
	encoding, replication string
	commit, fsync, pages  string
	awaited               bool // commits wait for standbys
	unfit, unfitValue     string
}

// newState reads the row of sessionState.
func newState(row [][]byte) state {
	is := func(i int) bool { return string(row[i]) == "t" }
	return state{
		readOnly: is(0), standby: is(1), encoding: string(row[2]), replication: string(row[3]), commit: string(row[4]),
		fsync: string(row[5]), pages: string(row[6]), awaited: is(7), unfit: string(row[8]), unfitValue: string(row[9]),
	}
}

// sourceOf returns where a setting comes from, and how to undo it.
func sourceOf(ctx context.Context, conn *pgconn.PgConn, name string) string {
	results, err := conn.Exec(ctx, fmt.Sprintf(settingSource, literal(name))).ReadAll()
	if err != nil || len(results[0].Rows) == 0 {
		return "its source is unknown"
	}
	row := results[0].Rows[0]
	source, role, database := string(row[0]), string(row[1]), string(row[2])
	switch source {
	case "user":
		return fmt.Sprintf("set for the role: ALTER ROLE %s RESET %s", role, name)
	case "database":
		return fmt.Sprintf("set for the database: ALTER DATABASE %s RESET %s", database, name)
	case "database user":
		return fmt.Sprintf("set for the role in this database: ALTER ROLE %s IN DATABASE %s RESET %s", role, database, name)
	case "global":
		return "set for all roles: ALTER ROLE ALL RESET " + name
	case "client":
		return "set by the database URL or by PGOPTIONS"
	case "session":
		return "set by the pooler, or by another client of it"
	case "configuration file", "command line", "environment variable":
		return "set for the server, in its " + source
	default:
		return "set by: " + source
	}
}
