#!/usr/bin/env bash
# Boots this machine's own systemd as PID 1 of name spaces of its own, so that tests can install services, log users in,
# reboot and pull the plug without touching the machine. Its root is an overlay of "/" whose upper layer lies in memory:
# the machine's programs are there, its files never change, and what is written survives a reboot of the box.
#
#   box.sh can-run                says in a line what is missing, and ends with 1, when no box can run here
#   box.sh up                     boots, and waits until the box runs
#   box.sh exec CMD ARG...        runs CMD in it as root
#   box.sh user NAME CMD ARG...   runs CMD in it as NAME, with the environment of a log-in
#   box.sh reboot                 reboots it in order: another PID 1, the same files
#   box.sh crash                  pulls the plug and boots it again with the same files
#   box.sh down                   powers it off and removes everything
#
# BOX is its folder; BOX_BIND names folders of the machine that are to be in it too, those below /tmp for one.
set -euo pipefail
BOX=${BOX:?BOX names the folder of the box}
id=gateway-box-$(basename "$BOX")
cgroup=/sys/fs/cgroup/unified
[[ -d $cgroup ]] || cgroup=/sys/fs/cgroup
self=$(readlink -f "$0")
path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

can_run() {
    local tool missing=()
    for tool in systemctl loginctl journalctl dbus-daemon ip unshare nsenter setpriv pgrep python3; do
        command -v "$tool" >/dev/null || missing+=("$tool")
    done
    [[ -x /lib/systemd/systemd ]] || missing+=("systemd")
    [[ -e /usr/lib/systemd/user/dbus.socket ]] || missing+=("dbus-user-session")
    compgen -G '/lib/*/security/pam_systemd.so' >/dev/null || missing+=("libpam-systemd")
    if ((${#missing[@]})); then
        echo "not installed: ${missing[*]} (on Debian: apt-get install systemd dbus libpam-systemd dbus-user-session iproute2 procps python3)"
        return 1
    fi
    if [[ $(id -u) != 0 ]]; then
        echo "booting a system takes root"
        return 1
    fi
    if ! unshare --mount --pid --fork --cgroup --uts --ipc --net true 2>/dev/null; then
        echo "name spaces cannot be made here"
        return 1
    fi
    if ! mkdir "$cgroup/$id-try" 2>/dev/null; then
        echo "there is no version 2 control group that may be written"
        return 1
    fi
    rmdir "$cgroup/$id-try"
}

# Is PID 1 of the new name spaces.
inner() {
    local root=$BOX/rw/root name folder
    mount --make-rprivate /
    mount -t overlay box -o "lowerdir=/,upperdir=$BOX/rw/upper,workdir=$BOX/rw/work" "$root"
    mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
    # Each boot is one of its own for the journal.
    cat /proc/sys/kernel/random/uuid >"$BOX/rw/boot_id"
    mount --bind "$BOX/rw/boot_id" "$root/proc/sys/kernel/random/boot_id"
    mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$root/sys"
    mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 "$root/sys/fs/cgroup"
    mount -t tmpfs -o mode=755,nosuid,nodev tmpfs "$root/run"
    mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$root/tmp"
    mount -t tmpfs -o mode=755,nosuid tmpfs "$root/dev"
    for name in null zero full random urandom tty; do
        : >"$root/dev/$name"
        mount --bind "/dev/$name" "$root/dev/$name"
    done
    mkdir "$root/dev/pts" "$root/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
    mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$root/dev/shm"
    ln -s pts/ptmx "$root/dev/ptmx"
    ln -s /proc/self/fd "$root/dev/fd"
    for name in 0:stdin 1:stdout 2:stderr; do
        ln -s "/proc/self/fd/${name%:*}" "$root/dev/${name#*:}"
    done
    for folder in ${BOX_BIND:-}; do
        mkdir -p "$root$folder"
        mount --rbind "$folder" "$root$folder"
    done
    ip link set lo up
    hostname "$id"
    cd "$root"
    mkdir -p .old
    pivot_root . .old
    umount -l /.old
    exec env -i PATH=$path LANG=C.UTF-8 container=box \
        /lib/systemd/systemd --system --unit=multi-user.target --show-status=no --log-target=journal </dev/null
}

# An empty folder that hides the machine's: nothing that other packages enabled may start in the box.
hide() {
    mkdir -p "$1"
    python3 -c 'import os, sys; os.setxattr(sys.argv[1], "trusted.overlay.opaque", b"y")' "$1"
}

# The upper layer, once.
prepare() {
    mkdir -p "$BOX/rw"
    mount -t tmpfs -o size=4g,mode=755 box "$BOX/rw"
    mkdir -p "$BOX"/rw/{upper,work,root} "$BOX/rw/upper/var/log/journal"
    local etc=$BOX/rw/upper/etc folder unit
    mkdir -p "$etc/systemd/system" "$etc/systemd/journald.conf.d" "$etc/systemd/system.conf.d"
    for folder in /etc/systemd/system/*.wants /etc/systemd/system/*.requires; do
        [[ ! -d $folder ]] || hide "$etc/systemd/system/${folder##*/}"
    done
    for unit in 0 1 2 3 4 5 6 S; do hide "$etc/rc$unit.d"; done
    # What makes sense on real hardware only, or would touch what the machine's kernel shares with the box.
    for unit in systemd-sysctl.service systemd-modules-load.service systemd-udevd.service systemd-udev-trigger.service \
        systemd-udevd-kernel.socket systemd-udevd-control.socket systemd-timesyncd.service systemd-networkd.service \
        systemd-binfmt.service proc-sys-fs-binfmt_misc.automount sys-kernel-debug.mount sys-kernel-tracing.mount \
        sys-kernel-config.mount sys-fs-fuse-connections.mount dev-hugepages.mount dev-mqueue.mount \
        systemd-remount-fs.service systemd-random-seed.service getty.target console-getty.service \
        systemd-firstboot.service systemd-pstore.service modprobe@.service; do
        ln -s /dev/null "$etc/systemd/system/$unit"
    done
    printf '[Journal]\nStorage=persistent\nRateLimitBurst=0\nSystemMaxUse=200M\nReadKMsg=no\n' \
        >"$etc/systemd/journald.conf.d/box.conf"
    printf '[Manager]\nDefaultTimeoutStopSec=15s\n' >"$etc/systemd/system.conf.d/box.conf"
    : >"$etc/fstab"
    tr -d - </proc/sys/kernel/random/uuid >"$etc/machine-id"
}

pid1() {
    local pid
    pid=$(cat "$BOX/pid1" 2>/dev/null) && [[ -d /proc/$pid ]] && echo "$pid"
}

# Outside of the box, in the background: boots, boots again after a reboot, ends after a power-off.
supervise() {
    mkdir -p "$cgroup/$id"
    echo $BASHPID >"$cgroup/$id/cgroup.procs"
    while :; do
        unshare --mount --pid --fork --cgroup --uts --ipc --net --kill-child bash "$self" __inner &
        local outer=$! pid='' status=0
        for _ in $(seq 250); do
            pid=$(pgrep -P $outer || true)
            [[ -z $pid ]] || break
            sleep .02
        done
        echo "$pid" >"$BOX/pid1"
        wait $outer || status=$?
        rm -f "$BOX/pid1"
        # 129: the box asked the kernel to restart; it asks for the power to go off by another number.
        [[ $status != 129 ]] || continue
        if [[ -e $BOX/crash ]]; then
            rm -f "$BOX/crash"
            continue
        fi
        break
    done
}

enter() {
    local pid
    pid=$(pid1) || {
        echo "the box does not run" >&2
        return 1
    }
    nsenter -t "$pid" -m -u -i -p -n -C -- env -i PATH=$path LANG=C.UTF-8 TERM=dumb HOME=/root SYSTEMD_PAGER= "$@"
}

ready() {
    local state=
    for _ in $(seq 600); do
        state=$(enter systemctl is-system-running 2>/dev/null || true)
        case $state in running | degraded) return 0 ;; esac
        sleep .1
    done
    echo "the box does not come up ($state)" >&2
    return 1
}

another() {
    local new
    for _ in $(seq 600); do
        new=$(pid1 || true)
        [[ -z $new || $new == "$1" ]] || break
        sleep .1
    done
    ready
}

case ${1:-} in
__inner) inner ;;
__supervise) supervise ;;
can-run) can_run ;;
up)
    [[ -d $BOX/rw/root ]] || prepare
    setsid bash "$self" __supervise >"$BOX/log" 2>&1 </dev/null &
    ready
    ;;
exec)
    shift
    enter "$@"
    ;;
user)
    name=$2
    shift 2
    uid=$(enter id -u "$name")
    home=$(enter getent passwd "$name" | cut -d: -f6)
    enter setpriv --reuid "$name" --regid "$name" --init-groups env HOME="$home" USER="$name" LOGNAME="$name" \
        XDG_RUNTIME_DIR="/run/user/$uid" DBUS_SESSION_BUS_ADDRESS="unix:path=/run/user/$uid/bus" "$@"
    ;;
reboot)
    old=$(pid1)
    enter systemctl reboot || true
    another "$old"
    ;;
crash)
    old=$(pid1)
    : >"$BOX/crash"
    kill -KILL "$old"
    another "$old"
    ;;
down)
    if pid=$(pid1); then
        enter systemctl poweroff 2>/dev/null || true
        for _ in $(seq 300); do
            [[ -d /proc/$pid ]] || break
            sleep .1
        done
        [[ ! -d /proc/$pid ]] || kill -KILL "$pid"
        for _ in $(seq 50); do
            [[ -d /proc/$pid ]] || break
            sleep .1
        done
    fi
    for _ in $(seq 30); do
        umount "$BOX/rw" 2>/dev/null && break
        mountpoint -q "$BOX/rw" || break
        sleep .1
    done
    # The process that watched the box is in the group too, and may not be gone yet.
    for _ in $(seq 50); do
        [[ -d $cgroup/$id ]] || break
        find "$cgroup/$id" -depth -type d -exec rmdir {} + 2>/dev/null || sleep .1
    done
    rm -rf --one-file-system "$BOX"
    ;;
*)
    sed -n '2,17p' "$self"
    exit 2
    ;;
esac
