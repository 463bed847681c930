"""Runs what the pages of assets/docs tell people to type, and holds their links and names against what there is.

`python3 tests/docs/run.py [PAGE…]`; the program is $RMCP_BIN or the release build. A ```sh block is run as it stands, by
`sh -eu`, against a demo site; its info string may say otherwise:

    sh not-run: REASON   cannot be run here; the reason is for the reader, and counted
    sh until: WORDS      runs on and on: it is ended once it has said WORDS
    sh fresh             on a box of its own, without a daemon
    sh refused: WORDS    must fail, with WORDS

Names that are only examples (`https://mcp.example.com`, `/mnt/nas`, `ID`) are replaced by what the test has: see `stage.py`.
Ends with the counts and the line `docs: N passed, 0 failed`. Standard library, and PyYAML where it is there.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pages
import stage

sys.path.insert(0, str(pages.ROOT / "tests" / "clients"))
import rig  # noqa: E402

COUNTS = {"run": 0, "not run": 0, "looked up in --help": 0}


def run(block: pages.Block, scene: stage.Scene) -> None:
    """One ```sh block."""
    mark = block.mark
    rig.expect(not mark or mark.startswith(pages.MARKS), f"unknown mark {mark!r}")
    if (reason := block.said("not-run:")) is not None:
        rig.expect(len(reason) >= 12, "a block that is not run says why")
        COUNTS["not run"] += block.commands
        return
    env, here = scene.fresh() if mark == "fresh" else scene.shared(block.page)
    script = scene.fitted(block.text)
    if (words := block.said("until:")) is not None:
        until(script, words, env, here)
    else:
        done = subprocess.run(["sh", "-euc", script], env=env, cwd=here, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)
        said = (done.stdout + done.stderr).decode(errors="replace")
        if (words := block.said("refused:")) is not None:
            rig.expect(done.returncode != 0 and words in said, f"exit code {done.returncode}, and not {words!r}: {rig.short(said, 800)}")
        else:
            rig.expect(done.returncode == 0, f"exit code {done.returncode}: {rig.short(said, 800)}")
    COUNTS["run"] += block.commands


def until(script: str, words: str, env: dict, here: Path) -> None:
    """Something that runs on and on, until it has said the words; then it is asked to leave."""
    log = here / "until.log"
    with log.open("wb") as out:
        child = subprocess.Popen(["sh", "-euc", script], env=env, cwd=here, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
    try:
        deadline = time.monotonic() + rig.START
        while words not in log.read_text(errors="replace"):
            rig.expect(child.poll() is None, f"ended with {child.returncode}: {rig.short(log.read_text(errors='replace'), 800)}")
            rig.expect(time.monotonic() < deadline, f"never said {words!r}: {rig.short(log.read_text(errors='replace'), 800)}")
            time.sleep(0.05)
        stage.all_of(child, signal.SIGTERM)
        child.wait(20)
    finally:
        rig.kill(child)


def settings(block: pages.Block, scene: stage.Scene) -> None:
    """A piece of the configuration: each key is known and takes its value. What it names beside may be missing here."""
    tomllib.loads(block.text)
    said = scene.check_config(scene.fitted(block.text), Path(f"{block.page}-{block.line}.toml"))
    wrong = [line for line in said if re.search(r"unknown|not a|must be|expected|is not one of|nearest|did you mean", line)]
    rig.expect(not wrong, "; ".join(wrong))


def others(block: pages.Block, scene: stage.Scene) -> None:
    """Everything that is no command."""
    if block.language == "toml":
        settings(block, scene)
    elif block.language == "json":
        json.loads(block.text)
    elif block.language == "yaml":
        stage.yaml(block.text)
    elif block.language == "python":
        compile(block.text, block.where, "exec")
    else:
        known = ("text", "routeros", "ts", "promql", "logql", "markdown")
        rig.expect(block.language in known, f"a fence of language {block.language!r}")
        if block.language == "routeros":
            COUNTS["not run"] += block.commands  # typed on a router; the simulated ones have no terminal for them


def looked_up(page: str, scene: stage.Scene) -> None:
    """Commands of ours in the text: the command and each flag are in `--help`."""
    listed = [span for span in pages.spans(page) if span.startswith("routeros-mcp ")]
    # `device test NAME` is ours as well.
    listed += [f"routeros-mcp {span}" for span in pages.spans(page) if re.match(r"[a-z-]+ [a-z-]{3,}( |$)", span) and scene.has(span.split()[0])]
    for block in pages.blocks(page):
        if block.language == "sh" and block.said("not-run:") is not None:
            listed += [line.split("#")[0] for line in block.text.replace("\\\n", " ").splitlines() if line.startswith("routeros-mcp ")]
    for command in listed:
        scene.look_up(command)
        COUNTS["looked up in --help"] += 1


def links(page: str) -> None:
    """Where a page points to is there: pages, headings, files of ours."""
    there = set(pages.names())
    for name, anchor in re.findall(r"docs://([a-z0-9-]+)(#[a-z0-9-]+)?", pages.text(page)):
        rig.expect(name in there, f"no page {name}")
        rig.expect(not anchor or anchor[1:] in pages.anchors(name), f"no heading {anchor} in {name}")
    for target in re.findall(r"\]\(([^)]+)\)", pages.prose(page)):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        name = name.removesuffix(".md") or page
        rig.expect(name in there, f"no page {target}")
        rig.expect(not anchor or anchor in pages.anchors(name), f"no heading #{anchor} in {name}")
    for path in re.findall(r"`((?:assets|systemd|scripts|tests)/[^`\s]*)`", pages.prose(page)):
        rig.expect(any(pages.ROOT.glob(path.rstrip("/"))), f"no file {path}")


def words(page: str, scene: stage.Scene) -> None:
    """Names in the text are real: metrics with their labels, keys of the configuration, messages of the log."""
    metrics = stage.metrics()
    for name, labels in re.findall(r"`((?:mcp|routeros|auth|rbac|rate_limit|store|audit|backup|device|alerts?|process)_[a-z_]+)(\{[^`]*\})?`", pages.prose(page)):
        if name in metrics:
            used = set(re.findall(r"([a-z_]+)(?:=|,|\})", labels))
            rig.expect(used <= metrics[name], f"{name} has no label {sorted(used - metrics[name])}")
        else:
            rig.expect(not labels and not name.endswith(("_total", "_seconds", "_bytes", "_ratio")), f"no metric {name}")
    for word in re.split(r"[^a-z_.]", pages.text(page)):
        category, _, action = word.strip(".").partition(".")
        if action and category in scene.categories:
            rig.expect(f"{category}.{action}" in scene.dotted or action == "toml", f"no tool and no key {word}")
    for span in pages.spans(page):
        if message := re.fullmatch(r'"([^"]+ [^"]+)"', span):
            rig.expect(message[1] in scene.source, f"the program never says {span}")
        if variable := re.fullmatch(r"(ROUTEROS_MCP_[A-Z_]+)(=.*)?", span):
            rig.expect(variable[1] in scene.variables, f"no variable {variable[1]}")


def shipped_logs() -> None:
    """The fields that docs://log-shipping tells and the shippers read are those of real lines."""
    told = set(re.findall(r"`(RMCP_[A-Z_]+)`", pages.text("log-shipping")))
    lines = stage.log_lines()
    for message, fields in (("call", "tool device outcome ms correlation_id"), ("request refused", "client status reason correlation_id")):
        line = next((line for line in lines if line["message"] == message), None)
        rig.expect(line, f"no line {message!r} in {rig.short(lines)}")
        for field in fields.split():
            rig.expect(field in line, f"{message!r} has no {field}: {line}")
            rig.expect(f"RMCP_{field.upper()}" in told, f"docs://log-shipping does not tell {field}")
    for file in ("loki/routeros-mcp.alloy", "elk/filebeat.yml"):
        text = (pages.ROOT / "assets" / "deploy" / file).read_text()
        read = {name.upper() for name in re.findall(r"\brmcp_[a-z_]+", text.replace("__journal_", " "))}
        rig.expect(read and read <= told, f"{file}: {sorted(read - told)}")
    parsed = stage.yaml((pages.ROOT / "assets" / "deploy" / "elk" / "filebeat.yml").read_text())
    rig.expect(parsed is None or parsed["filebeat.inputs"][0]["type"] == "journald", parsed)


def main() -> int:
    tally = rig.Tally("docs")
    chosen = sys.argv[1:] or pages.names()
    with tally.check("every file is a page, and every page a file"):
        listed = re.findall(r'page!\(\s*"([a-z0-9-]+)"', (pages.ROOT / "src" / "docs.rs").read_text())
        rig.expect(sorted(listed) == pages.names(), set(listed) ^ set(pages.names()))
    with tally.check("log shippers read fields that there are"):
        shipped_logs()
    with stage.scene() as scene:
        for page in chosen:
            with tally.check(f"{page}: links"):
                links(page)
            with tally.check(f"{page}: names"):
                words(page, scene)
            with tally.check(f"{page}: commands in the text"):
                looked_up(page, scene)
            for block in pages.blocks(page):
                with tally.check(f"{block.where} {block.language} {block.mark}".rstrip()):
                    run(block, scene) if block.language == "sh" else others(block, scene)
    print(", ".join(f"{count} commands {what}" for what, count in COUNTS.items()), flush=True)
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
