#!/usr/bin/env bash
# Installs the foreign clients of the tests: Python packages below the target folder, whose place it prints, and Node
# packages beside this file. Doing it again does nothing.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
venv="$here/../target/tests-python"
mkdir -p "$venv"
venv=$(cd "$venv" && pwd)

missing() {
    echo "the tests need Python 3 with venv, and Node.js with npm (on Debian: apt-get install python3-venv nodejs npm)" >&2
    exit 1
}

# Several tests may ask at once; mkdir succeeds for one of them. A lock of ten minutes was left by a crash.
until mkdir "$venv/lock" 2>/dev/null; do
    if [[ -n $(find "$venv/lock" -maxdepth 0 -mmin +10 2>/dev/null) ]]; then
        rmdir "$venv/lock" 2>/dev/null || true
    fi
    sleep 0.2
done
trap 'rmdir "$venv/lock" 2>/dev/null || true' EXIT

if ! cmp -s "$here/requirements.txt" "$venv/requirements.txt"; then
    command -v python3 >/dev/null && python3 -m venv "$venv" >&2 || missing
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt" >&2
    cp "$here/requirements.txt" "$venv/requirements.txt"
fi
if ! cmp -s "$here/package-lock.json" "$here/node_modules/installed.json"; then
    command -v npm >/dev/null || missing
    (cd "$here" && npm ci --ignore-scripts --no-audit --no-fund >&2)
    cp "$here/package-lock.json" "$here/node_modules/installed.json"
fi
echo "$venv"
