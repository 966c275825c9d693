-- access has the early access to the drop as JSON, in the order of its numbers. pass is the pass that let a buyer in.
ALTER TABLE drops ADD COLUMN access TEXT;
ALTER TABLE reservations ADD COLUMN pass INTEGER;
ALTER TABLE draw_entries ADD COLUMN pass INTEGER;

-- Codes, and buyers on lists. The lower 32 bits of an id have the number of the access, in their upper 6 bits, and the
-- pass's own.
CREATE TABLE passes (
    drop_id INTEGER NOT NULL,
    id      INTEGER NOT NULL,
    hash    BLOB    NOT NULL CHECK (length(hash) = 32),
    used    INTEGER NOT NULL,
    PRIMARY KEY (drop_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX passes_hash ON passes (drop_id, hash);
