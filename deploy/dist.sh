#!/usr/bin/env bash
# What a release consists of, in target/dist: an archive that is unpacked over /, with binaries, units of systemd,
# the user's declaration, manual pages, shell completions and documentation; a bill of materials for each binary
# (CycloneDX); and checksums. The archive's name says what the binaries need:
#   …-linux-musl     nothing. Where Rust's musl target and musl-gcc are installed:
#                    rustup target add x86_64-unknown-linux-musl && apt-get install musl-tools
#   …-linux-gnu2.17  glibc 2.17 (2012) or newer. Otherwise, linked by Zig, which PyPI has.
#   …-linux-gnuX.Y   the glibc of this machine or a newer one. Without Python, or with LINKER=cc.
# TARGET names another target that Rust has installed. Tools are installed below target/dist-tools.
set -euo pipefail
cd "$(dirname "$0")/.."
zig=0.17.1 zigbuild=0.24.1 cyclonedx=0.5.9 oldest_glibc=2.17
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
export WECHAT_LOGIN_COMMIT=${WECHAT_LOGIN_COMMIT:-$(git rev-parse --short HEAD 2>/dev/null || true)}
built=$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}")
dist=$built/dist tools=$built/dist-tools
mkdir -p "$dist" "$tools"
host=$(rustc -vV | sed -n 's/^host: //p')
target=${TARGET:-}
if [ -z "$target" ]; then
  target=$host musl=${host%-gnu}-musl
  if [ -d "$(rustc --print sysroot)/lib/rustlib/$musl" ] && command -v musl-gcc >/dev/null; then target=$musl; fi
fi

step() {
  printf '%s %s\n' "$(date +%T)" "$*"
}
packages=(--package wechat-gateway --package site)
case $target in
  *-gnu)
    if [ "${LINKER:-zig}" = zig ] && python3 -c 'import ensurepip' 2>/dev/null; then
      if [ ! -x "$tools/zig/bin/cargo-zigbuild" ]; then
        step "installing Zig and cargo-zigbuild"
        python3 -m venv "$tools/zig"
        "$tools/zig/bin/pip" install --quiet --disable-pip-version-check "ziglang==$zig" "cargo-zigbuild==$zigbuild"
      fi
      name=wechat-login-$version-${target%%-*}-linux-gnu$oldest_glibc
      step "building for $target, glibc $oldest_glibc"
      PATH=$tools/zig/bin:$PATH cargo zigbuild --locked --release --target "$target.$oldest_glibc" "${packages[@]}"
    else
      name=wechat-login-$version-${target%%-*}-linux-gnu$(getconf GNU_LIBC_VERSION | cut -d ' ' -f 2)
      step "building for $target, with the glibc of this machine"
      cargo build --locked --release --target "$target" "${packages[@]}"
    fi
    ;;
  *)
    name=wechat-login-$version-${target%%-*}-linux-musl
    step "building for $target"
    cargo build --locked --release --target "$target" "${packages[@]}"
    ;;
esac

step "packing"
root=$dist/$name
rm -rf "${root:?}" "$dist"/*.tar.gz "$dist"/*.cdx.json "$dist/SHA256SUMS"
mkdir -p "$root"/{usr/bin,usr/lib/systemd/system,usr/lib/sysusers.d,usr/share/doc/wechat-login,etc/wechat-login}
install -m 755 "$built/$target/release/wechat-gateway" "$root/usr/bin/wechat-gateway"
install -m 755 "$built/$target/release/site" "$root/usr/bin/wechat-login-site"
install -m 644 deploy/systemd/*.service "$root/usr/lib/systemd/system/"
install -m 644 deploy/systemd/sysusers.conf "$root/usr/lib/sysusers.d/wechat-login.conf"
install -m 644 README.md README.zh-CN.md CHANGELOG.md LICENSE* "$root/usr/share/doc/wechat-login/"
cp -R docs "$root/usr/share/doc/wechat-login/"
chmod -R u=rwX,go=rX "$root"
# The binaries write these about themselves.
"$root/usr/bin/wechat-gateway" package-files "$root/usr/share"
"$root/usr/bin/wechat-login-site" package-files "$root/usr/share" --name wechat-login-site
gzip -9n "$root"/usr/share/man/man1/*.1

step "writing the bills of materials"
if ! "$tools/bin/cargo-cyclonedx" cyclonedx --version 2>/dev/null | grep -qF " $cyclonedx"; then
  step "installing cargo-cyclonedx, which takes some minutes"
  cargo install --quiet --locked "cargo-cyclonedx@$cyclonedx" --root "$tools"
fi
# It writes beside every manifest of the workspace.
bills() {
  find crates services tests -maxdepth 2 -name '*-bill.json'
}
"$tools/bin/cargo-cyclonedx" cyclonedx --quiet --format json --target "$target" --override-filename dist-bill
mv services/wechat-gateway/dist-bill.json "$dist/wechat-gateway-$version-${target%%-*}.cdx.json"
mv services/site/dist-bill.json "$dist/wechat-login-site-$version-${target%%-*}.cdx.json"
bills | xargs --no-run-if-empty rm --

# The same sources make the same archive.
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$epoch" -C "$dist" -cf - "$name" | gzip -9n >"$dist/$name.tar.gz"
rm -rf "${root:?}"
(cd "$dist" && sha256sum -- *.tar.gz *.cdx.json >SHA256SUMS)

step "unpacking it, as a user does"
bash deploy/tests/dist.sh "$dist"
step "made:"
(cd "$dist" && ls -l -- *.tar.gz *.cdx.json SHA256SUMS)
