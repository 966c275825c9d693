CREATE TABLE users (
    id         INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 9007199254740991),
    username   TEXT NOT NULL,
    email      TEXT, -- lower case
    issuer     TEXT,
    subject    TEXT,
    created_at INTEGER NOT NULL,
    CHECK ((issuer IS NULL) = (subject IS NULL))
) STRICT;
CREATE UNIQUE INDEX users_email ON users (email) WHERE email IS NOT NULL;
CREATE UNIQUE INDEX users_subject ON users (issuer, subject) WHERE subject IS NOT NULL;
CREATE UNIQUE INDEX users_bare_username ON users (username) WHERE email IS NULL AND subject IS NULL;
CREATE INDEX users_username ON users (username);

-- Every batch updates this row, so only its id is indexed.
CREATE TABLE drops (
    id             INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 2097151),
    name           TEXT NOT NULL,
    price          INTEGER NOT NULL CHECK (price >= 0),
    start_time     INTEGER NOT NULL,
    image_url      TEXT,
    limit_per_user INTEGER NOT NULL DEFAULT 0 CHECK (limit_per_user >= 0),
    max_expired_holds INTEGER NOT NULL DEFAULT 0 CHECK (max_expired_holds >= 0),
    paused         INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1)),
    hidden         INTEGER NOT NULL DEFAULT 0 CHECK (hidden IN (0, 1)),
    archived       INTEGER NOT NULL DEFAULT 0 CHECK (archived IN (0, 1)),
    version        INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    last_at        INTEGER NOT NULL,
    seq            INTEGER NOT NULL CHECK (seq >= 0),
    reserved       INTEGER NOT NULL CHECK (reserved BETWEEN 0 AND 4294967295),
    purchased      INTEGER NOT NULL CHECK (purchased BETWEEN 0 AND reserved),
    batch          BLOB NOT NULL CHECK (length(batch) = 16)
) STRICT;

-- A drop without sizes has one row with an empty label.
CREATE TABLE sizes (
    drop_id   INTEGER NOT NULL,
    position  INTEGER NOT NULL,
    label     TEXT NOT NULL,
    total     INTEGER NOT NULL,
    available INTEGER NOT NULL CHECK (available >= 0),
    held      INTEGER NOT NULL CHECK (held >= 0),
    sold      INTEGER NOT NULL CHECK (sold >= 0),
    PRIMARY KEY (drop_id, position),
    UNIQUE (drop_id, label),
    CHECK (total = available + held + sold)
) STRICT, WITHOUT ROWID;

-- status: 1 active, 2 completed, 3 expired, 4 cancelled.
CREATE TABLE reservations (
    drop_id    INTEGER NOT NULL,
    id         INTEGER NOT NULL,
    user_id    INTEGER NOT NULL,
    size       TEXT NOT NULL,
    status     INTEGER NOT NULL CHECK (status BETWEEN 1 AND 4),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ended_at   INTEGER,
    PRIMARY KEY (drop_id, id),
    CHECK (id >> 32 = drop_id),
    CHECK ((status = 1) = (ended_at IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX reservations_deadline ON reservations (drop_id, expires_at) WHERE status = 1;
CREATE INDEX reservations_user ON reservations (drop_id, user_id, status);

CREATE TABLE purchases (
    drop_id        INTEGER NOT NULL,
    id             INTEGER NOT NULL,
    reservation_id INTEGER NOT NULL,
    user_id        INTEGER NOT NULL,
    size           TEXT NOT NULL,
    price          INTEGER NOT NULL CHECK (price >= 0),
    created_at     INTEGER NOT NULL,
    PRIMARY KEY (drop_id, id),
    UNIQUE (drop_id, reservation_id),
    CHECK (id >> 32 = drop_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger (
    drop_id   INTEGER NOT NULL,
    seq       INTEGER NOT NULL CHECK (seq >= 1),
    batch     BLOB NOT NULL CHECK (length(batch) = 16),
    at        INTEGER NOT NULL,
    size      TEXT NOT NULL,
    reason    TEXT NOT NULL,
    units     INTEGER NOT NULL,
    available INTEGER NOT NULL CHECK (available >= 0),
    PRIMARY KEY (drop_id, seq)
) STRICT, WITHOUT ROWID;

-- Calls without a drop (create, users) keep their keys under drop 0. Keys are random. The rows are stored in the order
-- of arrival, next to a small index, so that a batch of 500 keys writes 1.2 MB instead of 2.7 MB.
CREATE TABLE idempotency_keys (
    drop_id    INTEGER NOT NULL,
    caller     TEXT NOT NULL,
    operation  TEXT NOT NULL,
    key        TEXT NOT NULL,
    body_hash  BLOB NOT NULL CHECK (length(body_hash) = 32),
    answer     BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (drop_id, caller, operation, key)
) STRICT;
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);

-- Committed writes this row. It really changes, so that the commit reaches the log.
CREATE TABLE confirmations (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    count INTEGER NOT NULL
) STRICT;
INSERT INTO confirmations (id, count) VALUES (1, 0);
