-- +goose Up A newer program migrates while older ones still sell. From here on each migration says, by a row of its
-- own, which ones can go on: those that know the schema of version "oldest". None that says nothing. It may be an
-- older version where the migration only adds what older programs need not write or read: tables, indexes, columns
-- that may be null or have a default.
CREATE TABLE sneakerdrop.compatibility (
    version bigint PRIMARY KEY,
    oldest  bigint NOT NULL CHECK (oldest BETWEEN 3 AND version)
);
COMMENT ON TABLE sneakerdrop.compatibility IS 'which programs can go on with each version of the schema';
COMMENT ON COLUMN sneakerdrop.compatibility.oldest IS 'the schema that a program has to know at least';

INSERT INTO sneakerdrop.compatibility (version, oldest) VALUES (3, 3);
