"""Reads a repository with python-tuf's client, from one trusted root, and prints the SHA-256 of a target.

usage: python_tuf_witness.py STATE_FOLDER BASE_URL TARGET_PATH [ROOT_FILE]
ROOT_FILE makes a new client; without it the one in STATE_FOLDER goes on from what it trusts.
"""

import hashlib
import os
import sys

from tuf.ngclient import Updater


def main(state: str, base: str, path: str, root: str | None) -> None:
    os.makedirs(os.path.join(state, "targets"), exist_ok=True)
    bootstrap = None
    if root is not None:
        with open(root, "rb") as file:
            bootstrap = file.read()
    updater = Updater(
        metadata_dir=state,
        metadata_base_url=f"{base}/metadata/",
        target_dir=os.path.join(state, "targets"),
        target_base_url=f"{base}/targets/",
        bootstrap=bootstrap,
    )
    updater.refresh()
    info = updater.get_targetinfo(path)
    if info is None:
        sys.exit(f"no target {path}")
    with open(updater.download_target(info), "rb") as file:
        print(hashlib.sha256(file.read()).hexdigest())


if __name__ == "__main__":
    main(*sys.argv[1:4], sys.argv[4] if len(sys.argv) > 4 else None)
