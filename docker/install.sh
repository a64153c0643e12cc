#!/bin/sh
# Installs what is missing of Debian's packages, and says what for. The one list of what Hivegate needs:
# the Makefile, the container images and CI all read it here.
#
# usage: docker/install.sh [swift] [build] [run] [image] [test] [bench]
set -eu

# What the toolchain of swift.org expects to find; where `swift` works already, none of it is missing.
swift="binutils gcc git libc6-dev libcurl4 libedit2 libgcc-12-dev libncurses6 libsqlite3-0 libstdc++-12-dev libxml2 libz3-4
    tzdata zlib1g-dev"
build="libargon2-dev libcurl4-openssl-dev libhiredis-dev libpq-dev libssl-dev libzstd-dev pkg-config make"
# curl is for people: the command that the gateway prints, and `make health`.
run="ca-certificates curl postgresql redis-server util-linux"
# The libraries of `build` as the finished program needs them; in a container the databases are elsewhere.
image="ca-certificates libargon2-1 libcurl4 libhiredis0.14 libpq5 libssl3 libstdc++6 libzstd1"
# openssl makes certificates for the tests of the HTTP client, nginx is its peer, procps finds child processes.
test="nginx-light openssl procps python3 python3-venv git"
# nginx-extras has the module for Lua that the libraries need, with which nginx limits and caches beside us.
bench="nginx-light nginx-extras lua-cjson lua-nginx-redis lua-nginx-string wrk"

why() {
    case $1 in
    swift) echo "for the Swift toolchain itself" ;;
    build) echo "to compile: the C libraries that Hivegate stands on" ;;
    run) echo "to run without databases of your own: PostgreSQL and Redis; curl to try it" ;;
    image) echo "to run with databases of your own, as in a container" ;;
    test) echo "to test: nginx and openssl as peers, Python for the official clients" ;;
    bench) echo "to measure: nginx, with Lua and Redis too, as the yardstick, wrk as the load" ;;
    esac
}

is_installed() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo -E "$@"
    else
        echo "install.sh: must be root, or have sudo, to run: $*" >&2
        exit 1
    fi
}

missing=""
for group in "$@"; do
    case $group in
    swift) wanted=$swift ;; build) wanted=$build ;; run) wanted=$run ;; image) wanted=$image ;;
    test) wanted=$test ;; bench) wanted=$bench ;;
    *) echo "install.sh: no such group: $group" >&2; exit 64 ;;
    esac
    lacking=""
    for package in $wanted; do is_installed "$package" || lacking="$lacking $package"; done
    [ -z "$lacking" ] && continue
    echo "installing$lacking ($(why "$group"))"
    missing="$missing$lacking"
done
[ -z "$missing" ] && exit 0

case " $missing " in
*" postgresql "*)
    if ! is_installed postgresql-common && [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        # Hivegate makes its own cluster; Debian's default one would only take memory.
        as_root mkdir -p /etc/postgresql-common
        echo "create_main_cluster = false" | as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
    fi
    ;;
esac
export DEBIAN_FRONTEND=noninteractive
# Runlevel 1: the packages' own services are not started.
as_root apt-get update -qq
# shellcheck disable=SC2086
RUNLEVEL=1 as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
