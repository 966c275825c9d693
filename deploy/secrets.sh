#!/bin/sh
# Prints new passwords for deploy/compose.yaml. Run it once: the database keeps the passwords that it was made with.
#   umask 077; deploy/secrets.sh > deploy/.env
set -eu
for name in POSTGRES_PASSWORD OWNER_PASSWORD SERVE_PASSWORD JWT_SECRET GRAFANA_PASSWORD; do
	printf '%s=%s\n' "$name" "$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')"
done
