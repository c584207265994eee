#!/usr/bin/env bash
# Holds the sandbox, and the library's requests, against the providers' own OpenAPI documents, with Stoplight Prism as
# the referee. Needs node 18 or newer, npm, and a Python with this project and its extra `sandbox`.
#
#   tests/external/prism.sh
#
# PYTHON      the Python to use (python)
# PRISM_HOME  where Prism is installed, once (~/.cache/unified-customers/prism)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python}
home=${PRISM_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/unified-customers/prism}
prism=$home/node_modules/.bin/prism

command -v npm >/dev/null || { echo "prism.sh: npm is missing: install node 18 or newer" >&2; exit 2; }
if ! [ -x "$prism" ]; then
    mkdir -p "$home"
    # Without a package.json of its own, npm would install into the nearest folder above that has one.
    [ -f "$home/package.json" ] || echo '{"private": true}' >"$home/package.json"
    npm install --prefix "$home" --no-audit --no-fund --loglevel=error '@stoplight/prism-cli@5' >&2
fi

exec "$python" "$here/referee.py" "$prism" "$@"
