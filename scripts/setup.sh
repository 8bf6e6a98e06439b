#!/bin/sh
# Makes a virtual environment and installs a lock file and dialogkit into it.
# Usage: sh scripts/setup.sh .venv locks/run.txt
# Works on a bare machine: neither the venv package of the system nor Java is needed.
set -eu
venv=$1
lock=$2

find_python() {
    for name in "${PYTHON:-python3}" python3 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null 2>&1 &&
            "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    echo "dialogkit needs Python 3.11 or newer; none was found." >&2
    exit 1
}

if [ ! -x "$venv/bin/python" ]; then
    python=$(find_python)
    # With pip where this Python can bring it, without where it cannot (Debian's bare python3).
    "$python" -m venv "$venv" >/dev/null 2>&1 || "$python" -m venv --clear --without-pip "$venv"
fi

if "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    pip() { "$venv/bin/python" -m pip "$@"; }
elif command -v pip3 >/dev/null 2>&1; then
    pip() { pip3 --python "$venv/bin/python" "$@"; }
elif command -v pip >/dev/null 2>&1; then
    pip() { command pip --python "$venv/bin/python" "$@"; }
else
    echo "This Python has no pip. Install it (Debian, Ubuntu: apt-get install python3-pip) and try again." >&2
    exit 1
fi

echo "Installing what $lock names into $venv (about half a minute) …" >&2
pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
pip install --quiet --disable-pip-version-check --no-deps --editable .
