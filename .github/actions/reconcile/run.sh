#!/usr/bin/env bash
# Runs one command of reconciler, and writes its exit code and the review's path as outputs.
#
# Takes COMMAND ROOT ENVIRONMENT PROVIDER OFFLINE ORIGIN OWN_INSTALLATION EXPECT_BASIS EXTRA_ARGS and RECONCILER_BIN.
# Always succeeds once the command has run: the action's last step exits with the command's own code, after the review
# was posted.
set -euo pipefail

refuse() {
  echo "::error title=reconciler::$1"
  printf 'exitcode=64\n' >>"$GITHUB_OUTPUT"
  exit 64
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=isolate.sh
source "$here/isolate.sh"

[[ $COMMAND =~ ^(plan|apply|drift)$ ]] || refuse "command is plan, apply or drift"
[[ $OFFLINE =~ ^(auto|true|false)$ ]] || refuse "offline is auto, true or false"
[[ $ORIGIN =~ ^(auto|own|fork)$ ]] || refuse "origin is auto, own or fork"
[[ -z $EXPECT_BASIS || $COMMAND == apply ]] || refuse "expect-basis is for the command apply"

# A directory of the checkout that looks like a bare repository is none.
git=(git -c safe.bareRepository=explicit -c core.fsmonitor=false -C "$ROOT")
head=$("${git[@]}" rev-parse --verify --quiet HEAD 2>/dev/null || true)
origin=$(python3 -I "$here/origin.py" "$head")
[[ $ORIGIN == auto || $origin == fork ]] || origin=$ORIGIN
case $origin in
  own) ;;
  fork)
    # The specs and the rows are a stranger's: nothing is sent anywhere, whatever the workflow asks for.
    [[ $COMMAND == plan ]] || refuse "what comes from a fork is planned, and nothing else"
    OFFLINE=true
    ;;
  *)
    [[ -n $head ]] || refuse "git does not say which commit is checked out at $ROOT, so its origin is unknown: check out\
 the repository with git, name a root inside it, and in a container run 'git config --global --add safe.directory DIR'\
 first; or set the input origin to own if only commits of this repository can be there"
    refuse "the event ${GITHUB_EVENT_NAME:-} does not say whose commit is checked out; set the input origin to own if\
 only commits of this repository can be there, or to fork to plan offline"
    ;;
esac

folder=$(mktemp -d "$RUNNER_TEMP/review.XXXXXX")
arguments=("$ROOT")
[[ -z $ENVIRONMENT ]] || arguments+=(--env "$ENVIRONMENT")
[[ -z $PROVIDER ]] || arguments+=(--provider "$PROVIDER")
# Words are split at blanks and line ends; nothing in them is evaluated or expanded.
read -r -d '' -a extra <<<"$EXTRA_ARGS" || true
arguments+=(${extra[@]+"${extra[@]}"})

# What is proposed is everything since the base. For a fork the lock file comes from there too: the fork may have changed
# it. Without a base in the checkout the command gets a name that git does not know, and ends with the reason: no earlier
# commit may stand for it, because that may be the fork's own.
find_base() {
  local name found
  if "${git[@]}" rev-parse --verify --quiet "HEAD^2^{commit}" >/dev/null 2>&1; then
    "${git[@]}" rev-parse --verify "HEAD^1^{commit}"
    return
  fi
  while read -r name; do
    found=$("${git[@]}" rev-parse --verify --quiet "$name^{commit}" 2>/dev/null) || continue
    "${git[@]}" merge-base "$found" HEAD 2>/dev/null || printf '%s\n' "$found"
    return
  done < <(python3 -I "$here/base.py")
  echo "::error title=reconciler::the commit that this pull request is compared with is not in the checkout: check out\
 its merge with fetch-depth: 2, or everything with fetch-depth: 0" >&2
  printf 'the base of this pull request\n'
}

case $COMMAND in
  apply)
    arguments+=(--auto-approve)
    [[ -z $EXPECT_BASIS ]] || arguments+=(--expect-basis "$EXPECT_BASIS")
    command=apply
    ;;
  *)
    if [[ $OFFLINE == true ]]; then
      arguments+=(--offline)
      if [[ $origin == fork && ! " ${arguments[*]} " =~ \ --(base|against)(=|\ ) ]]; then
        arguments+=(--base "$(find_base)")
      fi
    else
      arguments+=(--out "$folder/plan.json")
    fi
    arguments+=(--detailed-exitcode)
    command=plan
    ;;
esac
[[ $COMMAND != apply ]] || bash "$here/lock.sh" "$folder/lock" before
code=0
formats=(--format text --format github --format "review=$folder/review.json")
"$RECONCILER_BIN/reconciler" "$command" "${arguments[@]}" "${formats[@]}" || code=$?

printf 'exitcode=%s\n' "$code" >>"$GITHUB_OUTPUT"
if [[ -f $folder/review.json ]]; then
  printf 'review=%s\n' "$folder/review.json" >>"$GITHUB_OUTPUT"
fi
[[ $COMMAND != apply ]] || bash "$here/lock.sh" "$folder/lock"
