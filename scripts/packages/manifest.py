"""latest.json, which a release is signed by (src/update/manifest.rs reads it), and checksums."""

import datetime
import hashlib
import json
import re

# After so long there is probably a newer release.
STALE_AFTER = datetime.timedelta(days=92)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write(root, version, channel, seq, made, binaries, out, epoch):
    schema = int(re.search(r"pub const SCHEMA: u32 = (\d+);", (root / "src/store/migrate.rs").read_text())[1])
    released = datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc)
    artifacts = []
    for target, kind, file in made:
        if kind not in ("deb", "tar", "ipk", "apk", "sbom"):
            continue
        size = binaries[target].stat().st_size if kind == "tar" else 0
        entry = {"target": target, "kind": kind, "url": file.name, "size": file.stat().st_size}
        artifacts.append(entry | {"unpacked_size": size, "sha256": digest(file)})
    head = {
        "format": 1,
        "product": "routeros-mcp",
        "channel": channel,
        "seq": seq,
        "version": version,
        "released": rfc3339(released),
        "stale_after": rfc3339(released + STALE_AFTER),
        "severity": "feature",
        "notes_url": None,
        "notes": None,
        "min_from_version": "0.1.0",
        "schema": {"store": schema, "store_min_readable": max(1, schema - 1), "config": 1},
        "artifacts": artifacts,
    }
    (out / "latest.json").write_text(json.dumps(head, indent=1) + "\n")


def rfc3339(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def checksums(files, path):
    named = sorted(files, key=lambda file: file.name)
    path.write_text("".join(f"{digest(file)}  {file.name}\n" for file in named))
