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

INSERT INTO sneakerdrop.compatibility (version, oldest) VALUES (8, 3);
