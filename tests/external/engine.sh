#!/usr/bin/env bash
# The data source on an engine, in an environment of its own: `tests/external/engine.sh sail`, or `jvm` (Java 17 or later).
set -euo pipefail
cd "$(dirname "$0")/../.."
export PIP_DISABLE_PIP_VERSION_CHECK=1 UC_ENGINE=${1:?sail or jvm} PYTEST_ADDOPTS=

case $UC_ENGINE in
    sail) extra=sail ;;
    jvm) extra=spark ;;
    *) echo "there is sail, and there is jvm" >&2; exit 2 ;;
esac

home=.venv-$UC_ENGINE
python3 -m venv "$home"
"$home/bin/pip" install -q -e ".[$extra,sandbox]" pytest
# pyspark warns of pandas 3, and the engines leave sockets to the collector: what they warn of is not ours
timeout 600 "$home/bin/python" -m pytest -W ignore --confcutdir=tests/external/spark tests/external/spark
