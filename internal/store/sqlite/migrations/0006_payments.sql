-- payment is the newest payment that the buyer began, or the one that claimed. claim is the reservation that it
-- claimed: this one, or one that was made for late money.
ALTER TABLE reservations ADD COLUMN payment INTEGER;
ALTER TABLE reservations ADD COLUMN claim INTEGER;

-- returned is 1 if the unit went on sale again, 2 if it was written off, and null while the buyer has it.
ALTER TABLE purchases ADD COLUMN returned INTEGER CHECK (returned IN (1, 2));
ALTER TABLE purchases ADD COLUMN returned_at INTEGER CHECK ((returned IS NULL) = (returned_at IS NULL));
