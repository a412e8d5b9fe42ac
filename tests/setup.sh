#!/usr/bin/env bash
# Installs the foreign clients of the tests below the target folder and prints where they are. Doing it again does
# nothing. Needs Python 3 with venv.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
venv="$here/../target/tests-python"
mkdir -p "$venv"
venv=$(cd "$venv" && pwd)
stamp="$venv/requirements.txt"

# Several tests may ask at once; mkdir succeeds for one of them.
until mkdir "$venv/lock" 2>/dev/null; do
    if [[ -n $(find "$venv/lock" -maxdepth 0 -mmin +10 2>/dev/null) ]]; then
        rmdir "$venv/lock" 2>/dev/null || true
    fi
    sleep 0.2
done
trap 'rmdir "$venv/lock" 2>/dev/null || true' EXIT

if ! cmp -s "$here/requirements.txt" "$stamp"; then
    if ! python3 -m venv "$venv" >&2; then
        echo "the tests need Python 3 with venv (on Debian: apt-get install python3-venv)" >&2
        exit 1
    fi
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt" >&2
    cp "$here/requirements.txt" "$stamp"
fi
echo "$venv"
