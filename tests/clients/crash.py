"""kill -9 in a loop while devices and audit are written: nothing acknowledged is lost, and the chain verifies.

`python3 crash.py READY.json [--rounds 50] [--seed N]`, standard library only. A round: start a holder of the store (the
daemon, or `stdio` alone), change devices through its control socket and call tools, kill it at a random moment, open
the store again and compare. An operation that was not answered may have happened or not; one that was, must be there.
"""

import argparse
import contextlib
import json
import random
import sys
import threading
import time
from pathlib import Path

import rig
from rig import expect

# Devices that are changed at the same time, each by a thread of its own.
LANES = 3
# A round's length before the kill. Seconds.
SHORTEST, LONGEST = 0.05, 1.5
# Reads may be grouped: their audit records may be lost for this long (5 s, and one to be sure). Seconds.
GROUPED = 6.0
# Between two reads of one round, so that the audit stays small enough to compare as a whole. Seconds.
PAUSE = 0.02

ABSENT = None


class Lane:
    """One device and what is known of it: the states that the last answers allow."""

    def __init__(self, router: dict, number: int) -> None:
        self.router, self.name = router, f"lane-{number}"
        self.allowed: list[str | None] = [ABSENT]  # ABSENT, or the value of its tag `step`
        self.ids: set[str] = set()
        self.acknowledged, self.unanswered, self.step = 0, 0, 0

    def next_change(self, data_dir: Path, luck: random.Random) -> tuple[list[str], str | None]:
        """The command for the next change and the state it leads to."""
        self.step += 1
        if self.allowed == [ABSENT]:
            return [*rig.add_args(self.router, self.name, data_dir.parent), "--tag", f"step={self.step}"], str(self.step)
        if luck.random() < 0.2:
            return ["device", "remove", self.name, "--yes"], ABSENT
        return ["device", "update", self.name, "--tag", f"step={self.step}"], str(self.step)

    def run(self, data_dir: Path, luck: random.Random, killed: threading.Event) -> None:
        """Changes the device until the kill, or until something stays unanswered."""
        while not killed.is_set() and len(self.allowed) == 1:
            command, after = self.next_change(data_dir, luck)
            done = rig.cli(data_dir, *command)
            if done.code == 0:
                self.acknowledged += 1
                self.allowed = [after]
                with contextlib.suppress(ValueError, TypeError, KeyError):
                    self.ids.add(json.loads(done.out)["id"])
            else:
                self.unanswered += 1
                self.allowed.append(after)
                expect(killed.is_set(), f"{' '.join(command[:3])} failed before the kill: {rig.short(done.err)}")

    def compare(self, devices: dict[str, dict]) -> None:
        """What is stored must be one of the allowed states; from here on it is the only one."""
        found = tag_of(devices[self.name]) if self.name in devices else ABSENT
        allowed, self.allowed = self.allowed, [found]
        expect(found in allowed, f"{self.name}: found {found}, but the answers allow only {allowed}")


def tag_of(device: dict) -> str:
    """The value of the tag `step`, whether tags are printed as an object or as a list of `k=v`."""
    tags = device.get("tags") or {}
    return str(tags["step"]) if isinstance(tags, dict) else dict(tag.split("=", 1) for tag in tags)["step"]


class Reads:
    """Tool calls beside the changes, with the moment each was answered."""

    def __init__(self) -> None:
        self.answered: list[tuple[float, str]] = []

    def run(self, mcp: rig.Session, killed: threading.Event) -> None:
        while not killed.wait(PAUSE):
            try:
                result = mcp.call("device.list", seconds=5.0)
            except (rig.Failed, OSError):
                expect(killed.wait(1.0), f"a read failed before the kill: {mcp.said()}")
                return
            if not result.get("isError"):
                self.answered.append((time.monotonic(), result["_meta"]["correlation_id"]))

    def old(self, moment: float) -> set[str]:
        """Correlation ids of reads that must have reached the disk by `moment`."""
        return {one for at, one in self.answered if at < moment - GROUPED}


def exported(data_dir: Path) -> list[dict]:
    """Every audit record, oldest first."""
    return rig.cli(data_dir, "audit", "export", "--format", "json", seconds=120).json()["records"]


@contextlib.contextmanager
def holder(kind: str, data_dir: Path):
    """Whoever holds the store in this round, and the session that reads: the holder itself, or a bridge to it."""
    with contextlib.ExitStack() as parts:
        daemon = parts.enter_context(rig.serve(data_dir))["process"] if kind == "serve" else None
        mcp = parts.enter_context(rig.stdio(data_dir))
        mcp.open()
        yield daemon or mcp.child, mcp


def attack(kind: str, data_dir: Path, lanes: list[Lane], reads: Reads, luck: random.Random) -> float:
    """One round up to the kill; gives its moment. Faults of the threads come out here."""
    faults: list[Exception] = []

    def guarded(work, *args) -> None:
        try:
            work(*args)
        except Exception as fault:  # shown by the round's own check
            faults.append(fault)

    killed = threading.Event()
    with holder(kind, data_dir) as (victim, mcp):
        jobs = [(lane.run, data_dir, random.Random(luck.random()), killed) for lane in lanes] + [(reads.run, mcp, killed)]
        threads = [threading.Thread(target=guarded, args=job) for job in jobs]
        for thread in threads:
            thread.start()
        time.sleep(luck.uniform(SHORTEST, LONGEST))
        killed.set()
        moment = time.monotonic()
        rig.kill(victim)
        # A bridge takes over when the holder is gone: it dies the same way, so that the store is found as the kill left it.
        rig.kill(mcp.child)
        for thread in threads:
            thread.join()
    if faults:
        raise faults[0]
    return moment


def compare(data_dir: Path, lanes: list[Lane], reads: Reads, moment: float, seen: list[dict]) -> list[dict]:
    """Opens the store after the kill and holds it against every answer; gives the audit for the next round."""
    devices = {device["name"]: device for device in rig.cli(data_dir, "device", "list").json()}
    for lane in lanes:
        lane.compare(devices)
    verified = rig.cli(data_dir, "audit", "verify")
    expect(verified.code == 0, f"audit verify: exit code {verified.code}: {rig.short(verified.err or verified.out)}")
    records = exported(data_dir)
    expect(records[: len(seen)] == seen, "audit records that an earlier round saw are gone or changed")
    numbers = [record["seq"] for record in records]
    expect(numbers == list(range(numbers[0], numbers[0] + len(numbers))), "sequence numbers have gaps")
    texts = [json.dumps(record) for record in records]
    for lane in lanes:
        found = sum(any(name in text for name in (lane.name, *lane.ids)) for text in texts)
        expect(found >= lane.acknowledged, f"{lane.name}: {lane.acknowledged} acknowledged changes, {found} audit records")
    lost = reads.old(moment) - {record.get("correlation_id") for record in records}
    expect(not lost, f"{len(lost)} reads answered more than {GROUPED:.0f} s before the kill have no audit record: {sorted(lost)[:3]}")
    return records


def main() -> int:
    args = argparse.ArgumentParser()
    args.add_argument("site")
    args.add_argument("--rounds", type=int, default=50)
    args.add_argument("--seed", type=int, default=int(time.time()))
    asked = args.parse_args()
    print(f"crash: {asked.rounds} rounds, --seed {asked.seed}", flush=True)
    tally, site, luck = rig.Tally("crash"), rig.site_file(), random.Random(asked.seed)
    lanes = [Lane(router, number) for number, router in enumerate(site["devices"][:LANES])]
    reads, seen = Reads(), []
    with rig.state_dir() as place:
        data_dir = place / "s"
        for number in range(1, asked.rounds + 1):
            kind = "serve" if number % 2 else "stdio"
            with tally.check(f"round {number}: kill -9 of {kind} loses nothing acknowledged"):
                moment = attack(kind, data_dir, lanes, reads, luck)
                seen = compare(data_dir, lanes, reads, moment, seen)
        with tally.check("the rounds did write: changes were acknowledged and reads answered"):
            changes, unanswered = sum(lane.acknowledged for lane in lanes), sum(lane.unanswered for lane in lanes)
            print(f"  {changes} changes acknowledged, {unanswered} unanswered, {len(reads.answered)} reads, {len(seen)} audit records", flush=True)
            expect(changes >= asked.rounds and len(reads.answered) >= asked.rounds, "too few: the loop tests nothing")
    return tally.finish()


sys.exit(main())
