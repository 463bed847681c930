"""Commands on menus as scripts and the terminal give them, and how their answers are printed."""

from __future__ import annotations

import re

import evaluate
import lockout
import menus as m
import values as v
from values import Refused

LISTS = {"policy", "servers", "topics", "tagged", "untagged", "vlan-ids", "address-lists"}
FLAGS = {"as-value", "detail", "terse", "count-only", "without-paging", "brief", "value-list", "compact", "verbose", "show-sensitive", "hide-sensitive", "stats", "show-ids", "follow", "once"}
OWN = {"/user", "/user/group", "/user/ssh-keys"}
NEEDS_NOTHING = {"print", "get", "find", "export"}


class Console:
    """What both doors of a router share: may this user do it, and what comes of it."""

    def __init__(self, router) -> None:
        self.router, self.tables = router, router.tables

    def permit(self, may: set[str], menu: str, verb: str) -> None:
        """Whether these policies cover a command."""
        needs = {"read"} if verb in NEEDS_NOTHING else {"write"}
        if menu in OWN and verb not in NEEDS_NOTHING:
            needs |= {"policy"}
        if menu in ("/system/script", "/system/scheduler") and verb == "add" and self.router.options.get("script_policy"):
            needs |= {"policy"}
        if verb in ("reboot", "shutdown"):
            needs = {"reboot"}
        if verb == "ping":
            needs = {"test"}
        if not needs <= may:
            raise Refused("not enough permissions (9)", 500)

    def rows(self, menu: str, may: set[str]) -> list[dict]:
        """The rows of a menu as this user sees them."""
        router = self.router
        special = {"/system/script/job": self._jobs, "/system/scheduler": router.entries, "/log": lambda: list(router.lines), "/file": lambda: list(router.files), "/system/script/environment": self._environment, "/user/active": self._active, "/ipv6/neighbor": lambda: lockout.neighbours(router), "/ip/service": self._services, "/system/history": list}
        made = special[menu]() if menu in special else self.tables.shown(menu)
        made = [{key: value for key, value in sorted(row.items()) if not key.startswith("_")} for row in made]
        if "sensitive" not in may:
            made = [{key: "*****" if key in m.SECRETS and value else value for key, value in row.items()} for row in made]
        return made

    def one(self, menu: str) -> dict:
        """A singleton as it is shown."""
        router, held = self.router, dict(self.tables.one(menu))
        if menu == "/system/resource":
            held |= {"uptime": v.spell(int(router.uptime()) * 1000), "version": f"{router.version} (stable)"}
        if menu == "/system/clock":
            held["date"], held["time"] = router.stamp().split(" ")
        return dict(sorted(held.items()))

    def _jobs(self) -> list[dict]:
        jobs = [{key: value for key, value in job.items() if not key.startswith("_")} for job in self.router.jobs]
        return [{**job, ".nextid": jobs[at + 1][".id"] if at + 1 < len(jobs) else "*FFFFFFFF"} for at, job in enumerate(jobs)]

    def _environment(self) -> list[dict]:
        return [{".id": f"*{at + 1:X}", "name": name, "value": evaluate.said(value) if not isinstance(value, evaluate.Block) else value.text} for at, (name, value) in enumerate(self.router.globals.items())]

    def _active(self) -> list[dict]:
        made = []
        for at, held in enumerate(held for held in self.router.connections if held.get("user")):
            vias = ("rest-api", "api") if held["service"] == "www-ssl" else ("ssh",)
            made += [{".id": f"*{at * 2 + two + 1:X}", "address": held["remote"], "name": held["user"], "via": via, "when": held["when"], "group": held.get("group", ""), "radius": "false", "by-romon": "false"} for two, via in enumerate(vias)]
        return made

    def _services(self) -> list[dict]:
        made = [{**row, "invalid": "false"} for row in self.tables.stored("/ip/service")]
        newer = m.order_of(self.router.version) >= (7, 16)
        if newer:
            made = [{**row, "dynamic": "false", "proto": "tcp"} for row in made]
        for held in self.router.connections if newer else ():
            local, remote = held["local"], held["remote"]
            if self.router.options.get("service_ports", True):
                local, remote = (f"[{end}]:{port}" if ":" in end else f"{end}:{port}" for end, port in ((local, held["port"]), (remote, held["peer_port"])))
            made.append({".id": held["id"], "connection": "true", "disabled": "false", "dynamic": "true", "invalid": "false", "local": local, "name": held["service"], "port": str(held["port"]), "proto": "tcp", "remote": remote})
        return made

    # --- commands ------------------------------------------------------------------------------

    def run(self, run: evaluate.Run, menu: str, verb: str, given: dict, plain: list, test) -> object:
        """One command of a script."""
        self.permit(run.may, menu, verb)
        flags = {one for one in plain if isinstance(one, str) and one in FLAGS}
        plain = [one for one in plain if not (isinstance(one, str) and one in flags)]
        if menu == "/log" and verb in ("info", "warning", "error", "debug"):
            return self.router.log(f"script,{verb}", evaluate.said(given.get("message", plain[0] if plain else "")))
        if (menu, verb) == ("/system/script", "run"):
            return self.router.run_script(self.name_of(menu, evaluate.said(given.get("number", plain[0] if plain else ""))), run.may, run.user)
        if verb == "export":
            run.printed += export(self.router, menu, run.may).splitlines()
            return None
        if menu == "/system" and verb == "reboot":
            import threading
            threading.Thread(target=self.router.reboot, daemon=True).start()
            return None
        with self.tables.lock:
            if self.tables.menus.singleton(menu):
                return self._single(run, menu, verb, given, plain, flags)
            return self._many(run, menu, verb, given, plain, flags, test)

    def name_of(self, menu: str, identity: str) -> str:
        """A row's name, by name or id."""
        return self.tables.by_id(menu, identity)["name"]

    def _single(self, run, menu: str, verb: str, given: dict, plain: list, flags: set) -> object:
        row = self.one(menu)
        if verb == "get":
            name = evaluate.said(given.get("value-name", plain[0] if plain else ""))
            return self.typed(menu, name, row.get(name)) if name else {key: self.typed(menu, key, value) for key, value in row.items()}
        if verb == "print":
            if "as-value" in flags:
                return {key: self.typed(menu, key, value) for key, value in row.items()}
            run.printed += [f"{key:>20}: {cli(value)}" for key, value in row.items()]
            return None
        if verb == "set":
            return self.tables.set_one(menu, texts(given, plain))
        raise Refused(f"no such command or directory ({verb})")

    def _many(self, run, menu: str, verb: str, given: dict, plain: list, flags: set, test) -> object:
        rows = self.rows(menu, run.may)
        typed = lambda row: {key: self.typed(menu, key, value) for key, value in row.items()}
        if verb in ("find", "print") and test:
            rows = [row for row in rows if test(row)]
        if verb == "find":
            return [row[".id"] for row in rows]
        if verb == "print":
            wanted = evaluate.said(given["proplist"]).replace(";", ",").split(",") if "proplist" in given else None
            if "count-only" in flags:
                run.printed.append(str(len(rows)))
                return len(rows)
            kept = [{key: value for key, value in row.items() if wanted is None or key in wanted or key == ".id"} for row in rows]
            if "as-value" in flags:
                return [{key: value for key, value in typed(row).items() if key not in m.SECRETS} for row in kept]
            run.printed += [f"{at:2}  " + " ".join(f"{key}={quoted(value)}" for key, value in row.items() if key != ".id") for at, row in enumerate(kept)]
            return None
        if verb == "add":
            if menu == "/system/scheduler":
                self.gate()
            made = self.tables.add(menu, self.with_policy(run, menu, texts(given, plain)), run.user)
            self.noted(run, f"{menu} add")
            return made[".id"]
        if verb == "get":
            held = given.get("number", given.get("numbers", plain[0] if plain else None))
            held = held[0] if isinstance(held, list) and len(held) == 1 else held
            if isinstance(held, list) or held is None:
                raise Refused("no such item") if not held else Refused("invalid internal item number")
            row = self.shown_by(menu, evaluate.said(held), rows)
            rest = plain[1:] if "number" not in given and "numbers" not in given else plain
            name = evaluate.said(given.get("value-name", rest[0] if rest else ""))
            if name and name not in self.tables.menus.readable(menu) | {".id", "run-count", "next-run"}:
                raise Refused("input does not match any value of value-name")
            if name and name not in row and self.router.options.get("absent_is_error"):
                raise Refused("no such item")
            return self.typed(menu, name, row.get(name)) if name else typed(row)
        return self._change(run, menu, verb, given, plain)

    def shown_by(self, menu: str, identity: str, rows: list[dict]) -> dict:
        for row in rows:
            if row[".id"] == identity or (menu in m.NAMED and row.get("name") == identity and row.get("connection") != "true"):
                return row
        raise Refused("no such item")

    def _change(self, run, menu: str, verb: str, given: dict, plain: list) -> object:
        held = given.pop("numbers", given.pop(".id", plain[0] if plain else None))
        ids = held if isinstance(held, list) else [] if held in (None, "") else evaluate.said(held).split(",")
        ids = [evaluate.said(one) for one in ids]
        if held is None:
            raise Refused("missing =numbers=")
        if menu == "/system/script/job":
            return self.remove_jobs(ids)
        if verb == "move":
            destination = evaluate.said(given.get("destination", plain[1] if len(plain) > 1 else "")) or None
            return self.tables.move(menu, ids, destination)
        for one in ids:
            try:
                self.change_one(menu, verb, one, texts(given, []), run.user)
            except Refused as fault:
                raise Refused("no such item") if fault.code == 404 else fault
        if ids:
            self.noted(run, f"{menu} {verb}")
        return None

    def change_one(self, menu: str, verb: str, identity: str, given: dict, user: str) -> None:
        """One verb on one row."""
        if menu == "/user" and verb in ("disable", "set") and (verb == "disable" or given.get("disabled") in ("yes", "true")):
            if self.tables.by_id(menu, identity)["name"] == user:
                return  # a user who disables himself: nothing, and no word of it
        if menu == "/system/scheduler" and (verb == "enable" or given.get("disabled") in ("no", "false")):
            self.gate()
        if verb == "set":
            self.tables.set(menu, identity, given)
        elif verb == "remove":
            self.tables.remove(menu, identity)
        elif verb in ("enable", "disable"):
            self.tables.set(menu, identity, {"disabled": "no" if verb == "enable" else "yes"})
        elif verb == "comment":
            self.tables.set(menu, identity, {"comment": given.get("comment", "")})
        elif verb == "unset":
            for name in given.get("value-name", "").split(","):
                self.tables.unset(menu, identity, name)
        elif verb == "reset-counters":
            return
        else:
            raise Refused(f"no such command or directory ({verb})")

    def gate(self) -> None:
        """Device-mode, where it forbids the scheduler."""
        if not self.router.can_schedule():
            raise Refused("failure: not allowed by device-mode", self.router.options.get("home_code", 400))
        if self.tables.one("/system/device-mode").get("flagged") == "true":
            raise Refused("failure: configuration flagged, check all router configuration for unauthorized changes and update device-mode")

    def with_policy(self, run, menu: str, given: dict) -> dict:
        """A script or an entry that names no policies gets those of who adds it, and never more."""
        if menu not in ("/system/script", "/system/scheduler"):
            return given
        mine = [name for name in m.SCRIPT_POLICIES if name in run.may]
        asked = given.get("policy")
        wanted = [name for name in str(asked).replace(";", ",").split(",") if name] if asked is not None else mine
        if menu == "/system/scheduler":
            wanted = [name for name in wanted if name in mine]
        elif set(wanted) - set(mine):
            raise Refused("not enough permissions (9)", 500)
        return {**given, "policy": ",".join(wanted)}

    def remove_jobs(self, ids: list[str]) -> None:
        """Stops jobs."""
        with self.tables.lock:
            for one in ids:
                job = next((job for job in self.router.jobs if job[".id"] == one), None)
                if job is None:
                    raise Refused("no such item", 404)
                job["_killed"] = True
                self.router.jobs.remove(job)

    def noted(self, run, what: str) -> None:
        """The line that tells who changed what."""
        menu = what.rpartition(" ")[0]
        self.router.log("system,info", f"{menu.strip('/').replace('/', ' ')} changed by {run.by or run.user} ({what})")

    def typed(self, menu: str, name: str, value: str | None) -> object:
        """A row's value as scripts see it."""
        if value is None:
            return None
        if value in ("true", "false") and name not in ("comment", "name"):
            return value == "true"
        if name in LISTS:
            return value.split(",") if value else []
        check = self.tables.menus.checker(menu, name)
        if (check is v.interval or name in ("uptime", "timeout")) and (length := v.milliseconds(value)) is not None and not value.isdigit():
            return evaluate.Span(length)
        if (getattr(check, "__qualname__", "").startswith("number.") or name in ("run-count", "bytes", "packets")) and re.fullmatch(r"\d+", value):
            return int(value)
        return value


def texts(given: dict, plain: list) -> dict:
    """Arguments of a script as text."""
    made = {}
    for name, value in given.items():
        if isinstance(value, evaluate.Span):
            value = v.spell(value)
        made[name] = ",".join(evaluate.said(one) for one in value) if isinstance(value, list) else evaluate.said(value)
    return made


def cli(value: str) -> str:
    """`yes` and `no` on the terminal."""
    return {"true": "yes", "false": "no"}.get(value, value)


def quoted(value: str) -> str:
    """A value as `print` and `export` write it."""
    value = cli(value)
    if re.fullmatch(r"[A-Za-z0-9._/:,*!-]+", value):
        return value
    text = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    return f'"{text}"'


def export(router, menu: str, may: set[str]) -> str:
    """`/export terse`: one line for each row, without defaults and secrets."""
    head = f"# {router.stamp()} by RouterOS {router.version}\n# software id = ABCD-1234\n#\n# model = RB5009UG+S+\n# serial number = {router.tables.one('/system/routerboard').get('serial-number', '')}\n"
    made = []
    with router.tables.lock:
        for path in sorted(set(router.tables.rows) | set(router.tables.ones)):
            if menu and not path.startswith(menu) or path in ("/log", "/certificate", "/system/device-mode", "/system/resource", "/system/routerboard", "/user/group" if "policy" not in may else "") or path.startswith("/user"):
                continue
            words = path.strip("/").replace("/", " ")
            for row in router.tables.rows.get(path, []):
                own = {key: value for key, value in row.items() if key in router.tables.menus.arguments(path, "set") and m.DEFAULTS.get(path, {}).get(key) != value and key not in m.SECRETS}
                verb = f"set [ find default-name={row['default-name']} ]" if "default-name" in row else f"set {row['name']}" if path == "/ip/service" else "add"
                made.append(f"/{words} {verb} " + " ".join(f"{key}={quoted(value)}" for key, value in sorted(own.items())))
            one = router.tables.ones.get(path)
            if one and "set" in router.tables.menus.commands(path):
                own = {key: value for key, value in one.items() if key in router.tables.menus.arguments(path, "set")}
                made.append(f"/{words} set " + " ".join(f"{key}={quoted(value)}" for key, value in sorted(own.items())))
    return head + "".join(line + "\n" for line in made)
