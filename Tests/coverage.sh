#!/bin/sh
# Prints which share of each target's lines the unit tests run.
#
# usage: Tests/coverage.sh SCRATCH-PATH (of `swift test --enable-code-coverage --scratch-path …`)
set -eu
scratch=$1
profile=$(find "$scratch" -name default.profdata | head -n 1)
tests=$(find "$scratch" -name '*PackageTests.xctest' -type f | head -n 1)
[ -n "$profile" ] && [ -n "$tests" ] || { echo "coverage.sh: no coverage in $scratch" >&2; exit 1; }
llvm-cov export -summary-only -instr-profile "$profile" "$tests" -ignore-filename-regex '/(Tests|\.build)/' |
    python3 -c '
import collections, json, sys
lines = collections.defaultdict(lambda: [0, 0])
for file in json.load(sys.stdin)["data"][0]["files"]:
    if "/Sources/" not in file["filename"]:
        continue
    target = file["filename"].split("/Sources/")[1].split("/")[0]
    count = file["summary"]["lines"]
    lines[target][0] += count["covered"]
    lines[target][1] += count["count"]
for target, (covered, count) in sorted(lines.items()):
    print(f"{target:14} {covered:6} of {count:6} lines  {100 * covered / count:5.1f} %")
covered, count = (sum(column) for column in zip(*lines.values()))
label = "all"
print(f"{label:14} {covered:6} of {count:6} lines  {100 * covered / count:5.1f} %")
'
