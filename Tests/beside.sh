#!/bin/sh
# Runs two commands at once, most of whose time is spent waiting. What the first says is shown when both have ended: all of
# it where it failed, else its last line.
#
# usage: Tests/beside.sh 'COMMAND ARGUMENT…' COMMAND ARGUMENT…
set -u

log=$(mktemp)
trap 'rm -f "$log"' EXIT
$1 >"$log" 2>&1 &
first=$!
name=$1
shift

status=0
"$@" || status=$?
echo "$name:"
if wait "$first"; then
    tail -n 1 "$log"
else
    status=1
    cat "$log"
fi
exit "$status"
