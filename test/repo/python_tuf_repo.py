"""Writes a small repository with python-tuf: indented JSON, consistent snapshots, Ed25519 keys, one target.

usage: python_tuf_repo.py FOLDER < JSON
JSON: {"expires": seconds, "image": hexadecimal, "path": target path, "custom": {...}, "roots": number of root versions}
"""

import json
import os
import sys
from datetime import datetime, timezone

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization.json import JSONSerializer

INDENTED = JSONSerializer(compact=False)
ROLES = ("root", "timestamp", "snapshot", "targets")


def main(folder: str, order: dict) -> None:
    metadata, targets_folder = os.path.join(folder, "metadata"), os.path.join(folder, "targets")
    os.makedirs(metadata)
    expires = datetime.fromtimestamp(order["expires"], timezone.utc)
    signers = {role: CryptoSigner.generate_ed25519() for role in ROLES}

    image = bytes.fromhex(order["image"])
    target = TargetFile.from_data(order["path"], image, ["sha256"])
    target.unrecognized_fields["custom"] = order["custom"]
    name = f"{target.hashes['sha256']}.{os.path.basename(order['path'])}"
    directory = os.path.join(targets_folder, os.path.dirname(order["path"]))
    os.makedirs(directory)
    with open(os.path.join(directory, name), "wb") as out:
        out.write(image)

    def write(signed, name: str, *keys) -> bytes:
        envelope = Metadata(signed)
        for key in keys:
            envelope.sign(key, append=True)
        data = envelope.to_bytes(INDENTED)
        with open(os.path.join(metadata, name), "wb") as out:
            out.write(data)
        return data

    root = Root(expires=expires, consistent_snapshot=True)
    for role, signer in signers.items():
        root.add_key(signer.public_key, role)
    write(root, "1.root.json", signers["root"])
    for version in range(2, order.get("roots", 1) + 1):
        old, signers["root"] = signers["root"], CryptoSigner.generate_ed25519()
        root.version = version
        root.revoke_key(old.public_key.keyid, "root")
        root.add_key(signers["root"].public_key, "root")
        write(root, f"{version}.root.json", old, signers["root"])

    data = write(Targets(expires=expires, targets={order["path"]: target}), "1.targets.json", signers["targets"])
    listed = MetaFile.from_data(1, data, ["sha256"])
    data = write(Snapshot(expires=expires, meta={"targets.json": listed}), "1.snapshot.json", signers["snapshot"])
    listed = MetaFile.from_data(1, data, ["sha256"])
    write(Timestamp(expires=expires, snapshot_meta=listed), "timestamp.json", signers["timestamp"])


if __name__ == "__main__":
    main(sys.argv[1], json.load(sys.stdin))
