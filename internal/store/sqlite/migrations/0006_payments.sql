-- payment is the newest payment that the buyer began, or the one that claimed. claim is the reservation that it
-- claimed: this one, or one that was made for late money.
ALTER TABLE reservations ADD COLUMN payment INTEGER;
ALTER TABLE reservations ADD COLUMN claim INTEGER;

-- returned is 1 if the unit went on sale again, 2 if it was written off, and null while the buyer has it.
ALTER TABLE purchases ADD COLUMN returned INTEGER CHECK (returned IN (1, 2));
ALTER TABLE purchases ADD COLUMN returned_at INTEGER CHECK ((returned IS NULL) = (returned_at IS NULL));

-- Buyers' payments for reservations, and how far the server is with each. unit_id is the reservation that the payment
-- claimed. due_at is when the server does the next step of a payment that is unsettled. booked is how much
-- of refunded the ledger has.
CREATE TABLE payments (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    reservation_id INTEGER NOT NULL,
    user_id        INTEGER NOT NULL,
    provider       TEXT NOT NULL CHECK (provider <> ''),
    number         TEXT,
    receipt        TEXT,
    url            TEXT,
    return_url     TEXT NOT NULL,
    state          TEXT NOT NULL CHECK (state <> ''),
    unsettled      INTEGER NOT NULL CHECK (unsettled IN (0, 1)),
    amount         INTEGER NOT NULL CHECK (amount >= 0),
    currency       TEXT NOT NULL,
    decimals       INTEGER NOT NULL,
    refunded       INTEGER NOT NULL CHECK (refunded >= 0),
    booked         INTEGER NOT NULL CHECK (booked >= 0),
    unit_id        INTEGER,
    purchase_id    INTEGER,
    reason         TEXT,
    tries          INTEGER NOT NULL,
    due_at         INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,
    created_at     INTEGER NOT NULL
) STRICT;
INSERT INTO sqlite_sequence (name, seq) VALUES ('payments', 0);
CREATE INDEX payments_reservation ON payments (reservation_id);
CREATE INDEX payments_unit ON payments (unit_id) WHERE unit_id IS NOT NULL;
CREATE INDEX payments_unsettled ON payments (unsettled, id) WHERE unsettled = 1;
