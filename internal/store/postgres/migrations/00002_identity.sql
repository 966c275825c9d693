-- +goose Up
-- Buyers who sign in are found only by issuer and subject. Another buyer may have the same email.
DROP INDEX sneakerdrop.users_email;
CREATE UNIQUE INDEX users_email ON sneakerdrop.users (email) WHERE email IS NOT NULL AND subject IS NULL;

CREATE TABLE sneakerdrop.tokens (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text   NOT NULL,
    role       text   NOT NULL CHECK (role IN ('operator', 'viewer')),
    hash       bytea  NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    created_at bigint NOT NULL,
    expires_at bigint,
    revoked_at bigint
);
COMMENT ON TABLE sneakerdrop.tokens IS 'who operates the shop';
COMMENT ON COLUMN sneakerdrop.tokens.hash IS 'SHA-256 of the token';
COMMENT ON COLUMN sneakerdrop.tokens.created_at IS 'ms since the Unix epoch';
COMMENT ON COLUMN sneakerdrop.tokens.expires_at IS 'ms since the Unix epoch; null: never';
COMMENT ON COLUMN sneakerdrop.tokens.revoked_at IS 'ms since the Unix epoch; null: not revoked';

CREATE TABLE sneakerdrop.actions (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       bigint NOT NULL,
    token_id bigint NOT NULL,
    name     text   NOT NULL,
    role     text   NOT NULL,
    call     text   NOT NULL,
    drop_id  bigint NOT NULL,
    detail   text   NOT NULL,
    address  text   NOT NULL,
    request  text   NOT NULL
);
COMMENT ON TABLE sneakerdrop.actions IS 'the log of what operators did: rows come, and never change or go';
COMMENT ON COLUMN sneakerdrop.actions.at IS 'ms since the Unix epoch';
COMMENT ON COLUMN sneakerdrop.actions.token_id IS '0: the command line';
COMMENT ON COLUMN sneakerdrop.actions.drop_id IS '0: no drop';

CREATE TABLE sneakerdrop.outcomes (
    action_id bigint PRIMARY KEY REFERENCES sneakerdrop.actions,
    outcome   text   NOT NULL CHECK (outcome <> '')
);
COMMENT ON TABLE sneakerdrop.outcomes IS 'what became of each action';

-- +goose StatementBegin
CREATE FUNCTION sneakerdrop.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log of actions is append-only';
END
$$;
-- +goose StatementEnd
CREATE TRIGGER never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON sneakerdrop.actions
    FOR EACH STATEMENT EXECUTE FUNCTION sneakerdrop.refuse_change();
CREATE TRIGGER never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON sneakerdrop.outcomes
    FOR EACH STATEMENT EXECUTE FUNCTION sneakerdrop.refuse_change();
