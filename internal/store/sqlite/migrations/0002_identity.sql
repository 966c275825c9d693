-- Buyers who sign in are found only by issuer and subject. Another buyer may have the same email.
DROP INDEX users_email;
CREATE UNIQUE INDEX users_email ON users (email) WHERE email IS NOT NULL AND subject IS NULL;

-- AUTOINCREMENT never assigns a number twice. hash is the token's SHA-256.
CREATE TABLE tokens (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL,
    role       TEXT NOT NULL CHECK (role IN ('operator', 'viewer')),
    hash       BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    created_at INTEGER NOT NULL,
    expires_at INTEGER, -- null: never
    revoked_at INTEGER  -- null: not revoked
) STRICT;

-- The operators' log: rows are only added. The outcome of an action is a row of its own in outcomes.
CREATE TABLE actions (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    at       INTEGER NOT NULL,
    token_id INTEGER NOT NULL, -- 0: the command line
    name     TEXT NOT NULL,
    role     TEXT NOT NULL,
    call     TEXT NOT NULL,
    drop_id  INTEGER NOT NULL, -- 0: no drop
    detail   TEXT NOT NULL,
    address  TEXT NOT NULL,
    request  TEXT NOT NULL
) STRICT;
CREATE TABLE outcomes (
    action_id INTEGER PRIMARY KEY,
    outcome   TEXT NOT NULL CHECK (outcome <> '')
) STRICT;

CREATE TRIGGER actions_never_change BEFORE UPDATE ON actions
BEGIN SELECT raise(ABORT, 'the log of actions is append-only'); END;
CREATE TRIGGER actions_never_go BEFORE DELETE ON actions
BEGIN SELECT raise(ABORT, 'the log of actions is append-only'); END;
CREATE TRIGGER actions_are_not_replaced BEFORE INSERT ON actions
WHEN EXISTS (SELECT 1 FROM actions WHERE id = new.id)
BEGIN SELECT raise(ABORT, 'the log of actions is append-only'); END;
CREATE TRIGGER outcomes_never_change BEFORE UPDATE ON outcomes
BEGIN SELECT raise(ABORT, 'the log of actions is append-only'); END;
CREATE TRIGGER outcomes_never_go BEFORE DELETE ON outcomes
BEGIN SELECT raise(ABORT, 'the log of actions is append-only'); END;
CREATE TRIGGER outcomes_come_once BEFORE INSERT ON outcomes
WHEN NOT EXISTS (SELECT 1 FROM actions WHERE id = new.action_id) OR EXISTS (SELECT 1 FROM outcomes WHERE action_id = new.action_id)
BEGIN SELECT raise(ABORT, 'the log of actions is append-only, and each action has one outcome'); END;
