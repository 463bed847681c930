"""A container image in OCI's layout, written without an engine: the binary, a user that is not root, and its directories.

`podman load -i FILE`, `docker load -i FILE` (25 and newer), `skopeo copy oci-archive:FILE docker://…`.

Source: <https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md>
"""

import datetime
import hashlib
import json

from .tree import Entry, archive, gzipped, plain

# Nobody on any host, as other images without a distribution have it.
UID = 65532
TYPE = "application/vnd.oci.image"


def write(release, platform, out):
    blobs = {}

    def blob(data, kind):
        digest = hashlib.sha256(data).hexdigest()
        blobs[digest] = data
        return {"mediaType": f"{TYPE}.{kind}", "digest": f"sha256:{digest}", "size": len(data)}

    layer = archive(root(release), release.epoch)
    created = datetime.datetime.fromtimestamp(release.epoch, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    architecture, variant = platform
    where = {"architecture": architecture, "os": "linux"} | ({"variant": variant} if variant else {})
    config = where | {
        "created": created,
        "config": settings(release),
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        "history": [{"created": created, "created_by": "scripts/package"}],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{TYPE}.manifest.v1+json",
        "config": blob(compact(config), "config.v1+json"),
        "layers": [blob(gzipped(layer), "layer.v1.tar+gzip")],
    }
    name = blob(compact(manifest), "manifest.v1+json")
    tag = {"org.opencontainers.image.ref.name": release.version, "io.containerd.image.name": f"routeros-mcp:{release.version}"}
    index = {"schemaVersion": 2, "mediaType": f"{TYPE}.index.v1+json", "manifests": [name | {"platform": where, "annotations": tag}]}
    files = [
        Entry("oci-layout", compact({"imageLayoutVersion": "1.0.0"})),
        Entry("index.json", compact(index)),
        *[Entry(f"blobs/sha256/{digest}", data) for digest, data in sorted(blobs.items())],
    ]
    path = out / f"routeros-mcp-{plain(release.version)}-{release.target}.oci.tar"
    path.write_bytes(archive(files, release.epoch, prefix=""))
    return path


def root(release):
    """The whole file system."""
    return [
        Entry("usr/bin/routeros-mcp", release.executable, 0o755),
        Entry("etc/passwd", f"root:x:0:0::/:/none\nrouteros-mcp:x:{UID}:{UID}::/var/lib/routeros-mcp:/none\n".encode()),
        Entry("etc/group", f"root:x:0:\nrouteros-mcp:x:{UID}:\n".encode()),
        Entry("etc/routeros-mcp", None, 0o755),
        Entry("var/lib/routeros-mcp", None, 0o700, UID),
        Entry("run/routeros-mcp", None, 0o750, UID),
        Entry("tmp", None, 0o1777),
    ]


def settings(release):
    """How it runs unless told otherwise: outside of the container it can be reached, so never without TLS."""
    return {
        "User": f"{UID}:{UID}",
        "Entrypoint": ["/usr/bin/routeros-mcp"],
        "Cmd": ["serve"],
        "WorkingDir": "/var/lib/routeros-mcp",
        "Env": [
            "PATH=/usr/bin",
            "STATE_DIRECTORY=/var/lib/routeros-mcp",
            "RUNTIME_DIRECTORY=/run/routeros-mcp",
            "ROUTEROS_MCP_LOG_TARGET=stderr",
            "ROUTEROS_MCP_MCP_TRANSPORT=both",
            "ROUTEROS_MCP_MCP_HTTP_HOST=0.0.0.0",
            "ROUTEROS_MCP_MCP_HTTP_PORT=8443",
            "ROUTEROS_MCP_HTTP_TLS=self-signed",
        ],
        "ExposedPorts": {"8443/tcp": {}},
        "Volumes": {"/var/lib/routeros-mcp": {}},
        "StopSignal": "SIGTERM",
        # Docker's own; OCI leaves room for it. No shell and no curl in here: the binary asks itself. Times in nanoseconds.
        "Healthcheck": {"Test": ["CMD", "/usr/bin/routeros-mcp", "health"], "Interval": 30 * 10**9, "Timeout": 5 * 10**9, "StartPeriod": 60 * 10**9, "Retries": 3},
        "Labels": {
            "org.opencontainers.image.title": "routeros-mcp",
            "org.opencontainers.image.version": release.version,
            "org.opencontainers.image.licenses": "MIT OR Apache-2.0",
        },
    }


def compact(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
