#!/bin/sh
# Runs the clients' tests in several environments at once: each has a gateway and providers of its own, and most of the
# time is spent waiting.
#
# usage: Tests/Clients/generations.sh ENVIRONMENT…
set -u

jobs=""
for environment in "$@"; do
    "$environment/bin/python" -m pytest -q --tb=native -o cache_dir="$environment/.pytest_cache" Tests/Clients \
        >"$environment/clients.log" 2>&1 &
    jobs="$jobs $!"
done

status=0
for job in $jobs; do
    echo "$1:"
    # All of it where something failed, else the last line.
    if wait "$job"; then
        tail -n 1 "$1/clients.log"
    else
        status=1
        cat "$1/clients.log"
    fi
    shift
done
exit "$status"
