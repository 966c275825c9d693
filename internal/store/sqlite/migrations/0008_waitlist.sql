-- Entries up to line_closed wait no longer. waiting counts the entries that wait for a size, and pending the units that
-- are kept for them and not offered yet: they are among those held.
ALTER TABLE drops ADD COLUMN waitlist INTEGER NOT NULL DEFAULT 0;
ALTER TABLE drops ADD COLUMN offer_for INTEGER NOT NULL DEFAULT 600;
ALTER TABLE drops ADD COLUMN max_waiting INTEGER NOT NULL DEFAULT 10000;
ALTER TABLE drops ADD COLUMN offers_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE drops ADD COLUMN waited INTEGER NOT NULL DEFAULT 0;
ALTER TABLE drops ADD COLUMN line_closed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sizes ADD COLUMN waiting INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sizes ADD COLUMN pending INTEGER NOT NULL DEFAULT 0;
-- 1: the unit was offered to a buyer from the waitlist
ALTER TABLE reservations ADD COLUMN offer INTEGER;

-- line is the position of the size. status is 1: waits, 2: was offered a unit, 3: left, 4: skipped, for the reason in
-- why.
CREATE TABLE waitlist (
    drop_id    INTEGER NOT NULL,
    id         INTEGER NOT NULL,
    user_id    INTEGER NOT NULL,
    line       INTEGER NOT NULL,
    size       TEXT    NOT NULL,
    status     INTEGER NOT NULL CHECK (status BETWEEN 1 AND 4),
    created_at INTEGER NOT NULL,
    ended_at   INTEGER,
    offer      INTEGER,
    why        TEXT,
    PRIMARY KEY (drop_id, id),
    CHECK ((status = 1) = (ended_at IS NULL)),
    CHECK ((status = 2) = (offer IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX waitlist_line ON waitlist (drop_id, line, status, id);
CREATE INDEX waitlist_user ON waitlist (drop_id, user_id);
