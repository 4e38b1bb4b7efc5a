#!/usr/bin/env bash
# The release's units under a real systemd: a container in which systemd is process 1 and Debian's Redis runs, and
# into which target/dist's archive is unpacked as docs/install.md says. `cargo xtask dist --systemd` ends with it.
# Needs a Docker engine, a Debian image (DEBIAN_IMAGE, debian:bookworm-slim) and Debian's packages.
set -euo pipefail
cd "$(dirname "$0")/../.."
archive=$(ls "${CARGO_TARGET_DIR:-target}"/dist/wechat-login-*.tar.gz)
container=wechat-login-systemd
work=$(mktemp -d)
clean() {
  local code=$?
  if [ $code -ne 0 ]; then inside journalctl --no-pager --lines 40 || true; fi
  docker rm --force "$container" >/dev/null 2>&1 || true
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
inside() {
  docker exec "$container" "$@"
}
wait_for() { # SECONDS, COMMAND...
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $deadline ] || fail "not within the time: $*"
    sleep 0.2
  done
}
secret() {
  head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n'
}
answers() { # URL STATUS
  [ "$(inside curl --silent --max-time 5 --output /dev/null --write-out '%{http_code}' "$1")" = "$2" ]
}
main_process() { # UNIT
  inside systemctl show --property MainPID --value "$1"
}

step "a Debian with systemd and Redis"
docker build --network host --quiet --tag "$container" - >/dev/null 2>&1 <<DOCKER || fail "the image can't be built"
FROM ${DEBIAN_IMAGE:-debian:bookworm-slim}
RUN apt-get update && apt-get install --yes --no-install-recommends systemd systemd-sysv dbus redis-server curl
STOPSIGNAL SIGRTMIN+3
CMD ["/sbin/init"]
DOCKER
cgroups=(--cgroupns private)
# The older cgroups have to be shared.
[ -e /sys/fs/cgroup/cgroup.controllers ] || cgroups=(--cgroupns host --volume /sys/fs/cgroup:/sys/fs/cgroup)
# SYS_PTRACE: for ProtectProc= and PrivateUsers= together.
docker run --detach --name "$container" --cap-add SYS_ADMIN --cap-add SYS_PTRACE --security-opt seccomp=unconfined \
  --security-opt apparmor=unconfined "${cgroups[@]}" --tmpfs /run --tmpfs /run/lock --tmpfs /tmp "$container" >/dev/null
wait_for 60 inside test -S /run/dbus/system_bus_socket
wait_for 60 inside sh -c 'systemctl is-system-running | grep -E "running|degraded"'
inside systemctl start redis-server
wait_for 30 inside redis-cli ping

step "installing $(basename "$archive")"
docker cp "$archive" "$container:/srv/archive.tar.gz" >/dev/null
inside tar --extract --strip-components 1 --no-overwrite-dir --directory / --file /srv/archive.tar.gz
inside systemd-sysusers 2>/dev/null
inside id wechat-login >/dev/null || fail "the user wasn't made"
key=$(secret)$(secret)
cat >"$work/gateway.env" <<ENV
GATEWAY__PUBLIC__URL=https://login.example.com
GATEWAY__INTERNAL__API_KEY=$key
GATEWAY__REDIS__URL=redis://127.0.0.1:6379/0
GATEWAY__WECHAT__APP_ID=wx5e1f0a2b3c4d5e6f
GATEWAY__WECHAT__APP_SECRET=$(secret)
GATEWAY__WECHAT__TOKEN=$(secret)
GATEWAY__WECHAT__API_URL=http://127.0.0.1:9
ENV
cat >"$work/site.env" <<ENV
SITE__PUBLIC__URL=https://login.example.com
SITE__REDIS__URL=redis://127.0.0.1:6379/0
SITE__GATEWAY__URL=http://127.0.0.1:9081
SITE__GATEWAY__API_KEY=$key
ENV
for name in gateway site; do
  docker cp "$work/$name.env" "$container:/etc/wechat-login/$name.env" >/dev/null
  inside chown root:root "/etc/wechat-login/$name.env"
  inside chmod 600 "/etc/wechat-login/$name.env"
done
inside systemctl daemon-reload
inside systemctl enable --now wechat-gateway wechat-login-site 2>/dev/null || fail "they don't start"

open_files() { # PROCESS: its hard limit
  inside sh -c "grep 'Max open files' /proc/$1/limits" | tr -s ' ' | cut -d ' ' -f 5
}
# What the units ask for, or what the engine leaves.
wanted=$(open_files 1)
[ "$wanted" -le 262144 ] || wanted=262144

step "both run, as nobody special"
wait_for 30 answers http://127.0.0.1:8080/login 200
wait_for 30 answers http://127.0.0.1:9080/readyz 200
wait_for 30 answers http://127.0.0.1:9081/healthz 200
answers "http://127.0.0.1:8081/wechat/callback?signature=a&timestamp=1&nonce=b&echostr=c" 403 ||
  fail "the gateway's public listener doesn't refuse a forged signature"
for unit in wechat-gateway wechat-login-site; do
  process=$(main_process "$unit")
  status=$(inside cat "/proc/$process/status")
  grep -Eq '^Uid:[[:space:]]+[1-9]' <<<"$status" || fail "$unit runs as root"
  grep -Eq '^CapEff:[[:space:]]+0+$' <<<"$status" || fail "$unit has capabilities"
  grep -Eq '^NoNewPrivs:[[:space:]]+1$' <<<"$status" || fail "$unit may gain privileges"
  grep -Eq '^Seccomp:[[:space:]]+2$' <<<"$status" || fail "$unit may use any system call"
  inside sh -c "! touch /proc/$process/root/etc/x 2>/dev/null" || fail "$unit sees a writable /etc"
  files=$(open_files "$process")
  [ "$files" = "$wanted" ] || fail "$unit may open $files files, not $wanted"
done

step "killed, each comes back"
for unit in wechat-gateway wechat-login-site; do
  process=$(main_process "$unit")
  inside sh -c "kill -KILL $process"
  came_back() {
    [ "$(main_process "$unit")" != "$process" ] && [ "$(main_process "$unit")" != 0 ] && inside systemctl is-active "$unit"
  }
  wait_for 30 came_back
done
wait_for 30 answers http://127.0.0.1:8080/login 200
wait_for 30 answers http://127.0.0.1:9081/healthz 200

step "stopped, each ends with 0"
inside systemctl stop wechat-gateway wechat-login-site
for unit in wechat-gateway wechat-login-site; do
  [ "$(inside systemctl show --property Result --property ExecMainStatus --value "$unit" | sort | tr '\n' ' ')" = "0 success " ] ||
    fail "$unit: $(inside systemctl show --property Result --property ExecMainStatus "$unit")"
done
step "passed"
