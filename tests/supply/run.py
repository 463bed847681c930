#!/usr/bin/env python3
"""The supply chain: licences, bans, sources and advisories by cargo-deny, the bill of materials, secrets in the tree and its history.

python3 -B tests/supply/run.py --tools TARGET/clients/pysupply [BINARY]

Ends with the line `supply: N passed, 0 failed`; what could not be had is named ABSENT.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
# The bill is made for each of these.
TARGETS = ("x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl", "armv7-unknown-linux-musleabihf")
# Put together here, so that no file of this tree holds one.
PLANTS = {
    "private-key": "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7bq8Kx0Yw3J1k9\n-----END RSA PRIVATE KEY-----",
    "minisign-key": "RWQAAE" + "IyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "age-key": "AGE-SECRET" + "-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ",
    "own-token": "rmcp" + "_K3xF9w2Qm7vB1nZ8pL5tR0yUaHsDgJcEoIiXkWqMfVb",
    "aws-key": "AKIA" + "QZ7XJ4N2M8KD5V3T",
    "github-token": "ghp" + "_q8Zr3Lk0Vw7Xn2Ty5Bm9Cd4Fg6Hj1Ks3Pa8Q",
    "gitlab-token": "glpat" + "-q8Zr3Lk0Vw7Xn2Ty5Bm9",
    "google-key": "AIza" + "SyQ8Zr3Lk0Vw7Xn2Ty5Bm9Cd4Fg6Hj1Ks3P",
    "registry-token": "npm" + "_q8Zr3Lk0Vw7Xn2Ty5Bm9Cd4Fg6Hj1Ks3Pa8Q",
    "slack-token": "hooks.slack" + ".com/services/T0A1B2C3D/B4E5F6G7H/aZ9bY8cX7dW6eV5fU4gT3hS2",
    "model-key": "sk-ant" + "-api03-q8Zr3Lk0Vw7Xn2Ty5Bm9Cd4Fg6Hj1Ks3",
    "jwt": "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0NTY3ODkwIn0.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV",
    "address-with-password": "https://admin" + ":Tr0ub4dor3@router.example/",
    "assigned": 'router_password = "' + 'v9K#mQ2x!Lp7Zt4Rw8Nb"',
}

passed, failed, absent = 0, 0, []


def check(claim, of, *arguments):
    """Runs one check. Its name is what it claims; what it returns was measured."""
    global passed, failed
    began = time.monotonic()
    try:
        measured = of(*arguments)
    except Exception as error:  # noqa: BLE001 - whatever it was, the others still run
        failed += 1
        print(f"FAIL  {claim}: {error or type(error).__name__}", flush=True)
        return
    passed += 1
    print(f"ok    {claim}{f': {measured}' if measured is not None else ''} ({time.monotonic() - began:.1f} s)", flush=True)


def is_absent(what, why):
    absent.append(what)
    print(f"ABSENT  {what}: {why}", flush=True)


def run(*words, code=0, cwd=ROOT):
    done = subprocess.run([str(word) for word in words], cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)
    said = done.stdout.decode(errors="replace")
    assert done.returncode == code, f"{' '.join(map(str, words))[:200]}: exit code {done.returncode}\n{said[-3000:]}"
    return said


# --- cargo-deny --------------------------------------------------------------------------------------


def denied(deny, what, cwd=ROOT, config=ROOT / ".cargo/deny.toml"):
    """Its report of one check, without the pictures of who brings what."""
    words = [deny, "--format", "json", "--config", config, "check", "--hide-inclusion-graph", "--show-stats", what]
    done = subprocess.run([str(word) for word in words], cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    said = [json.loads(line) for line in (done.stdout + done.stderr).splitlines() if line.startswith("{")]
    return done.returncode, said


def deny_passes(deny, what):
    code, said = denied(deny, what)
    wrong = [each["fields"]["message"] for each in said if each["type"] == "diagnostic" and each["fields"]["severity"] == "error"]
    assert code == 0 and not wrong, "; ".join(wrong)[:2000] or f"exit code {code}: {said[-1:]}"
    counts = next(each["fields"] for each in said if each["type"] == "summary")[what]
    return ", ".join(f"{counts[name]} {name}" for name in ("errors", "warnings", "notes"))


def deny_refuses(deny):
    """A list that finds nothing proves nothing: the same file with one crate more that we do use, and one licence less."""
    text = (ROOT / ".cargo/deny.toml").read_text()
    with tempfile.TemporaryDirectory() as scratch:
        config = Path(scratch) / "deny.toml"
        for what, changed in [
            ("bans", text.replace('{ crate = "native-tls"', '{ crate = "russh"')),
            ("licenses", text.replace('    "ISC",\n', "")),
        ]:
            assert changed != text
            config.write_text(changed)
            code, said = denied(deny, what, config=config)
            assert code != 0 and any(each["fields"].get("severity") == "error" for each in said if each["type"] == "diagnostic"), f"{what}: passed"


def advisories(deny):
    code, said = denied(deny, "advisories")
    if not any(each["type"] == "summary" for each in said):
        why = next((each["fields"]["message"] for each in said if each["type"] == "log"), "it says nothing").splitlines()[0][:160]
        is_absent("advisories", f"their database cannot be fetched here: {why}")
        return
    check("deny: no advisory is open but those with a reason", deny_passes, deny, "advisories")


# --- the bill of materials ---------------------------------------------------------------------------


def bill(out, target, *words):
    run(ROOT / "scripts/sbom", "--out", out, *words, target)
    (file,) = out.glob(f"*{target}.cdx.json")
    return file


def well_shaped(file):
    """What the schema asks for and readers rely on, without the schema."""
    said = json.loads(file.read_text())
    assert (said["bomFormat"], said["specVersion"], said["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", said["serialNumber"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", said["metadata"]["timestamp"])
    refs = [each["bom-ref"] for each in said["components"]] + [said["metadata"]["component"]["bom-ref"]]
    assert len(refs) == len(set(refs)), "a name twice"
    for each in said["components"]:
        assert each["type"] == "library" and each["purl"].startswith("pkg:") and each["licenses"], each["name"]
        assert each["purl"].startswith("pkg:generic/") or re.fullmatch("[0-9a-f]{64}", each["hashes"][0]["content"]), f"{each['name']} has no digest"
    edges = {each["ref"]: each["dependsOn"] for each in said["dependencies"]}
    assert set(edges) == set(refs), "who needs what is not told for everyone"
    assert all(below in edges for needs in edges.values() for below in needs), "an edge leads nowhere"
    reached, left = set(), [said["metadata"]["component"]["bom-ref"]]
    while left:
        if (ref := left.pop()) not in reached:
            reached.add(ref)
            left += edges[ref]
    assert reached == set(refs), f"nobody needs {sorted(set(refs) - reached)[:5]}"
    linked = sum(each["scope"] == "required" for each in said["components"])
    assert linked > 200
    return f"{linked} linked, {len(refs) - 1 - linked} only to build"


def by_the_schema(python, file):
    """CycloneDX's own schema, in its strict form."""
    code = (
        "import sys; from cyclonedx.validation.json import JsonStrictValidator; from cyclonedx.schema import SchemaVersion; "
        "wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read()); print(wrong or 'valid'); sys.exit(bool(wrong))"
    )
    run(python, "-c", code, file)
    broken = file.with_suffix(".broken")
    broken.write_text(file.read_text().replace('"type": "library"', '"type": "book"', 1))
    run(python, "-c", code, broken, code=1)
    broken.unlink()


def same_bytes(file, out):
    again = bill(out, TARGETS[0])
    assert again.read_bytes() == file.read_bytes(), "differs"


def without_simulator(file, out):
    """The features that a binary is built with are said, and tests' crates are in no bill."""
    lean = json.loads(bill(out, TARGETS[0], "--no-default-features").read_text())
    full = json.loads(file.read_text())
    says = [next(each["value"] for each in said["metadata"]["component"]["properties"] if each["name"].endswith("features")) for said in (full, lean)]
    assert says == ["default sim", "none"], says
    names = {each["name"] for each in full["components"]}
    assert {"rustls", "ring", "russh", "musl", "rust-std"} <= names and not names & {"proptest", "jsonschema"}


def names_all_of(file, binary):
    """Every crate that a panic of the binary would name is in its bill, as linked."""
    scopes = {f"{each['name']}-{each['version']}": each["scope"] for each in json.loads(file.read_text())["components"]}
    places = re.findall(rb"(?:/crates|index\.crates\.io-[0-9a-f]+)/([A-Za-z0-9_+.-]+?)/src", binary.read_bytes())
    named = {place.decode() for place in places}
    assert len(named) > 50, f"only {len(named)} crates found in the binary"
    missing = sorted(name for name in named if scopes.get(name) != "required")
    assert not missing, f"not in the bill: {missing}"
    return f"{len(named)} crates"


# --- secrets -----------------------------------------------------------------------------------------


def scan(tree, code=0, *words):
    return run(ROOT / "scripts/secrets-scan", "--tree", tree, *words, code=code)


def repository(at, text, name="notes.txt"):
    at.mkdir()
    (at / name).write_text(text)
    git(at, "init", "-q")
    git(at, "add", ".")
    git(at, "commit", "-q", "-m", "first")
    return at


def git(at, *words):
    run("git", "-c", "user.name=t", "-c", "user.email=t@example", *words, cwd=at)


def finds_planted(work):
    rules = set(re.findall(r'^    "([a-z-]+)": r"', (ROOT / "scripts" / "secrets-scan").read_text(), re.MULTILINE)) | {"assigned"}
    assert set(PLANTS) == rules, f"not planted: {sorted(rules - set(PLANTS))}"
    for rule, plant in PLANTS.items():
        said = scan(repository(work / rule, f"a line\n{plant}\n"), 1)
        assert f"notes.txt:2: {rule} " in said, f"{rule}: {said}"
        assert plant.splitlines()[-1][-12:] not in said, f"{rule}: the finding tells the secret"
    return f"{len(PLANTS)} kinds"


def finds_in_history(work):
    """Taken out again is still told to everybody who clones."""
    at = repository(work / "history", PLANTS["own-token"])
    (at / "notes.txt").write_text("nothing here\n")
    git(at, "commit", "-q", "-a", "-m", "oops")
    assert "in the history: notes.txt:1: own-token " in scan(at, 1)
    scan(at, 0, "--no-history")


def takes_examples(work):
    text = 'password = "change-me-please-now"\nurl = "https://user:PASSWORD@example.com"\npassword = "${ROUTER_PASSWORD}"\n'
    scan(repository(work / "examples", text), 0)


def stale_entry(work):
    at = repository(work / "stale", "nothing\n")
    (at / "scripts").mkdir()
    (at / "scripts/secrets.toml").write_text('[[allow]]\nrule = "jwt"\ndigest = "0123456789abcdef"\nreason = "was in a test long ago"\n')
    git(at, "add", ".")
    git(at, "commit", "-q", "-m", "list")
    assert "fits nothing: jwt" in scan(at, 1)


# -----------------------------------------------------------------------------------------------------


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tools", type=Path, required=True)
    parser.add_argument("binary", nargs="?", type=Path)
    args = parser.parse_args()
    deny = next((each for each in (args.tools / "bin/cargo-deny", shutil.which("cargo-deny")) if each and Path(each).exists()), None)
    if deny:
        for what in ("bans", "licenses", "sources"):
            check(f"deny: {what}", deny_passes, deny, what)
        check("deny: refuses a banned crate, and a licence that is not on the list", deny_refuses, deny)
        advisories(deny)
    else:
        is_absent("cargo-deny", "tests/policy.rs held bans, licences and sources; advisories were not looked at")
    with tempfile.TemporaryDirectory(prefix="rmcp-supply-") as scratch:
        work = Path(scratch)
        files = {}
        for target in TARGETS:
            out = work / target
            check(f"bill: is well shaped, complete and free of loose ends, {target}", lambda: well_shaped(files.setdefault(target, bill(out, target))))
        file = files.get(TARGETS[0])
        if file:
            if (args.tools / "bin/python").exists():
                check("bill: holds by CycloneDX's own schema, and a broken one does not", by_the_schema, args.tools / "bin/python", file)
            else:
                is_absent("cyclonedx-python-lib", "the bill was not held against the schema")
            check("bill: two runs make the same bytes", same_bytes, file, work / "again")
            check("bill: says the features, and lists nothing that only tests use", without_simulator, file, work / "lean")
        if args.binary and file:
            check("bill: names every crate that the binary names", names_all_of, file, args.binary)
        else:
            is_absent("release binary", "the bill was not held against it")
        check("secrets: none in the tree and its history but those with a reason", lambda: scan(ROOT).strip().splitlines()[-1])
        check("secrets: a planted one is found, and not printed", finds_planted, work)
        check("secrets: one that was taken out again is found in the history", finds_in_history, work)
        check("secrets: placeholders of examples pass", takes_examples, work)
        check("secrets: an entry of the list that fits nothing is an error", stale_entry, work)
    if absent:
        print(f"{len(absent)} absent: {', '.join(absent)}")
    print(f"supply: {passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
