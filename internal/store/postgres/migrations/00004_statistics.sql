-- +goose Up
-- While a crowd buys, these tables grow so fast that autovacuum analyzes them every minute. Each run read 30,000 pages
-- and delayed sales (docs/BENCHMARKS.md). No plan depends on these statistics, so a sample of 3,000 rows is enough.
-- A column that is added later needs the same setting.
ALTER TABLE sneakerdrop.users
    ALTER COLUMN id SET STATISTICS 10,
    ALTER COLUMN username SET STATISTICS 10,
    ALTER COLUMN email SET STATISTICS 10,
    ALTER COLUMN issuer SET STATISTICS 10,
    ALTER COLUMN subject SET STATISTICS 10,
    ALTER COLUMN created_at SET STATISTICS 10;
ALTER TABLE sneakerdrop.reservations
    ALTER COLUMN drop_id SET STATISTICS 10,
    ALTER COLUMN id SET STATISTICS 10,
    ALTER COLUMN user_id SET STATISTICS 10,
    ALTER COLUMN size SET STATISTICS 10,
    ALTER COLUMN status SET STATISTICS 10,
    ALTER COLUMN created_at SET STATISTICS 10,
    ALTER COLUMN expires_at SET STATISTICS 10,
    ALTER COLUMN ended_at SET STATISTICS 10;
ALTER TABLE sneakerdrop.purchases
    ALTER COLUMN drop_id SET STATISTICS 10,
    ALTER COLUMN id SET STATISTICS 10,
    ALTER COLUMN reservation_id SET STATISTICS 10,
    ALTER COLUMN user_id SET STATISTICS 10,
    ALTER COLUMN size SET STATISTICS 10,
    ALTER COLUMN price SET STATISTICS 10,
    ALTER COLUMN created_at SET STATISTICS 10;
ALTER TABLE sneakerdrop.ledger
    ALTER COLUMN drop_id SET STATISTICS 10,
    ALTER COLUMN seq SET STATISTICS 10,
    ALTER COLUMN batch SET STATISTICS 10,
    ALTER COLUMN at SET STATISTICS 10,
    ALTER COLUMN size SET STATISTICS 10,
    ALTER COLUMN reason SET STATISTICS 10,
    ALTER COLUMN units SET STATISTICS 10,
    ALTER COLUMN available SET STATISTICS 10;
ALTER TABLE sneakerdrop.idempotency_keys
    ALTER COLUMN drop_id SET STATISTICS 10,
    ALTER COLUMN caller SET STATISTICS 10,
    ALTER COLUMN operation SET STATISTICS 10,
    ALTER COLUMN key SET STATISTICS 10,
    ALTER COLUMN body_hash SET STATISTICS 10,
    ALTER COLUMN answer SET STATISTICS 10,
    ALTER COLUMN created_at SET STATISTICS 10;

INSERT INTO sneakerdrop.compatibility (version, oldest) VALUES (4, 3);
