#!/usr/bin/env bash
# Installs reconciler into an environment of its own, with every dependency pinned by hash.
#
# No step of it looks for code in the checkout, which a pull request wrote: Python runs isolated (-I), and the working
# directory is the new environment.
#
# Takes VERSION: empty for the code that this action came with, a version from the package index, or none where
# reconciler is on the PATH already. Sets RECONCILER_BIN for the steps that follow, by GITHUB_OUTPUT.
set -euo pipefail

if [[ $VERSION == none ]]; then
  found=$(command -v reconciler) || { echo "::error title=reconciler::version is none, and reconciler is not on the PATH"; exit 64; }
  if [[ $found != /* && $found != [A-Za-z]:* || $found == "$PWD"/* ]]; then
    echo "::error title=reconciler::the reconciler on the PATH lies in the checkout; install it elsewhere"
    exit 64
  fi
  printf 'bin=%s\n' "$(dirname "$found")" >>"$GITHUB_OUTPUT"
  exit 0
fi
if [[ -n $VERSION && ! $VERSION =~ ^[0-9][0-9A-Za-z.+!]*$ ]]; then
  echo "::error title=reconciler::version is empty, none, or a version such as 1.2.3"
  exit 64
fi

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
home=$(mktemp -d "$RUNNER_TEMP/reconciler.XXXXXX")
cd "$home"
for name in $(compgen -e); do
  case $name in PYTHON*) unset "$name" ;; esac
done
python -I -m venv "$home"
bin="$home/bin"
[[ -d $bin ]] || bin="$home/Scripts"
pip=("$bin/python" -I -m pip install --quiet --disable-pip-version-check)
"${pip[@]}" --require-hashes --requirement "$here/requirements.txt"
if [[ -z $VERSION ]]; then
  "${pip[@]}" --no-deps --no-build-isolation "$(cd "$here/../../.." && pwd)"
else
  "${pip[@]}" --no-deps --only-binary :all: "finetune-reconciler==$VERSION"
fi
"$bin/python" -I -m pip check
"$bin/python" -I -m reconciler --version
printf 'bin=%s\n' "$bin" >>"$GITHUB_OUTPUT"
