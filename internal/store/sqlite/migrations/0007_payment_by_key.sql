-- A reservation names the payment that claimed it.
DROP INDEX payments_unit;
