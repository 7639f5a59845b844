#!/usr/bin/env bash
# Ends the action as the command ended: changes that are planned are no failure, everything else keeps its number.
set -euo pipefail

case $COMMAND:${CODE:-} in
  *:0 | plan:2 | drift:2) exit 0 ;;
  *:[0-9] | *:[0-9][0-9] | *:[0-9][0-9][0-9])
    echo "::error title=reconciler::$COMMAND ended with exit code $CODE"
    exit "$CODE"
    ;;
  *)
    echo "::error title=reconciler::$COMMAND did not run"
    exit 1
    ;;
esac
