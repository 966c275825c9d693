-- +goose Up
-- A newer program migrates while older ones still sell. From this version on, each migration adds a row that says which
-- programs may continue: those that know the schema of version "oldest". Without a row, no older program may.
-- A migration may name an older version if it only adds what older programs need not know: tables, indexes, and columns
-- that are nullable or have a default.
CREATE TABLE sneakerdrop.compatibility (
    version bigint PRIMARY KEY,
    oldest  bigint NOT NULL CHECK (oldest BETWEEN 3 AND version)
);
COMMENT ON TABLE sneakerdrop.compatibility IS 'which programs can go on with each version of the schema';
COMMENT ON COLUMN sneakerdrop.compatibility.oldest IS 'the schema that a program has to know at least';

INSERT INTO sneakerdrop.compatibility (version, oldest) VALUES (3, 3);
