#!/bin/sh
# Makes build/venv with the Python tools that serve as witnesses in tests. Safe to run again.
set -eu
cd "$(dirname "$0")/.."
venv=build/venv
python="${PYTHON:-python3}"
if [ ! -x "$venv/bin/python" ]; then
  "$python" -m venv "$venv"
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
  tuf==6.0.0 'securesystemslib[crypto]==1.3.1' cryptography==46.0.3 detools==0.53.0
"$venv/bin/python" -c 'import detools, tuf; print("python-tuf", tuf.__version__, "and detools", detools.__version__, "are ready in build/venv")'
