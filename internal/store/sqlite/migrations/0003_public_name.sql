-- What everybody may see of a buyer's name where no whole names are shown, from the claims of the buyer's token;
-- null: they do not say it.
ALTER TABLE users ADD COLUMN public_name TEXT;
