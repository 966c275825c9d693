-- Two roles for one database: the one that migrates owns the schema; the one that serves may do to each table what selling
-- takes, and nothing else. Who breaks into a server that serves can sell, and read what there is; the ledger, purchases and
-- the log of operators' actions stay as they were written, the schema stays, and no token for operators can be made.
--
-- Run it in the shop's database as a superuser, once before the first start and again after each migration:
--   psql -v ON_ERROR_STOP=1 -f deploy/postgres-roles.sql shop
-- Then give both a way to sign in (ALTER ROLE … PASSWORD, or a certificate), and use
--   sneakerdrop migrate      --database postgres://sneakerdrop_owner@…/shop    once for each new version
--   sneakerdrop token create --database postgres://sneakerdrop_owner@…/shop
--   sneakerdrop serve        --database postgres://sneakerdrop_serve@…/shop
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'sneakerdrop_owner') THEN
        CREATE ROLE sneakerdrop_owner LOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'sneakerdrop_serve') THEN
        CREATE ROLE sneakerdrop_serve LOGIN;
    END IF;
    EXECUTE format('GRANT CREATE ON DATABASE %I TO sneakerdrop_owner', current_database());
END
$$;
CREATE SCHEMA IF NOT EXISTS sneakerdrop AUTHORIZATION sneakerdrop_owner;
ALTER SCHEMA sneakerdrop OWNER TO sneakerdrop_owner;
REVOKE ALL ON SCHEMA sneakerdrop FROM PUBLIC;
GRANT USAGE ON SCHEMA sneakerdrop TO sneakerdrop_serve;

-- What each table takes. A table that is not here cannot be touched.
DO $$
DECLARE
    may record;
BEGIN
    FOR may IN
        SELECT *
        FROM (VALUES
            ('drops',            'SELECT, INSERT, UPDATE'),
            ('sizes',            'SELECT, INSERT, UPDATE'),
            ('reservations',     'SELECT, INSERT, UPDATE'),
            ('purchases',        'SELECT, INSERT'),
            ('ledger',           'SELECT, INSERT'),
            ('users',            'SELECT, INSERT, UPDATE'),
            ('idempotency_keys', 'SELECT, INSERT, UPDATE, DELETE'),
            ('tokens',           'SELECT'),
            ('actions',          'SELECT, INSERT'),
            ('outcomes',         'SELECT, INSERT'),
            ('goose_db_version', 'SELECT'),
            ('compatibility',    'SELECT'),
            ('drop_ids',         'USAGE'),
            ('user_ids',         'USAGE'),
            ('actions_id_seq',   'USAGE')
        ) AS list (name, rights)
        JOIN pg_class ON relname = name AND relnamespace = 'sneakerdrop'::regnamespace -- none before the first migration
    LOOP
        EXECUTE format('REVOKE ALL ON %s sneakerdrop.%I FROM sneakerdrop_serve',
            CASE may.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, may.name);
        EXECUTE format('GRANT %s ON %s sneakerdrop.%I TO sneakerdrop_serve',
            may.rights, CASE may.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, may.name);
    END LOOP;
END
$$;
