# shellcheck shell=bash
# Sourced by scripts/run, scripts/test and .ci/run: where things are, how to speak, one set-up at a time.
# Callers have set -euo pipefail.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"

say() { printf '== %s\n' "$*" >&2; }

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Two set-ups in one checkout would write the same files. Held until unlock_build or the end of the script.
lock_build() {
  mkdir -p build 2>/dev/null || fail "cannot create $root/build"
  { exec {build_lock}>build/.lock; } 2>/dev/null ||
    fail "cannot write to $root/build: did another user (sudo?) create it? Remove it or change its owner"
  flock --nonblock "$build_lock" && return
  say "waiting for another set-up in this folder to finish"
  flock "$build_lock"
}

unlock_build() { exec {build_lock}>&-; }
