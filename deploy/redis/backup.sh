#!/bin/sh
# Takes a backup at once and then every BACKUP_SECONDS, and keeps the newest BACKUP_KEEP. With the argument
# "once" it takes one and ends. A backup is a snapshot that Redis streams; it doesn't touch Redis' own files.
set -eu
umask 077
cd /backups
back_up() {
  name=wechat-login-$(date -u +%Y%m%dT%H%M%SZ).rdb
  REDISCLI_AUTH=$REDIS_BACKUP_PASSWORD redis-cli -h redis --user backup --rdb "$name.part" >/dev/null
  redis-check-rdb "$name.part" >/dev/null
  mv "$name.part" "$name"
  echo "backed up to $name ($(wc -c <"$name") bytes)"
  # By name, which is by time.
  ls wechat-login-*.rdb | sort -r | tail -n "+$((BACKUP_KEEP + 1))" | while read -r old; do
    rm -- "$old"
  done
}
if [ "${1:-}" = once ]; then
  back_up
  exit
fi
trap 'exit 0' TERM INT
while :; do
  # The next one tries again; the container's log says why this one failed.
  back_up || echo "the backup failed" >&2
  sleep "$BACKUP_SECONDS" &
  wait $!
done
