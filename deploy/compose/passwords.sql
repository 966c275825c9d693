-- How the two roles of postgres-roles.sql sign in, from the environment: so no password is in a list of processes.
\getenv owner OWNER_PASSWORD
\getenv serve SERVE_PASSWORD
ALTER ROLE sneakerdrop_owner PASSWORD :'owner';
ALTER ROLE sneakerdrop_serve PASSWORD :'serve';
