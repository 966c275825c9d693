-- draw has the terms of a drop's draw as JSON. draw_phase is 0: buyers enter, 1: all entries are there, 2: the draw is
-- over. entered is the number of the newest entry, and lined that of the newest place in a line that the draw gave.
ALTER TABLE drops ADD COLUMN draw TEXT;
ALTER TABLE drops ADD COLUMN draw_phase INTEGER NOT NULL DEFAULT 0 CHECK (draw_phase BETWEEN 0 AND 2);
ALTER TABLE drops ADD COLUMN entered INTEGER NOT NULL DEFAULT 0;
ALTER TABLE drops ADD COLUMN lined INTEGER NOT NULL DEFAULT 0;

-- sizes are the positions of the wanted sizes, the favorite first. removed is why an operator took the entry out.
CREATE TABLE draw_entries (
    drop_id      INTEGER NOT NULL,
    id           INTEGER NOT NULL,
    user_id      INTEGER NOT NULL,
    sizes        TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    withdrawn_at INTEGER,
    removed      TEXT,
    PRIMARY KEY (drop_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX draw_entries_user ON draw_entries (drop_id, user_id);

-- seed and key are secret: the key always, the seed until it is revealed. closed and beacon are JSON. record is the
-- public record, compressed by gzip.
CREATE TABLE draws (
    drop_id    INTEGER PRIMARY KEY,
    seed       BLOB,
    key        BLOB    NOT NULL,
    closed     TEXT,
    beacon     TEXT,
    record     BLOB,
    updated_at INTEGER NOT NULL
) STRICT;
