#!/bin/sh
# The official Python library's own tests against `reconciler serve`: files, uploads, fine-tuning, models, completions.
#
#     sh tests/interop/upstream_openai_python.sh [DIRECTORY]
#
# Needs a Python with the extra `local` installed as `python`, and a package index. Installs into DIRECTORY (by default
# a new temporary one), and exits as the suite does. Nothing of it becomes part of this project.
set -eu

version=3.54.0
here=$(cd "$(dirname "$0")/../.." && pwd)
work=${1:-$(mktemp -d)}
mkdir -p "$work"

if [ ! -x "$work/venv/bin/python" ]; then
    python -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet "openai[aiohttp]==$version" pytest pytest-asyncio pytest-xdist respx \
        inline-snapshot dirty-equals rich hatchling hatch-fancy-pypi-readme
fi
if [ ! -d "$work/suite/tests" ]; then
    "$work/venv/bin/pip" download --quiet --no-deps --no-binary :all: --no-build-isolation \
        --dest "$work/sdist" "openai==$version"
    mkdir -p "$work/suite"
    # Only the tests: the library itself is the one that was installed.
    tar -xzf "$work/sdist/openai-$version.tar.gz" -C "$work/suite" --strip-components 1 \
        "openai-$version/tests" "openai-$version/pyproject.toml"
fi

log="$work/serve.log"
(cd "$here" && exec python -m reconciler serve --port 0 --store "$work/store" --seeds upstream-suites \
    --any-key) >"$log" 2>"$work/serve.err" &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || true' EXIT
for _ in $(seq 100); do
    url=$(sed -n 's/^export OPENAI_BASE_URL=//p' "$log")
    [ -n "$url" ] && break
    kill -0 "$server" 2>/dev/null || { cat "$work/serve.err" >&2; exit 1; }
    sleep 0.1
done

cd "$work/suite"
TEST_API_BASE_URL="$url" "$work/venv/bin/python" -m pytest -q -n 0 -rs -p no:cacheprovider \
    tests/api_resources/fine_tuning tests/api_resources/test_files.py tests/api_resources/test_uploads.py \
    tests/api_resources/uploads tests/api_resources/test_models.py tests/api_resources/test_completions.py
