#!/bin/sh
# Copies PostgreSQL's cluster into a new folder, keeps the newest copies and their log, and restores the newest one for
# a test. For that it starts PostgreSQL on the copy and the received log, and audits the shop in it.
# sneakerdrop-backup.service runs it as the user postgres each night. If a step fails, its exit code is not 0 and it
# keeps the older copies.
#   BACKUP    the folder of the copies, with the received log in wal/ (default /var/backups/sneakerdrop)
#   KEEP      how many copies stay (default 7)
#   DATABASE  the shop's database (default shop)
set -eu
BACKUP=${BACKUP:-/var/backups/sneakerdrop} KEEP=${KEEP:-7} DATABASE=${DATABASE:-shop}
umask 077
cd "$BACKUP"
# Debian keeps some of PostgreSQL's programs out of PATH.
for dir in /usr/lib/postgresql/*/bin; do
	[ -d "$dir" ] && PATH=$PATH:$dir
done

new=base-$(date -u +%Y%m%dT%H%M%SZ)
rm -rf ./*.part trial
pg_basebackup --pgdata "$new.part" --wal-method stream --checkpoint fast
pg_verifybackup --quiet "$new.part"
mv "$new.part" "$new"

# The trial listens on a socket in a folder that only this user may enter. It replays the received log to its end.
mkdir trial
cp -a "$new" trial/data
touch trial/data/recovery.signal
printf 'local all all trust\n' >trial/hba
printf '%s\n' "hot_standby = off" "listen_addresses = ''" "port = 5432" "archive_mode = off" \
	"unix_socket_directories = '$BACKUP/trial'" "hba_file = '$BACKUP/trial/hba'" "data_directory = '$BACKUP/trial/data'" \
	"primary_conninfo = ''" "synchronous_standby_names = ''" \
	"restore_command = 'cp \"$BACKUP/wal/%f\" \"%p\" || cp \"$BACKUP/wal/%f.partial\" \"%p\"'" >trial/conf
finish() {
	pg_ctl --pgdata trial/data --mode immediate --silent stop || true
	rm -rf trial
}
trap finish EXIT
pg_ctl --pgdata trial/data --log trial/log --timeout 3600 --silent --wait \
	--options "-c config_file=$BACKUP/trial/conf" start >/dev/null || { cat trial/log >&2; exit 1; }
sneakerdrop audit --log-level warn --database "host=$BACKUP/trial port=5432 user=$(id -un) dbname=$DATABASE"

# Only now may older copies go, and the log from before the oldest one that stays.
ls -d base-*Z | sort -r | tail -n "+$((KEEP + 1))" | xargs -r rm -rf
oldest=$(ls -d base-*Z | sort | head -n 1)
pg_archivecleanup wal "$(sed -n 's/^START WAL LOCATION: .*(file \([0-9A-F]*\))$/\1/p' "$oldest/backup_label")"

# Without the received log a restore would end at the copy. A receiver that just started gets 10 seconds.
tries=10
until [ "$(psql --no-psqlrc --tuples-only --no-align --dbname postgres --command \
	"SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'sneakerdrop' AND active")" = 1 ]; do
	tries=$((tries - 1))
	[ "$tries" -gt 0 ] || { echo "$new is good, but nobody receives the log: see journalctl -u sneakerdrop-wal" >&2; exit 1; }
	sleep 1
done
echo "$BACKUP/$new is good"
