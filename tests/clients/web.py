"""A daemon that is reached over HTTPS, for the drivers `http_*`: its address, its certificate as a file, and tokens of
several kinds. Standard library only.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import ssl
import sys
import time
from pathlib import Path

import rig

sys.path.insert(0, str(rig.ROOT / "scripts"))

from peers import Slow  # noqa: E402

# Each answer of the slow device comes so late: what runs there can be taken back. Seconds.
LATE = 0.4

SETTINGS = {
    "ROUTEROS_MCP_HTTP_TLS": "self-signed",
    "ROUTEROS_MCP_MCP_TRANSPORT": "both",
    "ROUTEROS_MCP_MCP_HTTP_PORT": "0",
    "ROUTEROS_MCP_RATE_LIMIT_ENABLED": "false",
    "ROUTEROS_MCP_SSE_UPDATE_BATCH_INTERVAL_SECONDS": "0.1",
    # Nothing but what the drivers ask for: who counts changes should see no others.
    "ROUTEROS_MCP_HEALTH_CHECK_ENABLED": "false",
    "ROUTEROS_MCP_SNAPSHOT_ENABLED": "false",
}


def certificate(url: str, printed: str, file: Path) -> None:
    """Writes the certificate at `url` to a file, after comparing its fingerprint with the one the daemon printed."""
    host, port = url.removeprefix("https://").split("/")[0].rsplit(":", 1)
    pem = ssl.get_server_certificate((host, int(port)), timeout=rig.ANSWER)
    shown = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
    rig.expect(f"certificate sha256:{shown}" in printed, f"the certificate {shown} is not the one of: {rig.short(printed)}")
    file.write_text(pem)


def token(data_dir: Path, name: str, role: str, *more: str) -> str:
    return rig.cli(data_dir, "token", "create", "--name", name, "--role", role, *more).json()["token"]


@contextlib.contextmanager
def daemon(place: Path, routers: list[dict]):
    """Yields what a driver needs, as plain data: two devices, the second of which answers late."""
    data_dir, quick, slow = place / "web", routers[0], Slow(routers[1], LATE)
    try:
        with rig.serve(data_dir, {**os.environ, **SETTINGS}) as ready:
            devices = []
            for router in (quick, slow.seen_as):
                added = rig.cli(data_dir, *rig.add_args(router, router["name"], place)).json()
                devices.append({"id": added["id"], "name": added["name"]})
            file = place / "certificate.pem"
            certificate(ready["http"], rig.serve_log(data_dir).read_text(), file)
            tokens = {
                "reader": token(data_dir, "reader", "read_only"),
                "ops": token(data_dir, "ops", "ops_rw"),
                "expired": token(data_dir, "expired", "admin", "--expires", "1s"),
                "revoked": token(data_dir, "revoked", "admin"),
                "unknown": "rmcp_" + "A" * 43,
            }
            rig.cli(data_dir, "token", "revoke", "revoked").json()
            time.sleep(1.1)
            yield {"url": ready["http"] + "/mcp", "certificate": str(file), "tokens": tokens, "data_dir": str(data_dir), "devices": devices}
    finally:
        slow.close()


# What every driver claims of a token that is not good.
BAD = ("expired", "revoked", "unknown")
# A measurement on the slow device that takes long enough to be taken back: ten pieces.
LONG_PING = {"address": "192.0.2.7", "count": 20}
# Once it was taken back, the next one must find its place free within this. Seconds: a piece, and other work.
FREE = 2.5
