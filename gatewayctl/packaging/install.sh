#!/bin/sh
# Installs gatewayd from the tar file beside this script, or takes it away again. Needs no root and no network.
set -eu

usage() {
    cat <<'END'
usage: sh install.sh [--prefix DIR] [FILE.tar.gz]    install, or install again
       sh install.sh --uninstall [--prefix DIR]      remove what was installed; state stays

DIR is ~/.local unless given. FILE.tar.gz.sha256 has to lie beside the file.
END
}

fail() {
    echo "install.sh: $1" >&2
    exit 1
}

prefix=
archive=
uninstall=
while [ $# -gt 0 ]; do
    case $1 in
        --prefix)
            [ -n "${2:-}" ] || fail "--prefix wants a folder"
            prefix=$2
            shift
            ;;
        --uninstall) uninstall=yes ;;
        -h | --help)
            usage
            exit
            ;;
        -*) fail "unknown option $1; see --help" ;;
        *) archive=$1 ;;
    esac
    shift
done
: "${prefix:=${HOME:?is not set; give --prefix DIR}/.local}"
case $prefix in /*) ;; *) prefix=$PWD/$prefix ;; esac

# What was installed, by path below the prefix; folders that were made end in a slash.
list=$prefix/share/gatewayd/installed

remove() {
    [ -f "$list" ] || { echo "gatewayd is not installed in $prefix"; exit; }
    # Without its program, the service would be started over and over.
    for unit in "${XDG_CONFIG_HOME:-${HOME:-}/.config}"/systemd/user/*.service /etc/systemd/system/*.service; do
        if [ -f "$unit" ] && grep -qF "$prefix/bin/gatewayd" "$unit"; then
            fail "$unit still runs it; remove the service first: $prefix/bin/gatewayctl uninstall"
        fi
    done
    entries=$(cat "$list")
    echo "$entries" | while read -r entry; do
        case $entry in */) ;; *) rm -f "$prefix/$entry" ;; esac
    done
    rm -f "$list"
    # The deepest first; a folder that others use by now stays.
    echo "$entries" | sort -r | while read -r entry; do
        case $entry in */) rmdir "$prefix/$entry" 2>/dev/null || true ;; esac
    done
    echo "removed gatewayd from $prefix; state in ~/.clawdbot stays"
}

if [ -n "$uninstall" ]; then
    remove
    exit
fi

if [ -z "$archive" ]; then
    set -- "$(dirname "$0")"/gatewayd-*.tar.gz
    [ $# -eq 1 ] || fail "there are several; say which one: sh install.sh FILE.tar.gz"
    archive=$1
fi
[ -f "$archive" ] || fail "$archive is not there"
[ -f "$archive.sha256" ] || fail "$archive.sha256 is not there; without it the file cannot be checked"
if command -v sha256sum >/dev/null; then
    sum=$(sha256sum <"$archive")
else
    sum=$(shasum -a 256 <"$archive")
fi
[ "${sum%% *}" = "$(cut -d' ' -f1 <"$archive.sha256")" ] || fail "$archive is damaged: its checksum is wrong"

made=
if [ ! -d "$prefix" ]; then
    mkdir -p "$prefix"
    made=/
fi
# Inside the prefix, so that each file can be put in place by renaming, under a running gateway too.
new=$(mktemp -d "$prefix/.gatewayd.XXXXXX")
trap 'rm -rf "$new"; [ -z "$made" ] || rmdir "$prefix" 2>/dev/null || true' EXIT
trap 'exit 1' HUP INT TERM
tar -xzf "$archive" -C "$new"
set -- "$new"/*
version=$("$1/bin/gatewayd" --version) || fail "this gatewayd does not run on this machine"

cd "$1"
entries=$made
for folder in $(find . -type d | sort) ./share/gatewayd; do
    folder=${folder#.}
    if [ ! -d "$prefix$folder" ]; then
        mkdir "$prefix$folder"
        entries="$entries ${folder#/}/"
    fi
done
files=$(find . -type f | sed 's|^\./||')
for file in $files; do
    mv -f "$file" "$prefix/$file"
    entries="$entries $file"
done
# Folders made by an earlier installation are remembered; its files that are no longer part of it go.
if [ -f "$list" ]; then
    while read -r entry; do
        case " $entries " in
            *" $entry "*) ;;
            *) case $entry in */) entries="$entries $entry" ;; *) rm -f "$prefix/$entry" ;; esac ;;
        esac
    done <"$list"
fi
# shellcheck disable=SC2086 # one entry a line; no entry has a blank
printf '%s\n' $entries >"$new/installed"
mv -f "$new/installed" "$list"

echo "installed $version in $prefix"
case ":${PATH:-}:" in
    *":$prefix/bin:"*) ctl=gatewayctl ;;
    *)
        ctl=$prefix/bin/gatewayctl
        echo "PATH lacks $prefix/bin; add it: export PATH=\"$prefix/bin:\$PATH\""
        ;;
esac
echo "next: $ctl install (the service), or after an upgrade: $ctl restart"
