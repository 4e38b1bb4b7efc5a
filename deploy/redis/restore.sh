#!/bin/sh
# Puts a backup in place of what Redis holds: restore.sh FILE, a name in /backups or a path. Redis must be
# stopped. With the append-only file on, Redis ignores a snapshot that is merely copied into its folder, so
# this loads the snapshot, has Redis write an append-only file of it, and stops. What was there before stays in
# /data/before-restore until the next restore.
set -eu
umask 077
[ $# -eq 1 ] || { echo "usage: restore FILE" >&2; exit 2; }
cd /backups
[ -f "$1" ] || { echo "there is no $1; there are:" >&2; ls >&2; exit 2; }
redis-check-rdb "$1" >/dev/null || { echo "$1 is damaged" >&2; exit 1; }
if redis-cli -h redis ping 2>/dev/null | grep -Eq 'PONG|NOAUTH|LOADING'; then
  echo "Redis is running: stop it first" >&2
  exit 1
fi
new=/data/restoring
rm -rf "$new"
mkdir "$new"
cp -- "$1" "$new/dump.rdb"
socket=/tmp/restore.sock
redis-server --port 0 --unixsocket "$socket" --dir "$new" --dbfilename dump.rdb --appendonly no --save '' \
  --daemonize yes --logfile /tmp/restore.log
ask() {
  redis-cli -s "$socket" "$@"
}
tries=0
until ask ping 2>/dev/null | grep -q PONG; do
  tries=$((tries + 1))
  [ "$tries" -lt 3000 ] || { cat /tmp/restore.log >&2; exit 1; }
  sleep 0.1
done
keys=$(ask dbsize)
ask config set appendonly yes >/dev/null
tries=0
until ask info persistence | grep -q 'aof_rewrite_in_progress:0' &&
  ask info persistence | grep -q 'aof_rewrite_scheduled:0'; do
  tries=$((tries + 1))
  [ "$tries" -lt 6000 ] || { cat /tmp/restore.log >&2; exit 1; }
  sleep 0.1
done
ask info persistence | grep -q 'aof_last_bgrewrite_status:ok' || { cat /tmp/restore.log >&2; exit 1; }
ask shutdown nosave 2>/dev/null || true
tries=0
while [ -S "$socket" ]; do
  tries=$((tries + 1))
  [ "$tries" -lt 600 ] || { cat /tmp/restore.log >&2; exit 1; }
  sleep 0.1
done
rm -f "$new/dump.rdb"
rm -rf /data/before-restore
mkdir /data/before-restore
for old in /data/* ; do
  case $old in
    /data/before-restore | /data/restoring) ;;
    *) mv "$old" /data/before-restore/ ;;
  esac
done
mv "$new"/* /data/
rmdir "$new"
if [ "$(id -u)" = 0 ]; then
  chown -R redis:redis /data
fi
echo "restored $keys keys from $1"
