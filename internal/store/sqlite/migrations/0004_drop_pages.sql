-- What a drop's page says beyond the drop's settings: Markdown, and pictures as docs/FORMATS.md describes them.
CREATE TABLE drop_pages (
    drop_id     INTEGER PRIMARY KEY,
    description TEXT NOT NULL,
    size_guide  TEXT NOT NULL,
    rules       TEXT NOT NULL,
    delivery    TEXT NOT NULL,
    images      TEXT NOT NULL CHECK (images <> ''),
    updated_at  INTEGER NOT NULL
) STRICT;
