-- The part of a buyer's name that is public where whole names are not shown. It comes from the claims of the buyer's
-- token, and is null if they do not contain it.
ALTER TABLE users ADD COLUMN public_name TEXT;
