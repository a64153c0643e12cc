#!/bin/sh
# Fuzzes the parsers under libFuzzer and AddressSanitizer.
#
#   Tests/Fuzz/run.sh [seconds] [target…]     60 seconds for each target, all targets, unless told otherwise
#
# A target is one file Tests/Fuzz/<Name>Fuzz.swift with an @_cdecl("LLVMFuzzerTestOneInput") function. Its first lines
# say how it is run:
#
#   // fuzz-target: http-head          the name on this command line and of the seeds' folder in corpus/
#   // fuzz-modules: HTTPWire Base     the targets of Package.swift it needs, with those they need
#   // fuzz-with: Shared.swift         other files here that it needs (optional)
#   // fuzz-max-length: 16384          the longest input tried
#   // fuzz-link: -lcrypto             what else it links (optional)
#
# Exits with 1 when an input crashes, hangs or leaks, and prints where the input was kept.
set -eu

cd "$(dirname "$0")/../.."
seconds=60
case "${1:-}" in
    '' | *[!0-9]*) ;;
    *) seconds=$1; shift ;;
esac
build=.build/fuzz
mkdir -p "$build/programs" "$build/found"
# What SwiftPM passes as -package-name: the name of the folder as an identifier.
package=$(basename "$PWD" | tr 'A-Z' 'a-z' | sed 's/[^a-z0-9_]/_/g')

header() { sed -n "s|^// fuzz-$2: *||p" "$1" | head -n 1; }

compile() { # file, program
    for module in $(header "$1" modules); do
        # Objects only: every module is compiled with coverage and checks, and nothing is linked.
        swift build -c release --scratch-path "$build" --target "$module" \
            -Xswiftc -sanitize=fuzzer,address >"$build/build.log" 2>&1 || {
            cat "$build/build.log"
            return 1
        }
    done
    objects=
    for module in $(header "$1" modules); do
        objects="$objects $(find "$build/release/$module.build" -name '*.o' | tr '\n' ' ')"
    done
    maps=$(for map in Sources/C*/module.modulemap; do printf -- '-Xcc -fmodule-map-file=%s ' "$map"; done)
    with=$(for other in $(header "$1" with); do printf 'Tests/Fuzz/%s ' "$other"; done)
    # Of the headers that C modules name, only libpq's are not where the compiler looks by itself.
    includes=$(for flag in $(pkg-config --cflags-only-I libpq); do printf -- '-Xcc %s ' "$flag"; done)
    # shellcheck disable=SC2086 # Lists of words.
    swiftc -O -swift-version 6 -parse-as-library -package-name "$package" -module-name Fuzz \
        -sanitize=fuzzer,address -I "$build/release/Modules" $maps $includes -Xcc -D_GNU_SOURCE \
        "$1" $with $objects $(header "$1" link) -o "$2" >"$build/link.log" 2>&1 || {
        grep -v 'Cannot export local symbol' "$build/link.log"
        return 1
    }
}

failed=
found=
for file in Tests/Fuzz/*Fuzz.swift; do
    name=$(header "$file" target)
    if [ $# -gt 0 ]; then
        case " $* " in *" $name "*) ;; *) continue ;; esac
    fi
    found="$found $name"
    program=$build/programs/$name
    echo "== $name: building"
    compile "$file" "$program"
    mkdir -p "$build/grown/$name" "Tests/Fuzz/corpus/$name"
    echo "== $name: $seconds s"
    if "$program" -max_total_time="$seconds" -max_len="$(header "$file" max-length)" -timeout=10 -rss_limit_mb=2048 \
        -print_final_stats=1 -artifact_prefix="$build/found/$name-" \
        "$build/grown/$name" "Tests/Fuzz/corpus/$name" >"$build/$name.log" 2>&1; then
        grep -E 'number_of_executed_units|average_exec_per_sec' "$build/$name.log"
    else
        failed="$failed $name"
        tail -n 60 "$build/$name.log"
        grep -E 'Test unit written to' "$build/$name.log" || true
        echo "== $name: FAILED; run it again with: $program <the file above>"
    fi
done
for wanted in "$@"; do
    case " $found " in *" $wanted "*) ;; *) echo "no fuzz target named $wanted"; exit 2 ;; esac
done
[ -z "$failed" ] || exit 1
