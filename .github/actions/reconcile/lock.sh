#!/usr/bin/env bash
# Keeps the lock file that this apply has changed, as it was in the commit that was applied and as the apply left it: what
# changed in between is all that is recorded. Takes ROOT and ENVIRONMENT and a directory; writes its path as the output
# `lock`. The lock file is found by its change: its place follows from arguments, variables and the project itself.
# With `before` as the second argument, run ahead of the apply, it notes what an earlier apply of the same job changed:
# that is not this one's.
set -euo pipefail

[[ -d $ROOT ]] || exit 0
# A directory of the checkout that looks like a bare repository is none.
git=(git -c safe.bareRepository=explicit -c core.fsmonitor=false)
top=$("${git[@]}" -C "$ROOT" rev-parse --show-toplevel 2>/dev/null) || exit 0
changed=()
while IFS= read -r -d '' line; do
  path=${line:3}
  [[ ${path##*/} =~ ^models(\.[a-z0-9-]+)?\.lock\.yaml$ && -f $top/$path && ! -L $top/$path ]] && changed+=("$path")
done < <(cd "$ROOT" && "${git[@]}" status --porcelain --no-renames --untracked-files=all -z -- .)

sums() { (cd "$top" && cksum ${changed[@]+"${changed[@]}"} </dev/null); }
if [[ ${2:-} == before ]]; then
  [[ -z ${changed[0]:-} ]] || sums >"$1.before"
  exit 0
fi
if [[ -n ${changed[0]:-} && -f $1.before ]]; then
  mine=()
  for path in "${changed[@]}"; do
    grep -Fxq -- "$(cd "$top" && cksum "$path")" "$1.before" || mine+=("$path")
  done
  changed=(${mine[@]+"${mine[@]}"})
fi

found=${changed[0]:-}
for path in ${changed[@]+"${changed[@]}"}; do
  # Several where one job applies in several environments.
  [[ ${path##*/} != "models${ENVIRONMENT:+.$ENVIRONMENT}.lock.yaml" ]] || found=$path
done
if [[ -z $found ]]; then
  echo "::notice title=reconciler::the apply changed no lock file, so there is nothing to record"
  exit 0
fi
mkdir -p "$1"
printf '%s' "$found" >"$1/path"
"${git[@]}" -C "$top" show "HEAD:$found" >"$1/before.lock.yaml" 2>/dev/null || : >"$1/before.lock.yaml"
cp "$top/$found" "$1/after.lock.yaml"
printf 'lock=%s\n' "$1" >>"$GITHUB_OUTPUT"
