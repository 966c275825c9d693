-- +goose Up
-- Older programs do not show pages, and go on selling. They must not replace the whole shop: pages of drops that are
-- gone would stay.
CREATE TABLE sneakerdrop.drop_pages (
    drop_id     bigint PRIMARY KEY,
    description text NOT NULL,
    size_guide  text NOT NULL,
    rules       text NOT NULL,
    delivery    text NOT NULL,
    images      text NOT NULL CHECK (images <> ''),
    updated_at  bigint NOT NULL
);
COMMENT ON TABLE sneakerdrop.drop_pages IS 'what a drop''s page says beyond the drop''s settings, in Markdown';
COMMENT ON COLUMN sneakerdrop.drop_pages.images IS 'pictures, as docs/FORMATS.md describes them';

INSERT INTO sneakerdrop.compatibility (version, oldest) VALUES (6, 3);
