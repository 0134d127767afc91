#!/usr/bin/env bash
# Make .venv/ in this checkout: torch first, then the whole lock, then ilk itself (editable).
#
# The stamp holds a hash of what the environment was made from, and is written last: a run that was
# interrupted leaves none, so the next one does it again; a run with nothing to do ends at once.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

VENV=.venv
STAMP=$VENV/.ilk-installed
NEEDS='import sys; sys.exit(sys.version_info < (3, 11))'

want=$({ cat requirements.lock pyproject.toml; pwd; } | cksum)
if [[ -x $VENV/bin/python && -f $STAMP && "$(<"$STAMP")" == "$want" ]]; then
    exit 0
fi

find_python() {
    local name
    for name in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if command -v "$name" >/dev/null && "$name" -c "$NEEDS" 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    echo "ilk needs Python 3.11 or newer, and ${PYTHON:-python3} is $(${PYTHON:-python3} --version 2>&1 || true):" \
        "install a newer one, or name it with \`make install PYTHON=/path/to/python3.12\`." >&2
    exit 3
}

rm -f "$STAMP"
if ! "$VENV/bin/python" -c "$NEEDS" 2>/dev/null || ! "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
    python=$(find_python)
    echo "install: a new environment in $VENV/ ($("$python" --version))"
    "$python" -m venv --clear "$VENV"
fi

pip() {
    "$VENV/bin/python" -m pip --disable-pip-version-check "$@"
}

torch=$(grep '^torch==' requirements.lock)
echo "install: $torch, then $(grep -c '==' requirements.lock) pinned packages"
# shellcheck disable=SC2086  # TORCH_ARGS is a list of words
pip install --quiet --constraint requirements.lock ${TORCH_ARGS:-} "$torch"
pip install --quiet --requirement requirements.lock
pip install --quiet --no-deps --no-build-isolation --editable .
pip check
echo "$want" >"$STAMP"
echo "install: done; $VENV/bin/ilk --help"
