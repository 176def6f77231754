"""Writes a small repository with python-tuf: indented JSON, consistent snapshots, one target.

usage: python_tuf_repo.py FOLDER < JSON
JSON: {"expires": seconds, "image": hexadecimal, "path": target path, "custom": {...}, "roots": number of root versions,
"mixed": keys of all kinds instead of Ed25519, and the target in a delegated role}
"""

import json
import os
import sys
from datetime import datetime, timezone

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.serialization.json import JSONSerializer

INDENTED = JSONSerializer(compact=False)
ROLES = ("root", "timestamp", "snapshot", "targets")
MIXED = {"timestamp": CryptoSigner.generate_ecdsa, "snapshot": CryptoSigner.generate_rsa, "targets": CryptoSigner.generate_ecdsa}


def main(folder: str, order: dict) -> None:
    metadata, targets_folder = os.path.join(folder, "metadata"), os.path.join(folder, "targets")
    os.makedirs(metadata)
    expires = datetime.fromtimestamp(order["expires"], timezone.utc)
    kinds = MIXED if order.get("mixed") else {}
    signers = {role: kinds.get(role, CryptoSigner.generate_ed25519)() for role in ROLES}

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

    targets, meta = Targets(expires=expires, targets={order["path"]: target}), {}
    if order.get("mixed"):
        delegated = CryptoSigner.generate_rsa()
        role = DelegatedRole("app", [], 1, True, ["app/*/*/*"])
        data = write(targets, "1.app.json", delegated)
        meta["app.json"] = MetaFile.from_data(1, data, ["sha256"])
        targets = Targets(expires=expires, delegations=Delegations({}, {"app": role}))
        targets.add_key(delegated.public_key, "app")
    data = write(targets, "1.targets.json", signers["targets"])
    meta["targets.json"] = MetaFile.from_data(1, data, ["sha256"])
    data = write(Snapshot(expires=expires, meta=meta), "1.snapshot.json", signers["snapshot"])
    listed = MetaFile.from_data(1, data, ["sha256"])
    write(Timestamp(expires=expires, snapshot_meta=listed), "timestamp.json", signers["timestamp"])


if __name__ == "__main__":
    main(sys.argv[1], json.load(sys.stdin))
