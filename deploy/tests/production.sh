#!/usr/bin/env bash
# docker-compose.yml as it runs in production, with the simulator in place of WeChat: TLS from an authority of
# Caddy's own, passwords, upgraded from the version before, two of each service, each of them recreated in
# mid-login, monitored, a backup, the loss of everything, and its restoration. `cargo xtask compose-test
# --production` runs it; the images are built before. The folder LOGIN_OLDER_BINARIES holds the version before.
# Where Docker Hub can't be reached, REDIS_IMAGE, NGINX_IMAGE and CADDY_IMAGE name images that are here. Without an
# image of Prometheus, one is made of this machine's.
set -euo pipefail
cd "$(dirname "$0")/../.."
project=wechat-login-production
work=$(mktemp -d)
https_port=${HTTPS_PORT:-18443} http_port=${HTTP_PORT:-18080} edge_port=${EDGE_PORT:-18081} simulator_port=${SIMULATOR_PORT:-18090} prometheus_port=${PROMETHEUS_PORT:-18092}
site=https://login.test:$https_port
simulator=http://127.0.0.1:$simulator_port
if docker compose version >/dev/null 2>&1; then compose=(docker compose); else compose=(docker-compose); fi

secret() {
  head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n'
}
mkdir "$work/backups"
cat >"$work/production.env" <<ENV
COMPOSE_PROFILES=tls,backup,demo,prometheus
DOMAIN=login.test
CADDY_TLS=tls internal
SITE__PUBLIC__URL=$site
GATEWAY__PUBLIC__URL=$site
GATEWAY__INTERNAL__API_KEY=$(secret)$(secret)
GATEWAY__WECHAT__APP_ID=wx5e1f0a2b3c4d5e6f
GATEWAY__WECHAT__APP_SECRET=$(secret)
GATEWAY__WECHAT__TOKEN=$(secret)
GATEWAY__WECHAT__ENCODING_AES_KEY=abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG
GATEWAY__WECHAT__API_URL=http://wechat-simulator:8090
GATEWAY__WECHAT__MP_URL=$simulator
GATEWAY__WECHAT__OPEN_URL=$simulator
SIMULATOR__PUBLIC__URL=$simulator
REDIS_GATEWAY_PASSWORD=$(secret)
REDIS_SITE_PASSWORD=$(secret)
REDIS_BACKUP_PASSWORD=$(secret)
REDIS_OPERATOR_PASSWORD=$(secret)
BACKUP_USER=$(id -u):$(id -g)
BACKUP_FOLDER=$work/backups
HTTP_PUBLISH=127.0.0.1:$http_port
HTTPS_PUBLISH=127.0.0.1:$https_port
EDGE_PUBLISH=127.0.0.1:$edge_port
SIMULATOR_PUBLISH=127.0.0.1:$simulator_port
REDIS_IMAGE=${REDIS_IMAGE:-redis:7-bookworm}
NGINX_IMAGE=${NGINX_IMAGE:-nginx:stable-bookworm}
CADDY_IMAGE=${CADDY_IMAGE:-caddy:2.10.2}
PROMETHEUS_IMAGE=${PROMETHEUS_IMAGE:-wechat-login-prometheus}
PROMETHEUS_PUBLISH=127.0.0.1:$prometheus_port
ENV
chmod 600 "$work/production.env"

files=(--file docker-compose.yml)
dc() {
  "${compose[@]}" "${files[@]}" --project-name "$project" --env-file "$work/production.env" "$@"
}
clean() {
  local code=$?
  if [ $code -ne 0 ]; then
    dc ps || true
    dc logs --tail 20 || true
  fi
  dc down --volumes --remove-orphans >/dev/null 2>&1 || true
  rm -rf "$work"
  exit $code
}
trap clean EXIT
step() {
  printf '%s %s\n' "$(date +%T)" "$*"
}
fail() {
  echo "FAILED: $*" >&2
  exit 1
}

wait_for() { # SECONDS, COMMAND...
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $deadline ] || fail "not within the time: $*"
    sleep 0.2
  done
}
ask() { # JAR METHOD PATH
  curl --silent --show-error --fail --cacert "$work/root.crt" --resolve "login.test:$https_port:127.0.0.1" \
    --noproxy '*' --max-time 20 --retry 5 --cookie "$work/$1" --cookie-jar "$work/$1" --request "$2" "$site$3"
}
simulate() { # PATH JSON
  curl --silent --show-error --fail --noproxy '*' --max-time 20 --header 'content-type: application/json' --data "$2" "$simulator$1"
}
member() { # NAME, JSON on standard input; nested names with dots
  python3 -c 'import functools, json, sys
print(functools.reduce(lambda value, name: value[int(name) if isinstance(value, list) else name], sys.argv[1].split("."), json.load(sys.stdin)))' "$1"
}
begin() { # JAR: shows a code
  ask "$1" POST /api/login | member qr.content >"$work/$1.code"
}
scan() { # JAR NICKNAME
  local person
  person=$(simulate /simulator/people "{\"nickname\":\"$2\",\"follows\":true}")
  member openid <<<"$person" >"$work/$1.openid"
  simulate "/simulator/people/$(member id <<<"$person")/scan?wait=answered" "{\"code\":\"$(cat "$work/$1.code")\"}" >/dev/null
}
finish() { # JAR
  [ "$(ask "$1" GET /api/login | member status)" = confirmed ] || fail "the scan did not confirm $1"
  ask "$1" POST /api/login/complete >/dev/null
  signed_in "$1"
}
signed_in() { # JAR
  [ "$(ask "$1" GET /api/session | member user.openid)" = "$(cat "$work/$1.openid")" ] || fail "$1 is not signed in"
}
redis() { # as an operator
  dc exec -T redis sh -c "REDISCLI_AUTH=$(sed -n 's/^REDIS_OPERATOR_PASSWORD=//p' "$work/production.env") exec redis-cli $*"
}
up() {
  dc up --detach --no-build "$@" >/dev/null 2>&1 || dc up --detach --no-build "$@"
  wait_for 120 ready
  # What the certificate of this run stands on.
  wait_for 60 dc exec -T caddy cat /data/caddy/pki/authorities/local/root.crt
  dc exec -T caddy cat /data/caddy/pki/authorities/local/root.crt >"$work/root.crt"
  wait_for 60 ask nobody GET /
}
ready() {
  local states
  states=$(docker inspect --format '{{.Config.Image}} {{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{end}}' $(dc ps --quiet)) || return 1
  ! grep -E ' (starting|unhealthy)$|exited|restarting' <<<"$states"
}

image_of() { # TAG, PATH in the image, BINARY of this machine: an image of the binary and the libraries that it loads
  local context=$work/image
  rm -rf "$context"
  mkdir -p "$context/root/tmp" "$context/root/etc" "$context/root/prometheus"
  chmod 1777 "$context/root/tmp" "$context/root/prometheus"
  echo 'hosts: files dns' >"$context/root/etc/nsswitch.conf"
  install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$context/root/etc/ssl/certs/ca-certificates.crt"
  install -D -m 755 "$3" "$context/root$2"
  ldd "$3" | grep -o '/[^ ]*' | while read -r library; do
    install -D -m 755 "$library" "$context/root$library"
  done
  cat >"$context/Dockerfile"
  docker build --quiet --tag "$1" "$context" >/dev/null 2>&1 || fail "$1 can't be built"
}
has_metrics_of() { # JOB NUMBER: Prometheus reaches so many
  [ "$(curl --silent --noproxy '*' --get --data-urlencode "query=count(build_info{job=\"$1\"})" \
    "http://127.0.0.1:$prometheus_port/api/v1/query" | member data.result.0.value.1)" = "$2" ]
}

if ! docker image inspect "$(sed -n 's/^PROMETHEUS_IMAGE=//p' "$work/production.env")" >/dev/null 2>&1; then
  step "an image of this machine's Prometheus"
  image_of wechat-login-prometheus /bin/prometheus "$(command -v prometheus)" <<'DOCKER'
FROM scratch
COPY root /
USER 65534
ENTRYPOINT ["/bin/prometheus"]
DOCKER
fi
dc --profile monitoring config --quiet

if [ -n "${LOGIN_OLDER_BINARIES:-}" ]; then
  step "images of the version before"
  for service in wechat-gateway site; do
    image_of "wechat-login-older-$service" "/usr/local/bin/$service" "$LOGIN_OLDER_BINARIES/$service" <<DOCKER
FROM scratch
COPY root /
USER 65532:65532
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=3s --timeout=4s --start-period=30s --retries=5 CMD ["/usr/local/bin/$service", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/$service"]
DOCKER
  done
  cat >"$work/older.yml" <<'COMPOSE'
services:
  wechat-gateway:
    image: wechat-login-older-wechat-gateway
  site:
    image: wechat-login-older-site
COMPOSE
  files+=(--file "$work/older.yml")
  step "starting the version before"
  up
  begin before && scan before 小白 && finish before
  begin mid-upgrade
  files=(--file docker-compose.yml)
  step "upgrading, the gateway first"
  dc up --detach --no-build --no-deps wechat-gateway >/dev/null 2>&1
  wait_for 120 ready
  begin between && scan between 小之 && finish between
  step "upgrading the rest"
  up
  scan mid-upgrade 小升 && finish mid-upgrade
  signed_in before
  signed_in between
  docker inspect --format '{{.Config.Image}}' $(dc ps --quiet) | grep older && fail "the version before still runs"
else
  step "starting"
  up
fi
step "a login over TLS, and plain HTTP leads there"
begin first && scan first 小明 && finish first
[ "$(curl --silent --noproxy '*' --output /dev/null --write-out '%{http_code}' --header 'host: login.test' "http://127.0.0.1:$http_port/")" = 308 ] || fail "plain HTTP is served"

step "Redis lets nobody in without a password, and a service no further than its own keys"
dc exec -T redis redis-cli get x | grep -q NOAUTH || fail "Redis obeys strangers"
for command in 'set other x' 'keys *' 'flushall' 'config get *' 'acl list'; do
  dc exec -T redis sh -c "REDISCLI_AUTH=$(sed -n 's/^REDIS_SITE_PASSWORD=//p' "$work/production.env") exec redis-cli --user site $command" |
    grep -q NOPERM || fail "the site may: $command"
done
docker inspect --format '{{.Config.Cmd}} {{.Args}}' "$(dc ps --quiet redis)" | grep -q "$(sed -n 's/^REDIS_SITE_PASSWORD=//p' "$work/production.env")" && fail "a command line shows a password"

step "two of each service"
up --scale site=2 --scale wechat-gateway=2
begin second && scan second 小红 && finish second

for service in wechat-gateway site edge caddy redis; do
  step "$service is recreated in mid-login"
  begin "mid-$service"
  up --scale site=2 --scale wechat-gateway=2 --force-recreate --no-deps "$service"
  scan "mid-$service" "小$service"
  finish "mid-$service"
done

step "Prometheus sees every replica, and its rules are loaded"
wait_for 60 has_metrics_of site 2
wait_for 60 has_metrics_of wechat-gateway 2
[ "$(curl --silent --noproxy '*' "http://127.0.0.1:$prometheus_port/api/v1/rules" | grep -o '"type":"alerting"' | wc -l)" -ge 10 ] ||
  fail "Prometheus has no rules"

step "HTTP/2 to the browser; the edge reads its configuration anew while one waits for its scan"
begin reloading
curl --silent --show-error --no-buffer --cacert "$work/root.crt" --resolve "login.test:$https_port:127.0.0.1" --noproxy '*' \
  --max-time 60 --cookie "$work/reloading" --write-out '\nHTTP/%{http_version}\n' "$site/api/login/events" >"$work/events" &
stream=$!
wait_for 10 grep -q pending "$work/events"
workers() {
  dc exec -T edge sh -c 'cat /proc/[0-9]*/cmdline | tr "\0" "\n" | grep -c "nginx: worker process$"'
}
before=$(workers)
dc exec -T edge nginx -s reload
shutting_down() { # The worker that serves the stream goes on, beside the new ones.
  [ "$(dc exec -T edge sh -c 'cat /proc/[0-9]*/cmdline | tr "\0" "\n" | grep -c "nginx: worker process is shutting down"')" -ge 1 ] &&
    [ "$(workers)" = "$before" ]
}
wait_for 20 shutting_down
scan reloading 小重
wait_for 10 grep -q confirmed "$work/events"
finish reloading
wait "$stream" || true
grep -q '^HTTP/2$' "$work/events" || fail "not HTTP/2: $(tail -n 1 "$work/events")"

step "a backup"
dc run --rm --no-deps backup once
name=$(cd "$work/backups" && ls wechat-login-*.rdb | sort | tail -n 1)
[ "$(stat -c %a "$work/backups/$name")" = 600 ] || fail "others can read the backup"
redis --scan | sort >"$work/keys-before"
[ -s "$work/keys-before" ] || fail "Redis is empty"

step "all is lost, and restored"
dc down --volumes >/dev/null 2>&1
dc run --rm --no-deps restore "$name"
up
# Short-lived keys may have ended meanwhile; what people rely on must be there.
redis --scan | sort >"$work/keys-after"
lasting='wechat-login:(session|sessions|member|subject):'
diff <(grep -E "$lasting" "$work/keys-before") <(grep -E "$lasting" "$work/keys-after") || fail "keys differ"
signed_in first
signed_in second
step "what was restored survives a restart, and a running Redis isn't overwritten"
dc run --rm --no-deps restore "$name" 2>/dev/null && fail "restored over a running Redis"
dc restart redis >/dev/null 2>&1
up
signed_in first
begin last && scan last 小刚 && finish last
step "passed"
