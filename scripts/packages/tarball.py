"""The .tar.gz that scripts/install.sh and self-update take: one directory, files only, one of them called routeros-mcp."""

from .tree import Entry, archive, gzipped, plain

COMPLETIONS = ["bash", "zsh", "fish"]


def write(release, out):
    top = f"routeros-mcp-{plain(release.version)}"
    files = [
        Entry("routeros-mcp", release.executable, 0o755),
        Entry("README.md", release.read("README.md")),
        Entry("config.example.toml", release.read("assets/config.toml")),
        Entry("routeros-mcp.1", release.say("man")),
        # Nothing but the binary may have its name: whoever unpacks this looks for that.
        *[Entry(f"completions/routeros-mcp.{shell}", release.say("completions", shell)) for shell in COMPLETIONS],
        *[Entry(licence, release.read(f"assets/{licence}")) for licence in ("LICENSE-APACHE", "LICENSE-MIT")],
        *[Entry(f"systemd/{name}", unit) for name, unit in release.units(with_self_update=True)],
        *[Entry(f"systemd/{name}", release.read(f"systemd/{name}")) for name in ("sysusers.conf", "tmpfiles.conf", "config.toml")],
        Entry("systemd/routeros-mcp-guard", release.read("systemd/routeros-mcp-guard"), 0o755),
    ]
    entries = [Entry(f"{top}/{file.path}", file.content, file.mode) for file in files]
    path = out / f"{top}-{release.target}.tar.gz"
    path.write_bytes(gzipped(archive(entries, release.epoch)))
    return path
