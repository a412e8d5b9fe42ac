#!/usr/bin/env bash
# Puts programs on hosts of a network that exists only for a test.
#
#   host.sh can-run                       says in a line what is missing, and ends with 1, when there can be no network
#   host.sh on NETNS NAME CMD ARG...      runs CMD on a host called NAME in a network namespace
#   host.sh avahi NETNS NAME CMD ARG...   the same, beside a real Avahi with a D-Bus of its own
set -euo pipefail
self=$(readlink -f "$0")

can_run() {
    local tool missing=()
    for tool in ip unshare hostname dbus-daemon avahi-daemon avahi-browse avahi-publish nsd; do
        PATH=$PATH:/usr/sbin:/sbin command -v "$tool" >/dev/null || missing+=("$tool")
    done
    if ((${#missing[@]})); then
        echo "not installed: ${missing[*]} (on Debian: apt-get install iproute2 dbus avahi-daemon avahi-utils nsd)"
        return 1
    fi
    if [[ $(id -u) != 0 ]]; then
        echo "a network of its own takes root"
        return 1
    fi
    # A pair of ends is made and gone with the name space.
    if ! unshare --mount --uts --net ip link add gw-try type veth peer name gw-try2 2>/dev/null; then
        echo "networks cannot be made here"
        return 1
    fi
}

verb=$1
shift
export PATH=$PATH:/usr/sbin:/sbin
case $verb in
can-run) can_run ;;
on)
    ns=$1
    shift
    exec ip netns exec "$ns" unshare --uts bash "$self" named "$@"
    ;;
avahi)
    ns=$1
    shift
    exec ip netns exec "$ns" unshare --uts --mount --pid --fork --kill-child --mount-proc bash "$self" beside-avahi "$@"
    ;;
named)
    hostname "$1"
    shift
    exec "$@"
    ;;
beside-avahi)
    hostname "$1"
    mount -t tmpfs tmpfs /run
    mkdir -p /run/dbus
    printf '[server]\nhost-name=%s\n' "$1" >/run/avahi.conf
    dbus-daemon --system --fork --nopidfile
    avahi-daemon --file /run/avahi.conf --no-chroot --no-drop-root --no-rlimits >/run/avahi.log 2>&1 &
    for _ in $(seq 100); do
        avahi-browse -apt >/dev/null 2>&1 && break
        sleep .1
    done
    shift
    # As PID 1 of the name space: when it ends, Avahi and its bus end too.
    exec "$@"
    ;;
esac
