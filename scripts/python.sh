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
  tuf==6.0.0 'securesystemslib[crypto]==1.3.1' cryptography==46.0.3 detools==0.53.0 \
  imgtool==2.5.0 esptool==5.6.0 esp-idf-defs==0.1.7
"$venv/bin/python" -c 'import detools, esp_idf_defs, esptool, imgtool, tuf; print("python-tuf", tuf.__version__, "detools", detools.__version__, "esptool", esptool.__version__, "and imgtool are ready in build/venv")'
