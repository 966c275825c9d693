-- Sets the passwords of the two roles from the environment, so that no list of processes shows them.
\getenv owner OWNER_PASSWORD
\getenv serve SERVE_PASSWORD
ALTER ROLE sneakerdrop_owner PASSWORD :'owner';
ALTER ROLE sneakerdrop_serve PASSWORD :'serve';
