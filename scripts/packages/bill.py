"""The bill of materials: what is linked into a binary, and what ran to make it, as CycloneDX 1.6."""

import datetime
import hashlib
import json
import os
import re
import subprocess
import sys
import tomllib
import uuid

SPEC = "1.6"
REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"
# 2026-01-01, for a tarball of the source, which has no history.
NO_HISTORY = 1_767_225_600


def cargo(root, *words):
    """What cargo prints; first without the network, so that it says the same on a train."""
    for more in (["--offline"], []):
        done = subprocess.run(["cargo", *words, "--locked", *more], cwd=root, capture_output=True, text=True)
        if done.returncode == 0:
            return done.stdout
    sys.exit(f"scripts/sbom: cargo {' '.join(words)}: {done.stderr.strip()[-600:]}")


def moment(root):
    """Seconds since 1970 that a release and its bill are dated by."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    asked = subprocess.run(["git", "-C", root, "log", "-1", "--format=%ct"], capture_output=True, text=True)
    return int(asked.stdout) if asked.returncode == 0 else NO_HISTORY


def compiler(fact):
    """What rustc says of itself: `release`, `host`."""
    asked = subprocess.run([os.environ.get("RUSTC") or "rustc", "-vV"], capture_output=True, text=True, check=True)
    return re.search(rf"^{fact}: (\S+)", asked.stdout, re.M)[1]


def named(tree):
    """Names and versions of a `cargo tree` without its branches."""
    found = set()
    for line in tree.splitlines():
        # `russh v0.65.1 (*)`, `routeros-mcp v0.1.0 (/some/where)`, `serde_derive v1.0.1 (proc-macro)`
        if words := re.match(r"(\S+) v(\S+)", line):
            found.add((words[1], words[2]))
    return found


def graph(root, target, features):
    """(packages by id, their resolved nodes, what is linked, what is needed at all), without what only tests use.

    `cargo metadata` mixes the features of tests, tools and the binary; `cargo tree` tells what really is built.
    """
    # Macros and build scripts are built for the machine that builds.
    platforms = [f"--filter-platform={each}" for each in dict.fromkeys([target, compiler("host")])]
    facts = json.loads(cargo(root, "metadata", "--format-version=1", *platforms, *features))
    tree = ["tree", "--prefix=none", f"--target={target}", *features]
    linked = named(cargo(root, *tree, "--edges=normal,no-proc-macro"))
    needed = named(cargo(root, *tree, "--edges=normal,build"))
    packages = {each["id"]: each for each in facts["packages"] if (each["name"], each["version"]) in needed}
    nodes = {each["id"]: each for each in facts["resolve"]["nodes"] if each["id"] in packages}
    assert len(packages) == len(needed), "two crates of one name and version: from different places?"
    return packages, nodes, linked, facts["resolve"]["root"]


def purl(package):
    return f"pkg:cargo/{package['name']}@{package['version'].replace('+', '%2B')}"


def licence(package):
    """CycloneDX takes SPDX expressions; `/` is the old spelling of OR."""
    if not package["license"]:
        return []
    expression = re.sub(r"\s*/\s*", " OR ", package["license"])
    return [{"expression": expression}] if " " in expression else [{"license": {"id": expression}}]


def component(package, checksums, linked):
    """One crate."""
    one = {"type": "library", "bom-ref": purl(package), "name": package["name"], "version": package["version"]}
    one["scope"] = "required" if (package["name"], package["version"]) in linked else "excluded"
    if digest := checksums.get((package["name"], package["version"])):
        one["hashes"] = [{"alg": "SHA-256", "content": digest}]
    if found := licence(package):
        one["licenses"] = found
    one["purl"] = purl(package)
    if re.fullmatch(r"https://\S+", package["repository"] or ""):
        one["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return one


def beside(root, target):
    """What is linked and is no crate: Rust's std and, from `ziglang`, musl."""
    release = compiler("release")
    setup = (root / "cross/setup").read_text()
    musl = re.search(r"whose musl \(([0-9.]+)\)", setup)[1]
    parts = [("rust-std", release, "Apache-2.0 OR MIT", f"pkg:generic/rust-std@{release}")]
    if "musl" in target:
        parts.append(("musl", musl, "MIT", f"pkg:generic/musl@{musl}"))
    for name, version, terms, at in parts:
        yield {
            "type": "library",
            "bom-ref": at,
            "name": name,
            "version": version,
            "scope": "required",
            "licenses": [{"expression": terms}] if " " in terms else [{"license": {"id": terms}}],
            "purl": at,
        }


def of(root, target, features=(), binary=None):
    """The whole document."""
    packages, nodes, linked, top = graph(root, target, features)
    locked = tomllib.loads((root / "Cargo.lock").read_text())["package"]
    checksums = {(each["name"], each["version"]): each["checksum"] for each in locked if each.get("source") == REGISTRY}
    crates = sorted((each for each in packages.values() if each["id"] != top), key=purl)
    extra = list(beside(root, target))
    us = packages[top]
    subject = {"type": "application", "bom-ref": purl(us), "name": us["name"], "version": us["version"], "description": us["description"]}
    if binary:
        subject["hashes"] = [{"alg": "SHA-256", "content": hashlib.sha256(binary.read_bytes()).hexdigest()}]
    subject |= {"licenses": licence(us), "purl": purl(us)}
    subject["properties"] = [
        {"name": "routeros-mcp:target", "value": target},
        {"name": "routeros-mcp:features", "value": " ".join(sorted(nodes[top]["features"])) or "none"},
    ]
    dependencies = []
    for package in [us, *crates]:
        below = {purl(packages[each]) for each in nodes[package["id"]]["dependencies"] if each in packages}
        if package is us:
            below |= {each["bom-ref"] for each in extra}
        dependencies.append({"ref": purl(package), "dependsOn": sorted(below)})
    dependencies += [{"ref": each["bom-ref"], "dependsOn": []} for each in extra]
    dated = datetime.datetime.fromtimestamp(moment(root), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    document = {
        "$schema": f"http://cyclonedx.org/schema/bom-{SPEC}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPEC,
        "serialNumber": "",
        "version": 1,
        "metadata": {
            "timestamp": dated,
            "lifecycles": [{"phase": "build"}],
            "tools": {"components": [{"type": "application", "name": "scripts/sbom", "version": us["version"]}]},
            "component": subject,
        },
        "components": [component(each, checksums, linked) for each in crates] + extra,
        "dependencies": dependencies,
    }
    # The same contents have the same number: it is a name made of them.
    document["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(document, sort_keys=True))}"
    return document


def write(root, target, out, features=(), binary=None):
    document = of(root, target, features, binary)
    file = out / f"routeros-mcp-{document['metadata']['component']['version']}-{target}.cdx.json"
    file.write_text(json.dumps(document, indent=1) + "\n")
    return file
