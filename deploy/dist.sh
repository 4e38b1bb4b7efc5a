#!/usr/bin/env bash
# What a release consists of, in target/dist: an archive for each architecture that this machine builds for, with
# binaries, units of systemd, the user's declaration and documentation; and checksums. With the musl target
# installed (rustup target add x86_64-unknown-linux-musl, and a musl-gcc) the binaries are static; otherwise they
# need the glibc of this machine or a newer one.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
export WECHAT_LOGIN_COMMIT=${WECHAT_LOGIN_COMMIT:-$(git rev-parse --short HEAD 2>/dev/null || true)}
host=$(rustc -vV | sed -n 's/^host: //p')
target=${TARGET:-}
musl=${host%-gnu}-musl
if [ -z "$target" ]; then
  target=$host
  if [ -d "$(rustc --print sysroot)/lib/rustlib/$musl" ] && command -v musl-gcc >/dev/null; then target=$musl; fi
fi
cargo build --locked --release --target "$target" --package wechat-gateway --package site
name=wechat-login-$version-$target
dist=target/dist
rm -rf "${dist:?}/$name"
mkdir -p "$dist/$name"/{usr/bin,usr/lib/systemd/system,usr/lib/sysusers.d,etc/wechat-login,usr/share/doc/wechat-login}
install -m 755 "target/$target/release/wechat-gateway" "$dist/$name/usr/bin/wechat-gateway"
install -m 755 "target/$target/release/site" "$dist/$name/usr/bin/wechat-login-site"
install -m 644 deploy/systemd/*.service "$dist/$name/usr/lib/systemd/system/"
install -m 644 deploy/systemd/sysusers.conf "$dist/$name/usr/lib/sysusers.d/wechat-login.conf"
install -m 644 README.md README.zh-CN.md CHANGELOG.md LICENSE* docs/*.md "$dist/$name/usr/share/doc/wechat-login/"
if command -v cargo-cyclonedx >/dev/null; then
  cargo cyclonedx --format json --override-filename sbom --manifest-path services/wechat-gateway/Cargo.toml
  mv services/wechat-gateway/sbom.json "$dist/$name.cdx.json"
fi
# The same sources make the same archive.
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$epoch" -C "$dist" -cf - "$name" | gzip -n >"$dist/$name.tar.gz"
(cd "$dist" && sha256sum ./*.tar.gz $(ls ./*.cdx.json 2>/dev/null) >SHA256SUMS)
if command -v systemd-analyze >/dev/null; then
  for unit in deploy/systemd/*.service; do
    systemd-analyze security --offline=true --threshold=20 --no-pager "$unit" >/dev/null
  done
fi
echo "$dist/$name.tar.gz"
