-- The ledger is what events are made of (internal/events). Entries of older programs say neither the drop's version
-- after the batch, nor the numbers of the reservations or purchases that they are about (docs/FORMATS.md).
ALTER TABLE ledger ADD COLUMN version INTEGER;
ALTER TABLE ledger ADD COLUMN numbers BLOB;

-- A drop's settings as it was created, and after each change of them, as docs/FORMATS.md describes them. seq is the
-- newest ledger entry of that version.
CREATE TABLE revisions (
    drop_id  INTEGER NOT NULL,
    version  INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    settings TEXT NOT NULL CHECK (settings <> ''),
    PRIMARY KEY (drop_id, version)
) STRICT, WITHOUT ROWID;

-- Endpoints of the shop's other systems that are told about events.
CREATE TABLE webhooks (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    url         TEXT NOT NULL CHECK (url <> ''),
    description TEXT NOT NULL,
    types       TEXT NOT NULL, -- separated by commas; empty: all
    drops       TEXT NOT NULL, -- separated by commas; empty: all
    secret      TEXT NOT NULL CHECK (secret <> ''),
    old_secret  TEXT,
    old_until   INTEGER,       -- the old secret also signs until then
    start       TEXT NOT NULL CHECK (start <> ''), -- the cursor that deliveries begin at
    created_at  INTEGER NOT NULL,
    disabled    TEXT,          -- operator, gone or failed; null: it is not disabled
    disabled_at INTEGER
) STRICT;

-- How far deliveries to each webhook are, and which server makes them. It updates its row about once a second.
CREATE TABLE webhook_deliveries (
    webhook_id INTEGER PRIMARY KEY,
    holder     TEXT,             -- null: none
    beat       INTEGER NOT NULL, -- grows with each update of the holder
    position   TEXT NOT NULL CHECK (position <> ''), -- the cursor behind the last event that was delivered
    report     TEXT NOT NULL CHECK (report <> '')    -- retries and last attempts, as docs/FORMATS.md describes them
) STRICT;

-- Events that an operator wants to be sent again, by their seq. A row goes when that is done.
CREATE TABLE webhook_replays (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    webhook_id INTEGER NOT NULL,
    drop_id    INTEGER NOT NULL,
    first      INTEGER NOT NULL,
    last       INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
