"""One router: its clock, its log, its jobs, its scheduler, what happens when it restarts."""

from __future__ import annotations

import copy
import datetime
import threading
import time

import console
import evaluate
import language
import menus as m
import values as v
from tables import Tables
from values import Refused

STEP = 0.05
HOME = {"scheduler": "false", "fetch": "false", "email": "false", "sniffer": "false", "romon": "false", "bandwidth-test": "false", "hotspot": "false", "proxy": "false", "socks": "false", "zerotier": "false"}


class Router:
    """A router. `options` choose between readings of what is not documented:

    speed             how much faster its clock runs than ours
    strict_types      `=` in scripts never finds text equal to a number, a truth or a time
    script_policy     adding scripts and scheduler entries needs `policy`
    hide_next_run     an entry with `start-time=startup` shows no `next-run`
    startup_by_clock  such an entry follows the wall clock, steps and all
    policy_cache      seconds that REST keeps the policies of a login
    service_ports     connection rows of `/ip/service` show `address:port`
    old_codes         200 for what is made and removed, as early versions say
    absent_is_error   `get` of what a row does not have is an error
    lost_when_cut     the answer to a change that cuts the client off does not reach it
    home_code         the status with which device-mode refuses over REST
    neighbours_last   seconds of ours for which an IPv6 neighbour that was found is remembered
    silent_scheduler  entries never fire, and show nothing of it
    """

    def __init__(self, name: str, version: str = "7.23.2", **options) -> None:
        self.name, self.version, self.options = name, version, options
        self.speed = options.get("speed", 1.0)
        self.tables = Tables(version)
        self.tables.changed = self._changed
        self.tables.now = lambda: self.stamp()
        self.tables.uptime = lambda: self.uptime()
        self.console = console.Console(self)
        self.globals: dict[str, object] = {}
        self.lines: list[dict] = []
        self.jobs: list[dict] = []
        self.files: list[dict] = []
        self.dead, self.mode, self.flagged = False, "advanced", False
        self.step, self.began = 0.0, time.monotonic()
        self.found = self.began  # when its IPv6 neighbour was last found
        self.booted, self.boots = self.began, 0
        self.epoch = time.time()
        self.due: dict[str, tuple] = {}
        self.listeners: list = []  # called after each change, to open and close ports
        self.connections: list[dict] = []
        self.job_count = 0x120
        self.stopping = False
        self.world = None  # where its clients stand: lockout.World
        threading.Thread(target=self._tick, daemon=True, name=f"{name} scheduler").start()

    # --- time ----------------------------------------------------------------------------------

    def uptime(self) -> float:
        """Seconds since it started, by its own clock."""
        return (time.monotonic() - self.booted) * self.speed

    def wall(self) -> float:
        """Seconds since 1970 as it believes."""
        return self.epoch + (time.monotonic() - self.began) * self.speed + self.step

    def stamp(self, at: float | None = None) -> str:
        """A time as this version writes it."""
        moment = datetime.datetime.fromtimestamp(self.wall() if at is None else at, datetime.timezone.utc)
        return moment.strftime("%Y-%m-%d %H:%M:%S")

    def sleep(self, seconds: float, alive) -> None:
        """Waits by the router's clock, and looks whether it should go on."""
        ends = time.monotonic() + seconds / self.speed
        while (left := ends - time.monotonic()) > 0:
            alive()
            time.sleep(min(left, STEP))
        alive()

    def log(self, topics: str, message: str) -> None:
        """A line of the log."""
        with self.tables.lock:
            self.lines.append({".id": f"*{len(self.lines) + 1:X}", "time": self.stamp(), "topics": topics, "message": message})
            del self.lines[:-1000]

    # --- jobs ----------------------------------------------------------------------------------

    def execute(self, text: str, owner: str, may: set[str], script: str = "", entry: str = "", wait: bool = False) -> dict:
        """Starts a job. A script that does not parse is a job that ends at once, and a line in the log."""
        with self.tables.lock:
            self.job_count += 1
            job = {".id": f"*{self.job_count:X}", "owner": owner, "policy": ",".join(name for name in m.SCRIPT_POLICIES if name in may), "started": self.stamp(), "type": "command", "_killed": False}
            if script:
                job["script"] = script
            self.jobs.append(job)
        thread = threading.Thread(target=self._work, args=(job, text, owner, may, script, entry), daemon=True)
        thread.start()
        if wait:
            thread.join(65)
        return job

    def _work(self, job: dict, text: str, owner: str, may: set[str], script: str, entry: str) -> None:
        run = evaluate.Run(self, owner, may, f"scheduler:{entry}" if entry else owner, job)
        job["_output"] = ""
        try:
            run.start(text)
        except evaluate.Killed:
            pass
        except evaluate.Returned:
            pass
        except (evaluate.Broken, Refused, language.Syntax) as fault:
            said = evaluate.told(fault)
            job["_error"] = said
            if script or entry:
                self.log("script,error", f"executing script {script or entry} from {'scheduler' if entry else owner} failed, please check it manually")
                self.log("script,error,debug", f"(scheduler:{entry}) {said}" if entry else said)
        except Exception as fault:  # a mistake of the simulator must be seen
            job["_error"] = f"SIMULATOR {type(fault).__name__}: {fault}"
            self.log("simulator,error", f"{job['_error']} in {text[:4000]}")
        finally:
            job["_output"] = "".join(line + "\r\n" for line in run.printed)
            with self.tables.lock:
                if job in self.jobs:
                    self.jobs.remove(job)

    def run_script(self, name: str, may: set[str], owner: str, entry: str = "") -> dict | None:
        """Runs a stored script with the policies of who asks, if they cover its own."""
        row = self.tables.find("/system/script", name=name)
        if row is None:
            raise Refused("no such item")
        needs = set(row["policy"].split(",")) - {""}
        if row.get("dont-require-permissions") != "true" and not needs <= may:
            raise Refused("not enough permissions (9)", 500)
        if row.get("invalid") == "true":
            raise Refused("failure: script is invalid")
        row["run-count"] = str(int(row.get("run-count", "0")) + 1)
        row["last-started"] = self.stamp()
        return self.execute(row["source"], owner, needs if row.get("dont-require-permissions") == "true" else may, name, entry)

    # --- scheduler -----------------------------------------------------------------------------

    def can_schedule(self) -> bool:
        """Whether device-mode lets entries be made and run."""
        return self.tables.one("/system/device-mode").get("scheduler", "true") == "true"

    def _changed(self, path: str) -> None:
        if path == "/system/scheduler":
            self._plan_entries()
        if path == "/system/script":
            for row in self.tables.stored(path):
                try:
                    language.Parser(row.get("source", ""), self.tables.menus).script()
                    row["invalid"] = "false"
                except language.Syntax as fault:
                    row["invalid"], row["_why"] = "true", str(fault)
        for told in list(self.listeners):
            told(path)

    def _plan_entries(self) -> None:
        held = {}
        for row in self.tables.stored("/system/scheduler"):
            key = (row.get("interval"), row.get("start-time"), row.get("start-date"), row.get("disabled"))
            old = self.due.get(row[".id"])
            held[row[".id"]] = old if old and old[0] == key else (key, *self._first(row))
        self.due = held

    def _first(self, row: dict) -> tuple[str, float | None]:
        """By which clock an entry runs, and when next. `up` is the uptime, `wall` the time of day."""
        every = (v.milliseconds(row.get("interval", "0s")) or 0) / 1000
        if row.get("start-time") == "startup":
            if self.options.get("startup_by_clock"):
                return ("wall", self.wall() + every) if every else ("wall", None)
            return ("up", self.uptime() + every) if every else ("up", 3.0 if self.uptime() < 3 else None)
        start = self._start_of(row)
        if start >= self.wall() - 0.5:
            return "wall", start
        return ("wall", start + every * -(-(self.wall() - start) // every)) if every else ("wall", None)

    def _start_of(self, row: dict) -> float:
        if "start-time" not in row:
            row["start-date"], row["start-time"] = self.stamp().split(" ")
        day = row.get("start-date") or self.stamp().split(" ")[0]
        row["start-date"] = day
        return datetime.datetime.fromisoformat(f"{day} {row['start-time']}").replace(tzinfo=datetime.timezone.utc).timestamp()

    def entries(self) -> list[dict]:
        """The scheduler's rows as they are shown."""
        made = []
        for row in self.tables.stored("/system/scheduler"):
            one = {key: value for key, value in row.items() if not key.startswith("_")} | {"run-count": row.get("run-count", "0")}
            _, clock, when = self.due.get(row[".id"], (None, "up", None))
            hidden = self.options.get("hide_next_run") and row.get("start-time") == "startup"
            if when is not None and row.get("disabled") != "true" and not hidden and self.can_schedule():
                one["next-run"] = self.stamp(when if clock == "wall" else self.wall() + when - self.uptime())
            if not self.can_schedule():
                one[".about"] = "inactivated, not allowed by device-mode"
            made.append(one)
        return made

    def _tick(self) -> None:
        while not self.stopping:
            time.sleep(STEP)
            if self.dead:
                continue
            self.tables.expire()
            with self.tables.lock:
                ready = [row for row in self.tables.stored("/system/scheduler") if self._ready(row)]
            for row in ready:
                self._fire(row)

    def _ready(self, row: dict) -> bool:
        key, clock, when = self.due.get(row[".id"], (None, "up", None))
        if when is None or row.get("disabled") == "true" or (self.wall() if clock == "wall" else self.uptime()) < when:
            return False
        every = (v.milliseconds(row.get("interval", "0s")) or 0) / 1000
        self.due[row[".id"]] = (key, clock, when + every if every else None)
        return not self.options.get("silent_scheduler") and self.can_schedule()

    def _fire(self, row: dict) -> None:
        row["run-count"] = str(int(row.get("run-count", "0")) + 1)
        may = set(row["policy"].split(","))
        try:
            if self.tables.find("/system/script", name=row["on-event"]):
                self.run_script(row["on-event"], may, row["owner"], row["name"])
            else:
                self.execute(row["on-event"], row["owner"], may, "", row["name"])
        except Refused as fault:
            self.log("script,error", f"executing script {row['on-event']} from scheduler failed: {fault.text}")

    # --- device-mode, restarts ------------------------------------------------------------------

    def set_mode(self, mode: str) -> None:
        """As if somebody had pressed the button."""
        held = self.tables.one("/system/device-mode")
        held["mode"] = mode
        held |= HOME if mode == "home" else {name: "true" for name in HOME}

    def reboot(self, down: float = 1.0) -> None:
        """Off, and on again: jobs, variables and counters are gone, rows stay."""
        self.dead = True
        for told in list(self.listeners):
            told("")
        time.sleep(max(down, 0.2))
        with self.tables.lock:
            self.jobs.clear()
            self.globals.clear()
            self.lines.clear()
            self.booted = time.monotonic()
            self.boots += 1
            for row in self.tables.stored("/system/scheduler"):
                row.pop("run-count", None)
            self.due = {}
            self._plan_entries()
            self.dead = False
        self.log("system,info", "router rebooted")
        for told in list(self.listeners):
            told("")

    def clock_step(self, seconds: float) -> None:
        """The wall clock jumps, as when NTP finds it wrong."""
        with self.tables.lock:
            self.step += seconds

    def dump(self) -> dict:
        """All that is configured, for comparison: no ids, no counters, nothing worked out."""
        with self.tables.lock:
            made = {}
            for path, rows in self.tables.rows.items():
                kept = [{key: value for key, value in row.items() if key not in (".id", "run-count", "last-started", "last-logged-in", "creation-time", "timeout", "bytes", "packets", "invalid") and not key.startswith("_")} for row in rows]
                made[path] = kept if path in m.ORDERED else sorted(kept, key=lambda row: sorted(row.items()))
            made |= {path: dict(held) for path, held in self.tables.ones.items()}
            made["files"] = sorted(row["name"] for row in self.files)
            return copy.deepcopy({path: held for path, held in made.items() if held})
