#!/usr/bin/env bash
# Writes each layer's requirements.txt (exact versions and hashes) from uv.lock; with --check only tells whether they agree.
set -euo pipefail
cd "$(dirname "$0")/.."
write() { # LAYER [--prune PACKAGE ...]
  local layer=$1 target=layers/$1/requirements.txt
  shift
  local made
  made=$(uv export --quiet --frozen --no-header --no-dev --no-emit-workspace --package "${layer/_/-}" "$@" --format requirements-txt)
  if [ "${check:-}" = --check ]; then
    [ "$made" = "$(cat "$target")" ] || { echo "$target does not agree with uv.lock: run make requirements" >&2; exit 1; }
  else
    printf '%s\n' "$made" > "$target"
  fi
}
check=${1:-}
write management_api
# pydantic comes with management_api's layer, which every function carries too.
write governor --prune pydantic
