package postgres

// Statements about the server, a session, the schema, and about whole tables.
const (
	databaseID = `
SELECT to_hex(c.system_identifier) || to_hex(d.oid::bigint)
FROM pg_control_system() AS c, pg_database AS d
WHERE d.datname = current_database()`

	// In the order in which batches go, so that the two cannot wait for one another. Who only reads does not wait
	// where nothing is deleted.
	importLock   = `LOCK TABLE %s IN %s MODE`
	importDelete = `TRUNCATE %s`
	importNext   = `SELECT last_value + is_called::integer FROM sneakerdrop.%s`

	// This takes a number, which no parameter can carry. It is undone with its transaction, as setval is not.
	importNumbers = `ALTER SEQUENCE sneakerdrop.%s RESTART WITH %d`

	// A reader that waits for whom it hands rows to, and a writer that waits for rows, are not idle by accident.
	exportSettings = `SELECT set_config('idle_in_transaction_session_timeout', '0', true)`

	migrateLock = `SELECT pg_advisory_xact_lock(7236290614)`

	// The tables and sequences that this role owns, where there is a role to grant them to: deploy/postgres-roles.sql
	// was run in this database.
	migrateGrantable = `
SELECT c.relname
FROM pg_namespace n
JOIN pg_roles r ON r.rolname = 'sneakerdrop_serve' AND r.rolname <> current_user AND has_schema_privilege(r.oid, n.oid, 'USAGE')
JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'S') AND pg_has_role(current_user, c.relowner, 'USAGE')
WHERE n.nspname = 'sneakerdrop'
ORDER BY c.relname`

	migrateSchema = `CREATE SCHEMA IF NOT EXISTS sneakerdrop`

	poolerBackend = `SELECT pg_backend_pid()`

	// What a server says of itself and of the session: see state. The last two columns are for connections that
	// cannot be given settings: the first of those on which single statements rest that is not as it is by default.
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

	// Waits for as long as another process migrates, whatever the lock_timeout of the migrations themselves.
	migrateLockPatiently = `SET LOCAL lock_timeout = 0`

	primaryTimeline = `
SELECT CASE WHEN pg_is_in_recovery() THEN '' ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END`
)
