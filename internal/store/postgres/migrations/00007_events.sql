-- +goose Up
-- The ledger is what events are made of (internal/events). Entries of older programs say neither the version nor the
-- numbers. Older programs do not write revisions, and do not deliver to webhooks.
ALTER TABLE sneakerdrop.ledger ADD COLUMN version bigint, ADD COLUMN numbers bytea;
ALTER TABLE sneakerdrop.ledger ALTER COLUMN version SET STATISTICS 10, ALTER COLUMN numbers SET STATISTICS 10;
COMMENT ON COLUMN sneakerdrop.ledger.version IS 'the drop''s version after the batch; null: written by an older program';
COMMENT ON COLUMN sneakerdrop.ledger.numbers IS 'the reservations that the entry is about, or the purchases, as docs/FORMATS.md describes them; null: none, or not recorded';

CREATE TABLE sneakerdrop.revisions (
    drop_id  bigint NOT NULL,
    version  bigint NOT NULL,
    seq      bigint NOT NULL,
    at       bigint NOT NULL,
    settings text   NOT NULL CHECK (settings <> ''),
    PRIMARY KEY (drop_id, version)
);
COMMENT ON TABLE sneakerdrop.revisions IS 'a drop''s settings as it was created, and after each change of them';
COMMENT ON COLUMN sneakerdrop.revisions.version IS 'the drop''s version from which on these settings hold';
COMMENT ON COLUMN sneakerdrop.revisions.seq IS 'the newest ledger entry of that version';
COMMENT ON COLUMN sneakerdrop.revisions.at IS 'ms since the Unix epoch';
COMMENT ON COLUMN sneakerdrop.revisions.settings IS 'JSON, as docs/FORMATS.md describes it';

CREATE TABLE sneakerdrop.webhooks (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    url         text   NOT NULL CHECK (url <> ''),
    description text   NOT NULL,
    types       text   NOT NULL,
    drops       text   NOT NULL,
    secret      text   NOT NULL CHECK (secret <> ''),
    old_secret  text,
    old_until   bigint,
    start       text   NOT NULL CHECK (start <> ''),
    created_at  bigint NOT NULL,
    disabled    text,
    disabled_at bigint
);
COMMENT ON TABLE sneakerdrop.webhooks IS 'endpoints of the shop''s other systems that are told about events';
COMMENT ON COLUMN sneakerdrop.webhooks.types IS 'types of events, separated by commas; empty: all';
COMMENT ON COLUMN sneakerdrop.webhooks.drops IS 'numbers of drops, separated by commas; empty: all';
COMMENT ON COLUMN sneakerdrop.webhooks.old_until IS 'the old secret also signs until then, ms since the Unix epoch';
COMMENT ON COLUMN sneakerdrop.webhooks.start IS 'the cursor that deliveries begin at';
COMMENT ON COLUMN sneakerdrop.webhooks.created_at IS 'ms since the Unix epoch';
COMMENT ON COLUMN sneakerdrop.webhooks.disabled IS 'why nothing is delivered: operator, gone or failed; null: it is not disabled';
COMMENT ON COLUMN sneakerdrop.webhooks.disabled_at IS 'ms since the Unix epoch';

-- A server updates its row about once a second while it delivers.
CREATE TABLE sneakerdrop.webhook_deliveries (
    webhook_id bigint PRIMARY KEY,
    holder     text,
    beat       bigint NOT NULL,
    position   text   NOT NULL CHECK (position <> ''),
    report     text   NOT NULL CHECK (report <> '')
) WITH (fillfactor = 50);
COMMENT ON TABLE sneakerdrop.webhook_deliveries IS 'how far deliveries to each webhook are, and which server makes them';
COMMENT ON COLUMN sneakerdrop.webhook_deliveries.holder IS 'the server that delivers; null: none';
COMMENT ON COLUMN sneakerdrop.webhook_deliveries.beat IS 'grows with each update of the holder';
COMMENT ON COLUMN sneakerdrop.webhook_deliveries.position IS 'the cursor behind the last event that was delivered';
COMMENT ON COLUMN sneakerdrop.webhook_deliveries.report IS 'JSON: retries and last attempts, as docs/FORMATS.md describes them';

CREATE TABLE sneakerdrop.webhook_replays (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    webhook_id bigint NOT NULL,
    drop_id    bigint NOT NULL,
    first      bigint NOT NULL,
    last       bigint NOT NULL,
    created_at bigint NOT NULL
);
COMMENT ON TABLE sneakerdrop.webhook_replays IS 'events that an operator wants to be sent again; a row goes when that is done';
COMMENT ON COLUMN sneakerdrop.webhook_replays.first IS 'the seq of the first event';
COMMENT ON COLUMN sneakerdrop.webhook_replays.created_at IS 'ms since the Unix epoch';

INSERT INTO sneakerdrop.compatibility (version, oldest) VALUES (7, 3);
