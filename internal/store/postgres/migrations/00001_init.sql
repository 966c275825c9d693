-- +goose Up
-- Times are milliseconds since the Unix epoch, UTC. Money is in minor units.
--
-- There are no foreign keys from reservations, purchases, ledger and idempotency_keys, because they would cut the
-- throughput to 1/2.4. The state machine keeps the references valid, and the audit checks them.

-- CACHE 1 numbers drops in the order of their creation. A creation that rolls back leaves a gap. The maximum of each
-- sequence is one more than its table allows. A sequence that continues after the table's highest number needs it.
CREATE SEQUENCE sneakerdrop.drop_ids AS bigint MINVALUE 1 MAXVALUE 2097152 CACHE 1;

-- A shop's own user numbers stay below 2^40, so the two ranges never overlap.
CREATE SEQUENCE sneakerdrop.user_ids AS bigint MINVALUE 1099511627776 MAXVALUE 9007199254740992 CACHE 1;

CREATE TABLE sneakerdrop.users (
    id         bigint PRIMARY KEY CHECK (id BETWEEN 1 AND 9007199254740991),
    username   text   NOT NULL,
    email      text,
    issuer     text,
    subject    text,
    created_at bigint NOT NULL
);
CREATE UNIQUE INDEX users_email ON sneakerdrop.users (email) WHERE email IS NOT NULL;
CREATE UNIQUE INDEX users_subject ON sneakerdrop.users (issuer, subject) WHERE subject IS NOT NULL;
CREATE UNIQUE INDEX users_bare_username ON sneakerdrop.users (username) WHERE email IS NULL AND subject IS NULL;
CREATE INDEX users_username ON sneakerdrop.users (username);
COMMENT ON COLUMN sneakerdrop.users.id IS 'the shop''s own number, or from 2^40 on one given by sneakerdrop';
COMMENT ON COLUMN sneakerdrop.users.email IS 'lower case';
COMMENT ON COLUMN sneakerdrop.users.created_at IS 'ms since the Unix epoch';

-- Every batch updates this row. Half of each page stays free and no counter is indexed, so that the updates stay HOT.
CREATE TABLE sneakerdrop.drops (
    id             bigint  PRIMARY KEY CHECK (id BETWEEN 1 AND 2097151),
    name           text    NOT NULL,
    price          bigint  NOT NULL CHECK (price >= 0),
    start_time     bigint  NOT NULL,
    image_url      text,
    limit_per_user bigint  NOT NULL DEFAULT 0 CHECK (limit_per_user >= 0),
    max_expired_holds bigint NOT NULL DEFAULT 0 CHECK (max_expired_holds >= 0),
    paused         boolean NOT NULL DEFAULT false,
    hidden         boolean NOT NULL DEFAULT false,
    archived       boolean NOT NULL DEFAULT false,
    version        bigint  NOT NULL,
    created_at     bigint  NOT NULL,
    last_at        bigint  NOT NULL,
    seq            bigint  NOT NULL CHECK (seq >= 0),
    reserved       bigint  NOT NULL CHECK (reserved BETWEEN 0 AND 4294967295),
    purchased      bigint  NOT NULL CHECK (purchased BETWEEN 0 AND reserved),
    batch          uuid    NOT NULL
) WITH (
    fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0
);
COMMENT ON COLUMN sneakerdrop.drops.price IS 'minor units';
COMMENT ON COLUMN sneakerdrop.drops.start_time IS 'ms since the Unix epoch';
COMMENT ON COLUMN sneakerdrop.drops.limit_per_user IS 'units; 0: none';
COMMENT ON COLUMN sneakerdrop.drops.max_expired_holds IS 'unpaid holds of one user before waits begin; 0: any number';
COMMENT ON COLUMN sneakerdrop.drops.created_at IS 'ms since the Unix epoch';
COMMENT ON COLUMN sneakerdrop.drops.last_at IS 'time of the last batch, ms since the Unix epoch; never steps back';
COMMENT ON COLUMN sneakerdrop.drops.seq IS 'number of the newest ledger entry';
COMMENT ON COLUMN sneakerdrop.drops.reserved IS 'number of the newest reservation within the drop';
COMMENT ON COLUMN sneakerdrop.drops.purchased IS 'number of the newest purchase within the drop';
COMMENT ON COLUMN sneakerdrop.drops.batch IS 'the last batch that changed the drop';

CREATE TABLE sneakerdrop.sizes (
    drop_id   bigint NOT NULL,
    position  bigint NOT NULL,
    label     text   NOT NULL,
    total     bigint NOT NULL,
    available bigint NOT NULL CHECK (available >= 0),
    held      bigint NOT NULL CHECK (held >= 0),
    sold      bigint NOT NULL CHECK (sold >= 0),
    PRIMARY KEY (drop_id, position),
    UNIQUE (drop_id, label),
    CONSTRAINT sizes_balanced CHECK (total = available + held + sold)
) WITH (
    fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0
);
COMMENT ON COLUMN sneakerdrop.sizes.label IS 'empty: the one size of a drop without sizes';

CREATE TABLE sneakerdrop.reservations (
    drop_id    bigint   NOT NULL,
    id         bigint   NOT NULL,
    user_id    bigint   NOT NULL CHECK (user_id BETWEEN 1 AND 9007199254740991),
    size       text     NOT NULL,
    status     smallint NOT NULL CHECK (status BETWEEN 1 AND 4),
    created_at bigint   NOT NULL,
    expires_at bigint   NOT NULL,
    ended_at   bigint,
    PRIMARY KEY (drop_id, id),
    CONSTRAINT reservations_of_drop CHECK (id >> 32 = drop_id AND id & 4294967295 > 0),
    CONSTRAINT reservations_ended CHECK ((status = 1) = (ended_at IS NULL))
) WITH (
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0
);
-- With id, the index returns due holds in the order of their ends, even if many end in the same millisecond.
CREATE INDEX reservations_active ON sneakerdrop.reservations (drop_id, expires_at, id) WHERE status = 1;
-- All secondary indexes are partial, with the condition of the one query that uses them. A look-up by id that is
-- planned while the table is empty, when every index costs the same, can then only use the primary key. Each row is in
-- one of these two. status + 0 keeps a search for status = 1 from this index. Once all old reservations have ended, the
-- planner takes it to cost no more than reservations_active, and it would read every hold of a drop.
CREATE INDEX reservations_user ON sneakerdrop.reservations (drop_id, user_id) WHERE status + 0 <= 2;
CREATE INDEX reservations_user_past ON sneakerdrop.reservations (drop_id, user_id) WHERE status > 2;
COMMENT ON COLUMN sneakerdrop.reservations.id IS 'drop_id << 32 | number within the drop';
COMMENT ON COLUMN sneakerdrop.reservations.size IS 'in a drop without sizes the buyer''s note';
COMMENT ON COLUMN sneakerdrop.reservations.status IS '1 active, 2 completed, 3 expired, 4 cancelled';
COMMENT ON COLUMN sneakerdrop.reservations.created_at IS 'ms since the Unix epoch';
COMMENT ON COLUMN sneakerdrop.reservations.expires_at IS 'ms since the Unix epoch';
COMMENT ON COLUMN sneakerdrop.reservations.ended_at IS 'ms since the Unix epoch; null while active';

CREATE TABLE sneakerdrop.purchases (
    drop_id        bigint NOT NULL,
    id             bigint NOT NULL,
    reservation_id bigint NOT NULL,
    user_id        bigint NOT NULL CHECK (user_id BETWEEN 1 AND 9007199254740991),
    size           text   NOT NULL,
    price          bigint NOT NULL CHECK (price >= 0),
    created_at     bigint NOT NULL,
    PRIMARY KEY (drop_id, id),
    UNIQUE (drop_id, reservation_id),
    CONSTRAINT purchases_of_drop CHECK (id >> 32 = drop_id AND id & 4294967295 > 0 AND reservation_id >> 32 = drop_id)
);
COMMENT ON COLUMN sneakerdrop.purchases.id IS 'drop_id << 32 | number within the drop';
COMMENT ON COLUMN sneakerdrop.purchases.price IS 'minor units, as it was when bought';
COMMENT ON COLUMN sneakerdrop.purchases.created_at IS 'ms since the Unix epoch';

CREATE TABLE sneakerdrop.ledger (
    drop_id   bigint NOT NULL,
    seq       bigint NOT NULL CHECK (seq > 0),
    batch     uuid   NOT NULL,
    at        bigint NOT NULL,
    size      text   NOT NULL,
    reason    text   NOT NULL,
    units     bigint NOT NULL,
    available bigint NOT NULL CHECK (available >= 0),
    PRIMARY KEY (drop_id, seq)
);
COMMENT ON COLUMN sneakerdrop.ledger.at IS 'time of the batch, ms since the Unix epoch';
COMMENT ON COLUMN sneakerdrop.ledger.units IS 'units moved; negative only where a restock took units away';
COMMENT ON COLUMN sneakerdrop.ledger.available IS 'the size''s units on sale after this entry';

-- drop_id is 0 for calls without a drop. The key comes first in the primary key, before the columns that most rows
-- share, so a look-up compares half as much.
CREATE TABLE sneakerdrop.idempotency_keys (
    drop_id    bigint NOT NULL,
    caller     text   NOT NULL COLLATE "C",
    operation  text   NOT NULL COLLATE "C",
    key        text   NOT NULL COLLATE "C",
    body_hash  bytea  NOT NULL CHECK (octet_length(body_hash) = 32),
    answer     bytea  NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (drop_id, key, caller, operation)
) WITH (
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0
);
CREATE INDEX idempotency_keys_created ON sneakerdrop.idempotency_keys (created_at);
COMMENT ON COLUMN sneakerdrop.idempotency_keys.created_at IS 'ms since the Unix epoch';
