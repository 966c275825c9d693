-- +goose Up
-- Older programs sell to anybody what a draw is to decide: set up draws once all servers are upgraded.
ALTER TABLE sneakerdrop.drops
    ADD COLUMN draw text,
    ADD COLUMN draw_phase smallint NOT NULL DEFAULT 0 CHECK (draw_phase BETWEEN 0 AND 2),
    ADD COLUMN entered bigint NOT NULL DEFAULT 0,
    ADD COLUMN lined bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN sneakerdrop.drops.draw IS 'the terms of the draw that decides who may buy, as JSON; null: there is none';
COMMENT ON COLUMN sneakerdrop.drops.draw_phase IS '0: buyers enter, 1: all entries are there, 2: the draw is over';
COMMENT ON COLUMN sneakerdrop.drops.entered IS 'the number of the newest entry of the draw';
COMMENT ON COLUMN sneakerdrop.drops.lined IS 'the number of the newest place in a line that the draw gave';

CREATE TABLE sneakerdrop.draw_entries (
    drop_id      bigint NOT NULL,
    id           bigint NOT NULL,
    user_id      bigint NOT NULL,
    sizes        text   NOT NULL,
    created_at   bigint NOT NULL,
    withdrawn_at bigint,
    removed      text,
    PRIMARY KEY (drop_id, id)
);
-- The condition, which is always true, keeps look-ups by id from this index.
CREATE INDEX draw_entries_user ON sneakerdrop.draw_entries (drop_id, user_id) WHERE user_id IS NOT NULL;
COMMENT ON TABLE sneakerdrop.draw_entries IS 'buyers'' entries in draws';
COMMENT ON COLUMN sneakerdrop.draw_entries.id IS 'the drop''s number, and in the lower 32 bits the entry''s in the public record';
COMMENT ON COLUMN sneakerdrop.draw_entries.sizes IS 'the positions of the wanted sizes, the favorite first';
COMMENT ON COLUMN sneakerdrop.draw_entries.withdrawn_at IS 'when the buyer took the entry back, ms since the Unix epoch';
COMMENT ON COLUMN sneakerdrop.draw_entries.removed IS 'why an operator took the entry out';

CREATE TABLE sneakerdrop.draws (
    drop_id    bigint PRIMARY KEY,
    seed       bytea,
    key        bytea  NOT NULL,
    closed     text,
    beacon     text,
    record     bytea,
    updated_at bigint NOT NULL
);
COMMENT ON TABLE sneakerdrop.draws IS 'what is kept of draws beside their terms. The key is always secret, and the seed until it is revealed';
COMMENT ON COLUMN sneakerdrop.draws.closed IS 'what was published when the entries closed, as JSON';
COMMENT ON COLUMN sneakerdrop.draws.beacon IS 'the beacon''s round, as JSON';
COMMENT ON COLUMN sneakerdrop.draws.record IS 'the public record, compressed by gzip';

INSERT INTO sneakerdrop.compatibility (version, oldest) VALUES (11, 3);
