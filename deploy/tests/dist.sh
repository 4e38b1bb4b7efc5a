#!/usr/bin/env bash
# What is in a release: dist.sh FOLDER, the folder with the archive and the checksums. Unpacks it and runs what is
# in it. `cargo xtask dist` ends with this.
set -euo pipefail
cd "$(dirname "$0")/../.."
dist=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
  echo "FAILED: $*" >&2
  exit 1
}
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
commit=${WECHAT_LOGIN_COMMIT:-$(git rev-parse --short HEAD 2>/dev/null || true)}

(cd "$dist" && sha256sum --check --quiet SHA256SUMS) || fail "a checksum differs"
# As docs/install.md says.
tar --extract --strip-components 1 --directory "$work" --file "$dist"/wechat-login-*.tar.gz
[ -z "$(find "$work" -perm /022 ! -type l)" ] || fail "others may write: $(find "$work" -perm /022 ! -type l)"

for program in wechat-gateway wechat-login-site; do
  binary=$work/usr/bin/$program
  "$binary" --version | grep -qF "$version" || fail "$program --version says $("$binary" --version)"
  "$binary" --version | grep -qF "$commit" || fail "$program --version doesn't name $commit"
  "$binary" --help | grep -q healthcheck || fail "$program --help lacks a subcommand"
  "$binary" --help | grep -q package-files && fail "$program --help shows a subcommand of the builders'"
  [ "$("$binary" settings | wc -l)" -gt 20 ] || fail "$program settings prints too little"
  set +e
  env -i "$binary" >/dev/null 2>"$work/told"
  code=$?
  set -e
  [ $code = 2 ] || fail "$program without settings ended with $code: $(cat "$work/told")"

  zcat "$work/usr/share/man/man1/$program.1.gz" | grep -q '^\.TH ' || fail "no manual page of $program"
  bash -n "$work/usr/share/bash-completion/completions/$program" || fail "bash can't read its completions"
  grep -q "complete .* $program\$" "$work/usr/share/bash-completion/completions/$program" || fail "bash doesn't complete $program"
  head -n 1 "$work/usr/share/zsh/vendor-completions/_$program" | grep -q "#compdef $program" || fail "zsh doesn't complete $program"
  grep -q "complete -c $program " "$work/usr/share/fish/vendor_completions.d/$program.fish" || fail "fish doesn't complete $program"
done
if command -v man >/dev/null; then
  for page in "$work"/usr/share/man/man1/*; do
    # A line with a long address can't be justified.
    told=$(man --warnings --local-file "$page" 2>&1 >/dev/null | grep -v 'adjust line' || true)
    [ -z "$told" ] || fail "$(basename "$page"): $told"
  done
fi
for bill in "$dist"/*.cdx.json; do
  python3 - "$bill" <<'PYTHON'
import json, sys
bill = json.load(open(sys.argv[1]))
names = {component["name"] for component in bill["components"]}
assert bill["bomFormat"] == "CycloneDX" and {"actix-web", "rustls", "login-protocol"} <= names, sorted(names)
assert not {"wechat-simulator", "proptest", "harness"} & names, "what isn't shipped"
PYTHON
done

# How much the units leave open, from 0 to 10; and that they say nothing which systemd doesn't understand.
if command -v systemd-analyze >/dev/null; then
  for unit in "$work"/usr/lib/systemd/system/*.service; do
    systemd-analyze security --offline=true --threshold=20 --no-pager "$unit" | tail -n 1 ||
      fail "$(basename "$unit") is too open"
    sed -i "s|^ExecStart=/|ExecStart=$work/|" "$unit"
    told=$(systemd-analyze verify --man=no "$unit" 2>&1 | grep -F "$(basename "$unit")" || true)
    [ -z "$told" ] || fail "$told"
  done
  systemd-sysusers --dry-run --root "$work" "$work/usr/lib/sysusers.d/wechat-login.conf" >/dev/null 2>&1 ||
    fail "systemd-sysusers doesn't understand its file"
else
  echo "systemd isn't here: its units were not checked"
fi
echo "the archive holds what it should"
