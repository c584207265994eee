#!/usr/bin/env bash
# An engine or a scheduler in an environment of its own: `tests/external/engine.sh sail`, `jvm` (Java 17 or later), `ray`,
# `dask`, `airflow` or `dagster`. The first two run the data source, the others the recipes of docs/scale.md.
#
# UC_SPARK  the version of pyspark, such as 4.0.1 (the newest)
set -euo pipefail
cd "$(dirname "$0")/../.."
export PIP_DISABLE_PIP_VERSION_CHECK=1 UC_ENGINE=${1:?sail, jvm, ray, dask, airflow or dagster} PYTEST_ADDOPTS=

home=.venv-$UC_ENGINE folder=tests/external/recipes tests=test_$UC_ENGINE.py more=()
case $UC_ENGINE in
    sail) extra=sail folder=tests/external/spark tests= ;;
    jvm)
        extra=spark folder=tests/external/spark tests= home=$home${UC_SPARK:+-$UC_SPARK}
        more=(${UC_SPARK:+"pyspark==$UC_SPARK"}) ;;
    ray) extra=arrow more=("ray[data]") ;;
    dask) extra=arrow more=("dask[dataframe,distributed]") ;;
    airflow) extra=arrow,cli more=(apache-airflow) ;;
    dagster) extra=arrow,cli more=(dagster) ;;
    *) echo "there are sail, jvm, ray, dask, airflow and dagster" >&2; exit 2 ;;
esac

python3 -m venv "$home"
"$home/bin/pip" install -q -e ".[$extra,sandbox]" pytest "${more[@]}"
"$home/bin/pip" list 2>/dev/null | grep -iE '^(pysail|pyspark|pyspark-client|ray|dask|apache-airflow|dagster) ' # what is tried
# pyspark warns of pandas 3, and the engines leave sockets to the collector: what they warn of is not ours
timeout 900 "$home/bin/python" -m pytest -W ignore --confcutdir="$folder" "$folder/$tests"
