-- +goose Up
-- Older programs leave these columns empty. They do not know that a buyer is paying, and would sell the unit to
-- whoever holds it: set up payments once all servers are upgraded.
ALTER TABLE sneakerdrop.reservations ADD COLUMN payment bigint, ADD COLUMN claim bigint;
ALTER TABLE sneakerdrop.reservations ALTER COLUMN payment SET STATISTICS 10, ALTER COLUMN claim SET STATISTICS 10;
COMMENT ON COLUMN sneakerdrop.reservations.payment IS 'the newest payment that the buyer began, or the one that claimed; null: none';
COMMENT ON COLUMN sneakerdrop.reservations.claim IS 'the reservation that the payment claimed: this one, or one that was made for late money; null: none';

ALTER TABLE sneakerdrop.purchases ADD COLUMN returned smallint CHECK (returned IN (1, 2)), ADD COLUMN returned_at bigint,
    ADD CONSTRAINT purchases_returned CHECK ((returned IS NULL) = (returned_at IS NULL));
ALTER TABLE sneakerdrop.purchases ALTER COLUMN returned SET STATISTICS 10, ALTER COLUMN returned_at SET STATISTICS 10;
COMMENT ON COLUMN sneakerdrop.purchases.returned IS '1: the unit went on sale again, 2: it was written off; null: the buyer has it';
COMMENT ON COLUMN sneakerdrop.purchases.returned_at IS 'ms since the Unix epoch';

CREATE TABLE sneakerdrop.payments (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reservation_id bigint   NOT NULL,
    user_id        bigint   NOT NULL,
    provider       text     NOT NULL CHECK (provider <> ''),
    number         text,
    receipt        text,
    url            text,
    return_url     text     NOT NULL,
    email          text,
    state          text     NOT NULL CHECK (state <> ''),
    unsettled      boolean  NOT NULL,
    amount         bigint   NOT NULL CHECK (amount >= 0),
    currency       text     NOT NULL,
    decimals       smallint NOT NULL,
    refunded       bigint   NOT NULL CHECK (refunded >= 0),
    unit_id        bigint,
    purchase_id    bigint,
    reason         text,
    tries          bigint   NOT NULL,
    due_at         bigint   NOT NULL,
    expires_at     bigint   NOT NULL,
    created_at     bigint   NOT NULL
);
CREATE INDEX payments_reservation ON sneakerdrop.payments (reservation_id);
CREATE INDEX payments_unit ON sneakerdrop.payments (unit_id) WHERE unit_id IS NOT NULL;
CREATE INDEX payments_unsettled ON sneakerdrop.payments (unsettled, id) WHERE unsettled;
COMMENT ON TABLE sneakerdrop.payments IS 'buyers'' payments for reservations, and how far the server is with each';
COMMENT ON COLUMN sneakerdrop.payments.number IS 'the provider''s own number of the checkout; null: not known';
COMMENT ON COLUMN sneakerdrop.payments.receipt IS 'the number that the provider shows to people';
COMMENT ON COLUMN sneakerdrop.payments.url IS 'where the buyer pays; null: not known';
COMMENT ON COLUMN sneakerdrop.payments.state IS 'as docs/FORMATS.md describes it';
COMMENT ON COLUMN sneakerdrop.payments.unsettled IS 'the server still has to do something';
COMMENT ON COLUMN sneakerdrop.payments.amount IS 'as drops.price';
COMMENT ON COLUMN sneakerdrop.payments.currency IS 'its ISO 4217 code; decimals are those of its amounts';
COMMENT ON COLUMN sneakerdrop.payments.refunded IS 'as amount: what is refunded or is about to be';
COMMENT ON COLUMN sneakerdrop.payments.unit_id IS 'the reservation that the payment claimed; null: none';
COMMENT ON COLUMN sneakerdrop.payments.tries IS 'failed tries since the last success';
COMMENT ON COLUMN sneakerdrop.payments.due_at IS 'when the server does the next step, ms since the Unix epoch';
COMMENT ON COLUMN sneakerdrop.payments.expires_at IS 'the buyer can pay until then, ms since the Unix epoch';
COMMENT ON COLUMN sneakerdrop.payments.created_at IS 'ms since the Unix epoch';

INSERT INTO sneakerdrop.compatibility (version, oldest) VALUES (8, 3);
