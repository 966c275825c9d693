-- +goose Up
-- Older programs let nobody in early, and do not count the uses of passes: set up early access once all servers are
-- upgraded.
ALTER TABLE sneakerdrop.drops ADD COLUMN access text;
COMMENT ON COLUMN sneakerdrop.drops.access IS 'the accesses to early access, as JSON, in the order of their numbers; null: there are none';
ALTER TABLE sneakerdrop.reservations ADD COLUMN pass bigint;
ALTER TABLE sneakerdrop.reservations ALTER COLUMN pass SET STATISTICS 10;
COMMENT ON COLUMN sneakerdrop.reservations.pass IS 'the pass that let the buyer in early, or that the unit was kept for';
ALTER TABLE sneakerdrop.draw_entries ADD COLUMN pass bigint;
COMMENT ON COLUMN sneakerdrop.draw_entries.pass IS 'the pass that let the buyer in early';

CREATE TABLE sneakerdrop.passes (
    drop_id bigint NOT NULL,
    id      bigint NOT NULL,
    hash    bytea  NOT NULL CHECK (octet_length(hash) = 32),
    used    bigint NOT NULL,
    PRIMARY KEY (drop_id, id)
);
-- The sum keeps look-ups by id from this index, and those by hash from the primary key.
CREATE UNIQUE INDEX passes_hash ON sneakerdrop.passes ((drop_id + 0), hash);
COMMENT ON TABLE sneakerdrop.passes IS 'codes, and buyers on lists, who are let in early';
COMMENT ON COLUMN sneakerdrop.passes.id IS 'the drop''s number, then in 6 bits that of the access, and in 26 bits the pass''s own';
COMMENT ON COLUMN sneakerdrop.passes.hash IS 'how the pass is found; nothing is stored in plain text';
COMMENT ON COLUMN sneakerdrop.passes.used IS 'holds, sales and entries in the draw that the pass let in';

INSERT INTO sneakerdrop.compatibility (version, oldest) VALUES (12, 3);
