#!/usr/bin/env bash
# Runs one command of reconciler, and writes its exit code and the review's path as outputs.
#
# Takes COMMAND ROOT ENVIRONMENT PROVIDER OFFLINE FORK EXPECT_BASIS EXTRA_ARGS and RECONCILER_BIN. Always succeeds once
# the command has run: the action's last step exits with the command's own code, after the review was posted.
set -euo pipefail

refuse() {
  echo "::error title=reconciler::$1"
  printf 'exitcode=64\n' >>"$GITHUB_OUTPUT"
  exit 64
}

[[ $COMMAND =~ ^(plan|apply|drift)$ ]] || refuse "command is plan, apply or drift"
[[ $OFFLINE =~ ^(auto|true|false)$ ]] || refuse "offline is auto, true or false"
[[ -z $EXPECT_BASIS || $COMMAND == apply ]] || refuse "expect-basis is for the command apply"
if [[ $FORK == true ]]; then
  # The specs and the rows are a stranger's: nothing is sent anywhere, whatever the workflow asks for.
  [[ $COMMAND == plan ]] || refuse "a fork's pull request is planned, and nothing else"
  OFFLINE=true
fi

folder=$(mktemp -d "$RUNNER_TEMP/review.XXXXXX")
shared=("$ROOT")
[[ -z $ENVIRONMENT ]] || shared+=(--env "$ENVIRONMENT")
[[ -z $PROVIDER ]] || shared+=(--provider "$PROVIDER")
# Words are split at blanks; nothing in them is evaluated or expanded.
read -r -a extra <<<"$EXTRA_ARGS" || true
extra=("${shared[@]}" ${extra[@]+"${extra[@]}"})
formats=(--format text --format github --format "review=$folder/review.json")

code=0
if [[ $COMMAND == apply ]]; then
  approved=(--auto-approve)
  [[ -z $EXPECT_BASIS ]] || approved+=(--expect-basis "$EXPECT_BASIS")
  "$RECONCILER_BIN/reconciler" apply "${extra[@]}" "${approved[@]}" || code=$?
  # What the outputs and the summary tell is what is left to do: nothing, when all went well.
  case $code in
    0 | 6 | 7 | 8 | 9) "$RECONCILER_BIN/reconciler" plan "${shared[@]}" "${formats[@]}" || true ;;
  esac
elif [[ $OFFLINE == true ]]; then
  "$RECONCILER_BIN/reconciler" plan "${extra[@]}" --offline --detailed-exitcode "${formats[@]}" || code=$?
else
  "$RECONCILER_BIN/reconciler" plan "${extra[@]}" --detailed-exitcode "${formats[@]}" --out "$folder/plan.json" || code=$?
fi

printf 'exitcode=%s\n' "$code" >>"$GITHUB_OUTPUT"
if [[ -f $folder/review.json ]]; then
  printf 'review=%s\n' "$folder/review.json" >>"$GITHUB_OUTPUT"
fi
