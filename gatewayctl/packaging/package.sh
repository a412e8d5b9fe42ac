#!/bin/sh
# Makes what is handed out: a tar file with its checksum and install.sh, a .deb, and the root folder of a container
# image. Linux only; needs binutils and dpkg-deb, no root, no network once the programs are built.
set -eu

usage() {
    echo "usage: package.sh [--profile dist|release] [--binaries DIR] OUT" >&2
    exit 2
}

profile=dist
binaries=
while [ $# -gt 1 ]; do
    case $1 in
        --profile) profile=$2 ;;
        --binaries) binaries=$2 ;;
        *) usage ;;
    esac
    shift 2
done
case ${1:-} in '' | -*) usage ;; esac
out=$1

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
for tool in strip ldd dpkg dpkg-deb; do
    command -v "$tool" >/dev/null || { echo "package.sh: $tool is missing" >&2; exit 1; }
done

if [ -z "$binaries" ]; then
    (cd "$root" && cargo build --locked --profile "$profile" -p gatewayd -p gatewayctl)
    binaries=${CARGO_TARGET_DIR:-$root/target}/$profile
fi
mkdir -p "$out"
out=$(cd "$out" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 022

# The same programs give the same packages, byte for byte.
: "${SOURCE_DATE_EPOCH:=$(stat -c %Y "$binaries/gatewayd")}"
export SOURCE_DATE_EPOCH

# What all packages have in common.
tree=$work/tree
share=$tree/share
mkdir -p "$tree/bin" "$share/man/man1" "$share/bash-completion/completions" "$share/zsh/site-functions" \
    "$share/fish/vendor_completions.d"
for program in gatewayd gatewayctl; do
    strip -o "$tree/bin/$program" "$binaries/$program"
    chmod 755 "$tree/bin/$program"
done
ctl=$tree/bin/gatewayctl
"$tree/bin/gatewayd" --man >"$share/man/man1/gatewayd.1"
"$ctl" man --to "$share/man/man1"
"$ctl" completions bash >"$share/bash-completion/completions/gatewayctl"
"$ctl" completions zsh >"$share/zsh/site-functions/_gatewayctl"
"$ctl" completions fish >"$share/fish/vendor_completions.d/gatewayctl.fish"
version=$("$tree/bin/gatewayd" --version | cut -d' ' -f2)

# The tar file.
name=gatewayd-$version-$(uname -m)-linux
cp -R "$tree" "$work/$name"
tar -C "$work" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -cf - "$name" |
    gzip -n >"$out/$name.tar.gz"
(cd "$out" && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
cp "$here/install.sh" "$out/install.sh"
chmod 755 "$out/install.sh"

# The .deb. Plain dpkg-deb: cargo-deb would build and describe again what lies here already.
deb=$work/deb
doc=$deb/usr/share/doc/gatewayd
mkdir -p "$deb/DEBIAN" "$doc/examples"
cp -R "$tree/bin" "$tree/share" "$deb/usr/"
# Debian's zsh looks here.
mv "$deb/usr/share/zsh/site-functions" "$deb/usr/share/zsh/vendor-completions"
cp "$here/deb/copyright" "$doc/copyright"
maintainer="${DEBFULLNAME:-gatewayd authors} <${DEBEMAIL:-gatewayd@localhost}>"
{
    echo "gatewayd ($version) unstable; urgency=medium"
    echo
    echo "  * Release $version."
    echo
    echo " -- $maintainer  $(date -Ru -d "@$SOURCE_DATE_EPOCH")"
} >"$doc/changelog"
gzip -9n "$doc/changelog" "$deb/usr/share/man/man1/"*
# An example and no unit in a place where systemd looks: the unit that counts is the one that gatewayctl install
# writes, with the profile, the port and the user that were asked for.
env -i HOME=/home/you PATH=/usr/bin:/bin "$deb/usr/bin/gatewayctl" install --dry-run |
    sed -n -e "s|$deb||g" -e 's|/home/you|%h|g' -e 's/^  //p' >"$doc/examples/clawdbot-gateway.service"
grep -q '^ExecStart=/usr/bin/gatewayd ' "$doc/examples/clawdbot-gateway.service"
glibc=$(grep -aohE 'GLIBC_[0-9.]+' "$tree"/bin/* | sort -Vu | tail -n 1)
cat >"$deb/DEBIAN/control" <<END
Package: gatewayd
Version: $version
Architecture: $(dpkg --print-architecture)
Maintainer: $maintainer
Installed-Size: $(du -sk "$deb/usr" | cut -f1)
Depends: libc6 (>= ${glibc#GLIBC_}), libgcc-s1
Section: net
Priority: optional
Description: always-on control plane of a personal AI assistant
 gatewayd serves the clients of the assistant over one WebSocket port, pairs
 their devices and pushes events to them. gatewayctl installs it as a service,
 asks it, configures it and repairs it.
END
(cd "$deb" && find usr -type f -exec md5sum {} + | sort -k 2 >DEBIAN/md5sums)
for script in postinst prerm postrm; do
    cp "$here/deb/$script" "$deb/DEBIAN/$script"
    chmod 755 "$deb/DEBIAN/$script"
done
dpkg-deb --root-owner-group -Zxz -z3 --build "$deb" "$out/gatewayd_${version}_$(dpkg --print-architecture).deb" >/dev/null

# The root folder of the image: the programs, the libraries they ask for, a user without rights, no shell.
image=$out/image
rm -rf "$image"
mkdir -p "$image/usr" "$image/etc" "$image/proc" "$image/tmp" "$image/home/gateway"
cp -R "$tree/bin" "$tree/share" "$image/usr/"
for program in "$tree"/bin/*; do
    ldd "$program" || true # it fails for a static program, which needs nothing
done | grep -oE '/[^ ]+' | grep -v "^$tree" | sort -u | while read -r library; do
    cp -L --parents "$library" "$image"
done
echo 'gateway:x:65532:65532:gateway:/home/gateway:/usr/bin/gatewayd' >"$image/etc/passwd"
echo 'gateway:x:65532:' >"$image/etc/group"
chmod 1777 "$image/tmp"
chmod 700 "$image/home/gateway"
