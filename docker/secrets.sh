#!/bin/sh
# Makes the secrets of docker/compose.yaml that FILE lacks, once. One that is in the environment is kept as it is.
#
# usage: docker/secrets.sh FILE
set -eu

file=${1:?usage: docker/secrets.sh FILE}

random() { od -An -v -N 32 -t x1 /dev/urandom | tr -d ' \n'; }

keep() {
    grep -q "^$1=" "$file" && return
    printf '%s=%s\n' "$1" "$2" >>"$file"
    echo "$1 is now in $file"
}

umask 077
[ -d "$(dirname "$file")" ] || (umask 022 && mkdir -p "$(dirname "$file")")
[ -e "$file" ] || : >"$file"
keep POSTGRES_PASSWORD "${POSTGRES_PASSWORD:-$(random)}"
keep HIVEGATE_DATABASE_PASSWORD "${HIVEGATE_DATABASE_PASSWORD:-$(random)}"
keep HIVEGATE_KEY_PEPPERS "${HIVEGATE_KEY_PEPPERS:-1:$(random)}"
keep HIVEGATE_MASTER_KEY "${HIVEGATE_MASTER_KEY:-1:$(head -c 32 /dev/urandom | base64)}"
