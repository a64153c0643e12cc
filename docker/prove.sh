#!/usr/bin/env bash
# Proves that what is committed works on a clean Debian 12, without a container engine: each proof has a new root made
# by debootstrap, in which only install.sh has installed anything, and the Swift toolchain of this machine.
#
#   image  the Dockerfile, step by step, and its program as the image's user
#   run    `make run` until it serves and the command it prints works
#   test   `make test`, in the root of `run`
#
# usage: docker/prove.sh DIRECTORY [image] [run] [test]     (image and run; DIRECTORY: 6 GB, can be removed afterwards)
#
# Must be root. Mounts, and all processes, are in namespaces of their own and end with this script. Another mirror,
# proxies, authorities and settings of pip (PIP_…) are taken over from this machine, and written nowhere else.
set -euo pipefail

readonly step_limit=1800 test_limit=5400

say() { printf '\n== %s\n' "$*"; }
fail() {
    echo "prove.sh: $*" >&2
    exit 1
}

[ $# -ge 1 ] || fail "usage: docker/prove.sh DIRECTORY [image] [run] [test]"
[ "$(id -u)" = 0 ] || fail "must be root, to make roots and mounts"
command -v debootstrap >/dev/null || fail "debootstrap is missing: apt-get install debootstrap"
command -v swift >/dev/null || fail "swift is not on PATH"

if [ "${PROVE_INSIDE:-}" != yes ]; then
    # A first process of its own: when it ends, by whatever way, its mounts and all it started are gone.
    PROVE_INSIDE=yes exec unshare --mount --pid --fork --kill-child --mount-proc --propagation private "$0" "$@"
fi

mkdir -p "$1"
folder=$(cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- image run
project=$(cd "$(dirname "$0")/.." && pwd)
# …/usr/bin/swift-driver: the toolchain is …/usr.
toolchain=$(dirname "$(dirname "$(readlink -f "$(command -v swift)")")")
[ "$toolchain" != /usr ] || fail "swift must have a directory of its own, as the archives of swift.org have"
log=$folder/log
: >"$log"

mounts=()
clean_up() {
    local code=$?
    for ((i = ${#mounts[@]} - 1; i >= 0; i--)); do umount -l "${mounts[i]}" || true; done
    mounts=()
    [ "$code" = 0 ] && return
    printf '%s\n' "prove.sh: failed: ${step:-before the first step}; the end of $log:" "$(tail -n 30 "$log")" >&2
}
trap clean_up EXIT
trap 'exit 130' INT TERM

mounted() { # ARGUMENTS OF mount …, the last of them the place
    mkdir -p "${*: -1}"
    mount "$@"
    mounts+=("${*: -1}")
}

# --- Roots

make_base() {
    local mirror
    # shellcheck disable=SC2016
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' | head -n 1)
    rm -rf "$folder/base"
    timeout "$step_limit" debootstrap --variant=minbase bookworm "$folder/base" \
        "${mirror:-http://deb.debian.org/debian}" >>"$log" 2>&1
    # How to reach the mirror, and whom to trust on the way.
    rm -f "$folder/base/etc/apt/sources.list"
    cp -a /etc/apt/sources.list* /etc/apt/auth.conf.d /etc/apt/trusted.gpg.d "$folder/base/etc/apt/" 2>>"$log" || true
    apt-config dump | grep -E '^Acquire::(http|https|Check|Retries)' >"$folder/base/etc/apt/apt.conf.d/90prove" || true
    mkdir -p "$folder/base/usr/local/share/ca-certificates"
    cp -a /usr/local/share/ca-certificates/. "$folder/base/usr/local/share/ca-certificates/" 2>>"$log" || true
    touch "$folder/base.complete"
}

make_root() { # NAME
    local root=$folder/$1
    rm -rf --one-file-system "$root"
    cp -a "$folder/base" "$root"
    cp -L /etc/resolv.conf "$root/etc/resolv.conf"
    echo "127.0.0.1 localhost" >"$root/etc/hosts"
    mounted -t proc proc "$root/proc"
    mounted --rbind /dev "$root/dev"
    mounted -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
}

add_swift() { # NAME
    mounted --bind -o ro "$toolchain" "$folder/$1$toolchain"
    install -D -m 755 "$project/docker/install.sh" "$folder/$1/tmp/install.sh"
    within "$1" / /tmp/install.sh swift
}

# Runs a command in a root, as in a container: with the variables that are named, and those of the network.
declare -A variables=()
user=0:0
within() { # NAME WORKDIR COMMAND …
    local name=$1 directory=$2 path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    shift 2
    local assignments=("PATH=$toolchain/bin:$path" HOME=/root LANG=C.UTF-8)
    local variable
    while read -r variable; do
        assignments+=("$variable=${!variable}")
    done < <(compgen -e | grep -E '^PIP_|^(http|https|no)_proxy$|^(HTTP|HTTPS|NO)_PROXY$' | grep -v FIND_LINKS || true)
    for variable in "${!variables[@]}"; do assignments+=("$variable=${variables[$variable]}"); done
    # shellcheck disable=SC2016
    env -i "${assignments[@]}" timeout "${limit:-$step_limit}" chroot --userspec="$user" "$folder/$name" \
        /bin/sh -c 'cd "$1" && shift && exec "$@"' sh "$directory" "$@" >>"$log" 2>&1
}

# Its command is no condition, so that the first failure in it ends everything.
timed() { # WHAT COMMAND …
    local start=$SECONDS
    step=$1
    shift
    echo "-- $step" >>"$log"
    "$@"
    printf '%5d s  %s\n' "$((SECONDS - start))" "$step"
}

# --- The Dockerfile

# What its build may see: the committed files that Dockerfile.dockerignore lets in.
make_context() {
    rm -rf "$folder/context"
    while read -r path; do
        mkdir -p "$folder/context/$(dirname "$path")"
        cp -a "$folder/clone/$path" "$folder/context/$path"
    done < <(sed -n 's/^!//p' "$folder/clone/docker/Dockerfile.dockerignore")
}

# One instruction a line: comments left out, continued lines joined.
instructions() {
    grep -vE '^[[:space:]]*(#|$)' "$folder/clone/docker/Dockerfile" |
        sed -e ':a' -e '/\\$/{N;s/\\\n[[:space:]]*/ /;ba' -e '}'
}

copy() { # FROM TO-ROOT WORKDIR SOURCE DESTINATION
    local source=$1/$4 destination=$5
    [ "${destination#/}" != "$destination" ] || destination=$3/$destination
    if [ -d "$source" ]; then
        mkdir -p "$2$destination"
        cp -a "$source/." "$2$destination/"
    elif [ "${destination%/}" != "$destination" ]; then
        mkdir -p "$2$destination"
        cp -a "$source" "$2$destination"
    else
        mkdir -p "$(dirname "$2$destination")"
        cp -a "$source" "$2$destination"
    fi
}

prove_image() {
    local stage="" workdir=/ instruction arguments source destination word
    while read -r instruction arguments; do
        case $instruction in
        FROM)
            stage=image-${arguments##* }
            case $arguments in
            swift:*" AS "*)
                timed "root $stage: clean Debian" make_root "$stage"
                timed "install.sh swift" add_swift "$stage"
                ;;
            debian:12-slim)
                stage=image-final
                timed "root $stage: clean Debian" make_root "$stage"
                ;;
            *) fail "FROM $arguments: not known here" ;;
            esac
            workdir=/ user=0:0 variables=()
            ;;
        WORKDIR)
            workdir=$arguments
            mkdir -p "$folder/$stage$workdir"
            ;;
        COPY)
            source=$folder/context
            if [[ $arguments == --from=* ]]; then
                word=${arguments%% *}
                source=$folder/image-${word#--from=}
                arguments=${arguments#* }
            fi
            read -r word destination <<<"$arguments"
            timed "COPY $arguments" copy "$source" "$folder/$stage" "$workdir" "$word" "$destination"
            ;;
        RUN) timed "RUN $arguments" within "$stage" "$workdir" /bin/sh -c "$arguments" ;;
        ENV) for word in $arguments; do variables[${word%%=*}]=${word#*=}; done ;;
        USER) user=$arguments ;;
        EXPOSE | STOPSIGNAL | HEALTHCHECK | ENTRYPOINT | CMD) ;;
        *) fail "$instruction: not known here" ;;
        esac
    done < <(instructions)
    prove_program "$stage"
    variables=() user=0:0
}

# In the last stage, as its user and with its ENV.
prove_program() { # NAME
    [ "${user%%:*}" != 0 ] || fail "the image runs as root"
    timed "as $user: hivegate --help" within "$1" / hivegate --help
    variables+=([DATABASE_URL]=postgresql://u:p@127.0.0.1:1/d [REDIS_URL]=redis://127.0.0.1:1)
    variables+=([HIVEGATE_KEY_PEPPERS]="1:$(printf 'p%.0s' {1..40})" [HIVEGATE_MASTER_KEY_FILE]=/master-key)
    (umask 277 && echo "1:$(head -c 32 /dev/zero | base64)" >"$folder/$1/master-key")
    chown "$user" "$folder/$1/master-key"
    timed "as $user: hivegate check-config" within "$1" / hivegate check-config
    timed "as $user: all libraries are there" within "$1" / \
        sh -c 'ldd /usr/local/bin/hivegate && ! ldd /usr/local/bin/hivegate | grep "not found"'
    timed "as $user: hivegate health finds nobody" within "$1" / \
        sh -c 'PORT=1 hivegate health; test $? = 1'
    timed "as $user: hivegate serve names what is missing" within "$1" / sh -c 'hivegate serve; test $? = 69'
    echo "         size: $(du -xsh --exclude=./proc --exclude=./dev "$folder/$1" | cut -f1)," \
        "of it the program: $(du -h "$folder/$1/usr/local/bin/hivegate" | cut -f1)"
}

# --- make

make_run_root() {
    [ "${run_root_is_made:-}" = yes ] && return
    timed "root run: clean Debian" make_root run
    timed "install.sh swift" add_swift run
    timed "apt-get install make" within run / apt-get install -y --no-install-recommends make
    rm -f "$folder/run/tmp/install.sh"
    cp -a "$folder/clone" "$folder/run/srv/hivegate"
    run_root_is_made=yes
}

# What `make run` prints, word for word, in the root where it runs.
ask_as_printed() {
    sed -n '/^ *curl /,/ -d /p' "$folder/run/srv/said" >"$folder/run/srv/printed.sh"
    log=$folder/run/srv/answer within run / sh -e /srv/printed.sh || true
    cat "$folder/run/srv/answer" >>"$log"
    grep -q '"content":"' "$folder/run/srv/answer"
}

prove_run() {
    make_run_root
    local said=$folder/run/srv/said start=$SECONDS maker
    variables=([PORT]=$((20000 + RANDOM % 10000)))
    # shellcheck disable=SC2016
    log=$said within run /srv/hivegate sh -c 'echo $$ >/srv/pid && exec make run' &
    local job=$!
    step="make run"
    until grep -qs 'Hivegate .* is ready on' "$said"; do
        kill -0 "$job" 2>/dev/null || fail "make run ended:"$'\n'"$(tail -n 30 "$said")"
        [ $((SECONDS - start)) -lt "$step_limit" ] || fail "make run does not serve:"$'\n'"$(tail -n 30 "$said")"
        sleep 0.2
    done
    printf '%5d s  make run serves\n' "$((SECONDS - start))"
    timed "what it prints works, as it is printed" ask_as_printed
    echo "         $(grep -o '{.*' "$folder/run/srv/answer" | cut -c 1-150)…"
    timed "make health" within run /srv/hivegate make health
    maker=$(cat "$folder/run/srv/pid")
    # The gateway alone: a second signal, passed on by those above it, would not let it finish.
    kill -TERM "$(pgrep -P "$maker")"
    wait "$job" || fail "the gateway did not end with 0:"$'\n'"$(tail -n 30 "$said")"
    echo "         a SIGTERM ended it with 0"
    variables=()
}

prove_test() {
    make_run_root
    local limit=$test_limit
    timed "make test" within run /srv/hivegate make test
    tail -n 5 "$log"
}

say "a clean Debian 12, and Swift from $(basename "$(dirname "$toolchain")")"
[ -e "$folder/base.complete" ] || timed "debootstrap --variant=minbase bookworm" make_base
rm -rf "$folder/clone"
git clone --quiet --no-hardlinks "file://$project" "$folder/clone"
make_context
echo "         commit $(git -C "$folder/clone" log -1 --format='%h %s')"
for proof in "$@"; do
    say "$proof"
    case $proof in
    image) prove_image ;;
    run) prove_run ;;
    test) prove_test ;;
    *) fail "no such proof: $proof" ;;
    esac
done
say "proved: $*, in $SECONDS s"
