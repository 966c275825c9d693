-- +goose Up
-- Older programs sell what comes free to anybody, whoever waits: set up waitlists once all servers are upgraded.
ALTER TABLE sneakerdrop.drops
    ADD COLUMN waitlist boolean NOT NULL DEFAULT false,
    ADD COLUMN offer_for bigint NOT NULL DEFAULT 600,
    ADD COLUMN max_waiting bigint NOT NULL DEFAULT 10000,
    ADD COLUMN offers_count boolean NOT NULL DEFAULT false,
    ADD COLUMN waited bigint NOT NULL DEFAULT 0,
    ADD COLUMN line_closed bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN sneakerdrop.drops.offer_for IS 'how long a buyer from the waitlist keeps an offered unit, in seconds';
COMMENT ON COLUMN sneakerdrop.drops.max_waiting IS 'the most entries that can wait at a time, in all sizes together';
COMMENT ON COLUMN sneakerdrop.drops.offers_count IS 'an offer that its buyer did not take counts toward max_expired_holds';
COMMENT ON COLUMN sneakerdrop.drops.waited IS 'the number of the newest entry of the waitlist';
COMMENT ON COLUMN sneakerdrop.drops.line_closed IS 'entries up to this number wait no longer';

ALTER TABLE sneakerdrop.sizes
    ADD COLUMN waiting bigint NOT NULL DEFAULT 0,
    ADD COLUMN pending bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN sneakerdrop.sizes.waiting IS 'entries that wait for the size';
COMMENT ON COLUMN sneakerdrop.sizes.pending IS 'units that are kept for them and are not offered yet. They are among those held';

ALTER TABLE sneakerdrop.reservations ADD COLUMN offer smallint;
ALTER TABLE sneakerdrop.reservations ALTER COLUMN offer SET STATISTICS 10;
COMMENT ON COLUMN sneakerdrop.reservations.offer IS '1: the unit was offered to a buyer from the waitlist; null: it was not';

CREATE TABLE sneakerdrop.waitlist (
    drop_id    bigint   NOT NULL,
    id         bigint   NOT NULL,
    user_id    bigint   NOT NULL,
    line       smallint NOT NULL,
    size       text     NOT NULL,
    status     smallint NOT NULL CHECK (status BETWEEN 1 AND 4),
    created_at bigint   NOT NULL,
    ended_at   bigint,
    offer      bigint,
    why        text,
    PRIMARY KEY (drop_id, id),
    CHECK ((status = 1) = (ended_at IS NULL)),
    CHECK ((status = 2) = (offer IS NOT NULL))
);
-- The conditions, which are always true, keep look-ups by id from these indexes.
CREATE INDEX waitlist_line ON sneakerdrop.waitlist (drop_id, line, status, id) WHERE line IS NOT NULL;
CREATE INDEX waitlist_user ON sneakerdrop.waitlist (drop_id, user_id) WHERE user_id IS NOT NULL;
COMMENT ON TABLE sneakerdrop.waitlist IS 'buyers who wait for units that come free, and those who did';
COMMENT ON COLUMN sneakerdrop.waitlist.id IS 'the drop''s number, and in the lower 32 bits the entry''s';
COMMENT ON COLUMN sneakerdrop.waitlist.line IS 'the position of the size';
COMMENT ON COLUMN sneakerdrop.waitlist.size IS 'as in reservations';
COMMENT ON COLUMN sneakerdrop.waitlist.status IS '1: waits, 2: was offered a unit, 3: left, 4: skipped';
COMMENT ON COLUMN sneakerdrop.waitlist.ended_at IS 'when the entry left the line, ms since the Unix epoch';
COMMENT ON COLUMN sneakerdrop.waitlist.offer IS 'the reservation that was offered';
COMMENT ON COLUMN sneakerdrop.waitlist.why IS 'the code of the rule for which the entry was skipped';

INSERT INTO sneakerdrop.compatibility (version, oldest) VALUES (10, 3);
