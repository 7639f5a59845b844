#!/usr/bin/env bash
# Starts a script of this folder (comment, issue, record) with nothing in its environment but what GitHub itself put there: no
# provider's key, no setting of Python, no proxy of the job.
set -euo pipefail

while IFS= read -r name; do
  case $name in
    GITHUB_* | RUNNER_* | PATH | HOME | TMPDIR | COMMENT_AUTHOR | LANG | SYSTEMROOT) ;;
    *) unset "$name" 2>/dev/null || true ;;
  esac
done < <(compgen -e)

script=$1
shift
[[ $script =~ ^(comment|issue|record)$ ]] || { echo "::error title=reconciler::there is comment, issue and record"; exit 64; }
exec python3 -E -s -B "$(dirname "${BASH_SOURCE[0]}")/$script.py" "$@"
