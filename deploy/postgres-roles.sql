-- Makes two roles for one database. The owner owns the schema and migrates; the other one serves, and may do with each
-- table only what selling needs. An attacker who breaks into a serving server can sell, and read what is there. The
-- ledger, purchases and the operators' log stay as they were written, the schema stays, and the attacker can make no
-- operator's token.
--
-- Run it once in the shop's database, as a superuser:
--   psql -v ON_ERROR_STOP=1 -f deploy/postgres-roles.sql shop
-- Then give both a way to sign in (ALTER ROLE … PASSWORD, or a certificate), and use
--   sneakerdrop migrate      --database postgres://sneakerdrop_owner@…/shop    for each new version; it grants the rights too
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
