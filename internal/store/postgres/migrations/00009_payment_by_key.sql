-- +goose Up
-- A reservation names the payment that claimed it. Programs of version 8 find the same without the index, by reading
-- all payments.
DROP INDEX sneakerdrop.payments_unit;

INSERT INTO sneakerdrop.compatibility (version, oldest) VALUES (9, 3);
