#!/usr/bin/env bash
# Keeps the lock file as it was in the commit that was applied, and as the apply left it: what changed in between is all
# that is recorded. Takes ROOT and ENVIRONMENT and a directory; writes its path as the output `lock`.
set -euo pipefail

name="models${ENVIRONMENT:+.$ENVIRONMENT}.lock.yaml"
[[ -d $ROOT ]] || exit 0
mkdir -p "$1"
git -c safe.bareRepository=explicit -c core.fsmonitor=false -C "$ROOT" show "HEAD:./$name" >"$1/before.lock.yaml" 2>/dev/null || : >"$1/before.lock.yaml"
if [[ -f $ROOT/$name && ! -L $ROOT/$name ]]; then cp "$ROOT/$name" "$1/after.lock.yaml"; else : >"$1/after.lock.yaml"; fi
printf 'lock=%s\n' "$1" >>"$GITHUB_OUTPUT"
