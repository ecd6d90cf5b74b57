#!/usr/bin/env bash
# Writes the requirements.txt of each layer and each function with libraries of its own, exact and with hashes, from uv.lock;
# with --check only tells whether they agree.
set -euo pipefail
cd "$(dirname "$0")/.."
write() { # FOLDER [--prune PACKAGE ...]
  local name=${1##*/} target=$1/requirements.txt
  shift
  local made
  made=$(uv export --quiet --frozen --no-header --no-dev --no-emit-workspace --package "${name//_/-}" "$@" --format requirements-txt)
  if [ "${check:-}" = --check ]; then
    [ "$made" = "$(cat "$target")" ] || { echo "$target does not agree with uv.lock: run make requirements" >&2; exit 1; }
  else
    printf '%s\n' "$made" > "$target"
  fi
}
check=${1:-}
write layers/management_api
# pydantic comes with management_api's layer, which every function carries too.
write layers/governor --prune pydantic
write functions/preset_promotion
write functions/incident_picture
write functions/webhook_sender
