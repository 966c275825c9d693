-- +goose Up
-- Older programs do not write this column. It stays unchanged until the buyer signs in at a newer program.
ALTER TABLE sneakerdrop.users ADD COLUMN public_name text;
ALTER TABLE sneakerdrop.users ALTER COLUMN public_name SET STATISTICS 10;
COMMENT ON COLUMN sneakerdrop.users.public_name IS 'what everybody may see where no whole names are shown, from the claims of the buyer''s token; null: they do not say it';

INSERT INTO sneakerdrop.compatibility (version, oldest) VALUES (5, 3);
