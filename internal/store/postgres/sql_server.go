package postgres

// Statements about the server, a session, the schema and whole tables.
const (
	databaseID = `
SELECT to_hex(c.system_identifier) || to_hex(d.oid::bigint)
FROM pg_control_system() AS c, pg_database AS d
WHERE d.datname = current_database()`

	// In the same order as batches, so that the two cannot deadlock. If nothing is deleted, readers do not wait.
	importLock   = `LOCK TABLE %s IN %s MODE`
	importDelete = `TRUNCATE %s`
	importNext   = `SELECT last_value + is_called::integer FROM sneakerdrop.%s`

	// Takes a number that cannot be a parameter. Unlike setval, it is undone with its transaction.
	importNumbers = `ALTER SEQUENCE sneakerdrop.%s RESTART WITH %d`

	// A reader that waits for its receiver, and a writer that waits for rows, are idle on purpose.
	exportSettings = `SELECT set_config('idle_in_transaction_session_timeout', '0', true)`

	migrateLock = `SELECT pg_advisory_xact_lock(7236290614)`

	// The tables and sequences that this role owns, if the role to grant them to exists: that is, if
	// deploy/postgres-roles.sql was run in this database.
	migrateGrantable = `
SELECT c.relname
FROM pg_namespace n
JOIN pg_roles r ON r.rolname = 'sneakerdrop_serve' AND r.rolname <> current_user AND has_schema_privilege(r.oid, n.oid, 'USAGE')
JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'S') AND pg_has_role(current_user, c.relowner, 'USAGE')
WHERE n.nspname = 'sneakerdrop'
ORDER BY c.relname`

	migrateSchema = `CREATE SCHEMA IF NOT EXISTS sneakerdrop`

	poolerBackend = `SELECT pg_backend_pid()`

	// What a server reports about itself and the session: see state. The last two columns are for connections that
	// cannot be given settings. They name the first setting that matters to single statements and does not have its
	// default value.
	sessionState = `
SELECT current_setting('transaction_read_only') = 'on', pg_is_in_recovery(), current_setting('server_encoding'),
       current_setting('session_replication_role'), current_setting('synchronous_commit'), current_setting('fsync'),
       current_setting('full_page_writes'), current_setting('synchronous_standby_names') <> '', unfit.name, unfit.value
FROM (VALUES (1)) AS one (row)
LEFT JOIN LATERAL (
    SELECT name, current_setting(name) AS value
    FROM (VALUES ('default_transaction_isolation', '^read committed$'), ('bytea_output', '^hex$'), ('exit_on_error', '^off$'),
        ('client_min_messages', '^(debug|log|notice|warning)'), ('search_path', '^("?pg_catalog|(?!.*pg_catalog))'))
        AS needs (name, pattern)
    WHERE current_setting(name) !~ pattern
    LIMIT 1
) AS unfit ON true`

	// %s is the name of a setting.
	settingSource = `
SELECT source, current_user, current_database()
FROM pg_settings
WHERE name = %s`

	serverVersion = `SELECT current_setting('server_version')`

	readyVersion = `
SELECT coalesce(max(version_id), 0)
FROM sneakerdrop.goose_db_version
WHERE is_applied`

	// One row for each version that is newer than the program: see migrations/00003_compatibility.sql.
	readyCompatible = `
SELECT count(*), coalesce(max(oldest), 0)
FROM sneakerdrop.compatibility
WHERE version > $1`

	// Waits as long as another process migrates, whatever lock_timeout the migrations use.
	migrateLockPatiently = `SET LOCAL lock_timeout = 0`

	primaryTimeline = `
SELECT CASE WHEN pg_is_in_recovery() THEN '' ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END`
)
