#!/bin/sh
# Starts Redis with one user for each service. Each can touch this software's keys and channels alone, and
# run the commands that its steps are made of. The user default is the operator's and may do everything: Redis
# reads its append-only file in that one's name, and would skip what it may not do.
set -eu
umask 077
# A hash, so that no file and no command line holds a password.
sha256() {
  printf %s "$1" | sha256sum | cut -d ' ' -f 1
}
service='~wechat-login:* &wechat-login:* -@all +@read +@write +@pubsub +@scripting +@connection +@transaction +info +time -keys -randomkey -flushall -flushdb -swapdb'
cat >/tmp/users.acl <<ACL
user default on #$(sha256 "$REDIS_OPERATOR_PASSWORD") ~* &* +@all
user health on nopass resetkeys resetchannels -@all +ping
user gateway on #$(sha256 "$REDIS_GATEWAY_PASSWORD") resetkeys resetchannels $service
user site on #$(sha256 "$REDIS_SITE_PASSWORD") resetkeys resetchannels $service
user backup on #$(sha256 "$REDIS_BACKUP_PASSWORD") resetkeys resetchannels -@all +ping +psync +sync +replconf +lastsave
ACL
unset REDIS_GATEWAY_PASSWORD REDIS_SITE_PASSWORD REDIS_BACKUP_PASSWORD REDIS_OPERATOR_PASSWORD
exec redis-server --aclfile /tmp/users.acl "$@"
