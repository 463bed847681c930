"""The tables of one router, and the verbs on them: what is checked, filled in, respelt, and refused."""

from __future__ import annotations

import ipaddress
import threading

import menus as m
import six
import values as v
from values import Refused

# Rows that are worked out as they are read, and therefore nobody's to write.
NOT_FOUND = 404
END = "*FFFFFFFF"
LISTS = ("/ip/firewall/address-list", "/ipv6/firewall/address-list")
ROUTES = ("/ip/route", "/ipv6/route")


class Tables:
    """Rows by menu, each a dict with `.id`; singletons as one dict. All of it under one lock."""

    def __init__(self, version: str) -> None:
        self.version, self.menus = version, m.Menus(version)
        self.lock = threading.RLock()
        self.rows: dict[str, list[dict]] = {}
        self.ones: dict[str, dict] = {}
        self.counters: dict[str, int] = {}
        self.changed = lambda path: None  # told after every write
        self.now = lambda: "2026-11-28 12:00:00"
        self.uptime = lambda: 0.0

    # --- reading -----------------------------------------------------------------------------

    def stored(self, path: str) -> list[dict]:
        """The rows that are kept; `/interface` is all kinds of interface together."""
        if path == "/interface":
            return [row for kind in m.INTERFACES for row in self.rows.get(kind, [])]
        return self.rows.setdefault(path, [])

    def one(self, path: str) -> dict:
        """A singleton."""
        return self.ones.setdefault(path, {})

    def find(self, path: str, **wanted: str) -> dict | None:
        """The first stored row with these values."""
        return next((row for row in self.stored(path) if all(row.get(key.replace("_", "-")) == value for key, value in wanted.items())), None)

    def interface(self, name: str) -> tuple[str, dict] | None:
        """An interface by name, and its kind."""
        for path, kind in m.INTERFACES.items():
            for row in self.rows.get(path, []):
                if row["name"] == name:
                    return kind, row
        return None

    def up(self, name: str) -> bool:
        """Whether an interface runs: itself and what it stands on."""
        found = self.interface(name)
        if name == "lo":
            return True
        if not found or found[1].get("disabled") == "true":
            return False
        return self.up(found[1]["interface"]) if found[0] == "vlan" else True

    def by_id(self, path: str, identity: str) -> dict:
        """The row with this `.id` or name; 404 for an id that is not there."""
        for row in self.shown(path):
            if row[".id"] == identity:
                return self._kept(path, row)
        if identity.startswith("*"):
            raise Refused("no such item", NOT_FOUND)
        if path not in m.NAMED:
            raise Refused("no such command prefix")
        for row in self.shown(path):
            if row.get("name") == identity and row.get("connection") != "true":
                return self._kept(path, row)
        raise Refused("missing or invalid resource identifier")

    def _kept(self, path: str, shown: dict) -> dict:
        return next((row for row in self.stored(path) if row[".id"] == shown[".id"]), shown)

    def shown(self, path: str) -> list[dict]:
        """The rows as the router answers them, with what it works out."""
        with self.lock:
            view = getattr(self, "_view" + path.replace("/", "_").replace("-", "_"), None)
            rows = view() if view else [self._plain(path, row) for row in self.stored(path)]
            if path in ("/interface/bridge/port", "/routing/rule"):
                rows = [{**row, ".nextid": rows[at + 1][".id"] if at + 1 < len(rows) else END} for at, row in enumerate(rows)]
            return [{key: value for key, value in sorted(row.items()) if not key.startswith("_") and not (key == "comment" and value == "")} for row in rows]

    def _plain(self, path: str, row: dict) -> dict:
        made = dict(row)
        if path in m.FIREWALLS:
            made |= {"bytes": row.get("bytes", "0"), "packets": row.get("packets", "0"), "dynamic": row.get("dynamic", "false"), "invalid": self._invalid_rule(row)}
        elif path in (*LISTS, "/ip/dns/static", "/interface/list", "/interface/list/member", "/interface/bridge/vlan", "/queue/simple"):
            made.setdefault("dynamic", "false")
            if "_ends" in row:
                made["timeout"] = v.spell(max(0, int(row["_ends"] - self.uptime())) * 1000)
        elif path == "/interface/bridge/port":
            up = self.up(row["interface"]) and self.up(row["bridge"]) and row.get("disabled") != "true"
            made |= {"dynamic": "false", "inactive": "false" if up else "true", "forwarding": "true" if up else "false", "debug-info": " prio 0x80 num 1\n role:Designated\n", "status": "in-bridge" if up else "inactive"}
        elif path in m.INTERFACES:
            made |= {"running": "true" if self.up(row["name"]) else "false"}
        elif path == "/user":
            made.pop("password", None)
        elif path in ("/system/script", "/system/scheduler"):
            made.setdefault("run-count", "0")
        return made

    def _invalid_rule(self, row: dict) -> str:
        for name in ("in-interface", "out-interface"):
            held = row.get(name, "").removeprefix("!")
            if held and not self.interface(held) and held not in ("all-ethernet", "all-vlan", "all-ppp", "all-wireless", "lo"):
                return "true"
        return "false"

    def _view_interface(self) -> list[dict]:
        made = []
        ports = {row["interface"] for row in self.stored("/interface/bridge/port") if row.get("disabled") != "true"}
        for path, kind in m.INTERFACES.items():
            for row in self.rows.get(path, []):
                one = {".id": row[".id"], "name": row["name"], "type": kind, "mtu": row.get("mtu", "1500"), "actual-mtu": "1500", "disabled": row.get("disabled", "false"), "running": "true" if self.up(row["name"]) else "false", "rx-byte": "118714", "tx-byte": "6297649", "rx-packet": "1769", "tx-packet": "22960", "rx-error": "0", "tx-error": "0", "rx-drop": "0", "tx-drop": "0", "link-downs": "0", "mac-address": row.get("mac-address", "0C:00:E6:0A:3D:2E")}
                one |= {key: row[key] for key in ("comment", "default-name") if key in row}
                one |= {"slave": "true"} if row["name"] in ports else {}
                made.append(one)
        return made

    def _view_ip_address(self) -> list[dict]:
        made = []
        slaves = {row["interface"]: row["bridge"] for row in self.stored("/interface/bridge/port") if row.get("disabled") != "true"}
        for row in self.stored("/ip/address"):
            name = row["interface"]
            made.append({**row, "actual-interface": slaves.get(name, name), "network": row.get("network") or v.network_of(row["address"]), "dynamic": row.get("dynamic", "false"), "invalid": "false" if self.interface(name) or name == "lo" else "true"})
            if m.order_of(self.version) >= (7, 20):
                made[-1] |= {"slave": "true" if name in slaves else "false", "vrf": "main"}
        return made

    def connected(self) -> list[dict]:
        """The routes that addresses make."""
        made = []
        for at, row in enumerate(self._view_ip_address()):
            if row.get("disabled") == "true" or row["invalid"] == "true" or not self.up(row["actual-interface"]):
                continue
            length = ipaddress.IPv4Interface(row["address"]).network.prefixlen
            made.append({".id": f"*2018{at:04X}", "dst-address": f"{row['network']}/{length}", "gateway": row["actual-interface"], "immediate-gw": row["actual-interface"], "local-address": row["address"].split("/")[0] + "%" + row["actual-interface"], "active": "true", "connect": "true", "dynamic": "true", "inactive": "false", "distance": "0", "scope": "10", "routing-table": "main", "_device": row["actual-interface"]})
        return made

    def _view_ipv6_address(self) -> list[dict]:
        return six.addresses(self)

    def _view_ipv6_route(self) -> list[dict]:
        return six.routes(self)

    def _view_ipv6_pool(self) -> list[dict]:
        return six.pools(self)

    def _view_ipv6_dhcp_client(self) -> list[dict]:
        return six.clients(self)

    def _view_ip_route(self) -> list[dict]:
        connected, made = self.connected(), []
        for row in self.stored("/ip/route"):
            if row.get("disabled") == "true":
                made.append({key: row[key] for key in (".id", "dst-address", "gateway", "comment") if key in row} | {"disabled": "true", "inactive": "true", "static": "true"})
                continue
            device = self.next_hop(row, connected)
            one = {**row, "static": "true", "dynamic": "false", "inactive": "false" if device else "true"}
            if device:
                one |= {"active": "true"}
                if device != "blackhole":
                    one |= {"immediate-gw": row["gateway"] if row["gateway"] == device else f"{row['gateway']}%{device}"}
            made.append(one)
        return made + connected

    def next_hop(self, row: dict, connected: list[dict]) -> str:
        """The interface a static route leaves by, `blackhole`, or nothing where its gateway is not reached."""
        if "blackhole" in row:
            return "blackhole"
        if ":" in row.get("gateway", ""):
            return six.next_hop(self, row["gateway"], connected)
        gateway = row.get("gateway", "").split("%")[0]
        if self.interface(gateway):
            return gateway if self.up(gateway) else ""
        try:
            held = [route for route in connected if ipaddress.IPv4Address(gateway) in ipaddress.IPv4Network(route["dst-address"])]
        except ValueError:
            return ""
        return max(held, key=lambda route: ipaddress.IPv4Network(route["dst-address"]).prefixlen)["_device"] if held else ""

    # --- writing -----------------------------------------------------------------------------

    def fresh_id(self, path: str) -> str:
        """The next `.id`; none is used twice."""
        family = "/interface" if path in m.INTERFACES else path
        first = {"/system/scheduler": 0, "/ip/route": 0x80000001, "/ipv6/route": 0x80000001, "/file": 0x8020000}.get(family, 1)
        self.counters[family] = self.counters.get(family, first - 1) + 1
        return f"*{self.counters[family]:X}"

    def checked(self, path: str, given: dict, verb: str, row: dict | None = None) -> dict:
        """`given` as the router keeps it, or Refused."""
        allowed, made = self.menus.arguments(path, verb), {}
        for key, value in given.items():
            name = key.removeprefix("!")
            if name not in allowed and not (path in m.INTERFACES and name == "name"):
                raise Refused(f"unknown parameter {name}")
            if key.startswith("!"):
                made[name] = None
                continue
            value = ("true" if value else "false") if isinstance(value, bool) else str(value)
            optional = value == "" and name not in ("address", "name", "interface", "chain", "action", "disabled")
            made[name] = value if optional else self.menus.checker(path, name)(value, name)
            self._reference(path, name, made[name])
        if path in ROUTES and "blackhole" in made:
            made["blackhole"] = "" if made["blackhole"] in ("", "yes", "true") else None  # a flag that is there or not
        if path == "/user/group" and "policy" in made:
            made["policy"] = policies(made["policy"], row["policy"] if row else "")
        if path == "/user" and made.get("group") and not self.find("/user/group", name=made["group"]):
            raise Refused("input does not match any value of group")
        if "reject-with" in made and made.get("action", (row or {}).get("action")) != "reject":
            made.pop("reject-with")
        return made

    def _reference(self, path: str, name: str, value: str) -> None:
        body = value.removeprefix("!")
        if name in m.INTERFACE_ARGS and body and body not in ("all", "none", "all-ethernet", "all-vlan", "all-ppp", "all-wireless", "lo", "*"):
            if path.startswith(("/ip/neighbor", "/tool")) or self.interface(body):
                return
            raise Refused(f"input does not match any value of {name}")
        if name in ("in-interface-list", "out-interface-list", "list") and path not in LISTS and body and body not in ("all", "none", "dynamic", "static"):
            if not self.find("/interface/list", name=body):
                raise Refused(f"input does not match any value of {name}")
        if name == "certificate" and body not in ("none", "") and not self.find("/certificate", name=body):
            raise Refused("input does not match any value of certificate")
        if name == "gateway" and path in ROUTES and body and not self.interface(body.split("%")[0]):
            try:
                ipaddress.ip_address(body.split("%")[0])
            except ValueError:
                raise Refused("invalid or unexpected argument base") from None

    def _unique(self, path: str, row: dict) -> None:
        if path not in m.UNIQUE:
            return
        keys, refusal = m.UNIQUE[path]
        for other in self.stored(path):
            if other is not row and other.get(".id") != row.get(".id") and all(other.get(key) == row.get(key) for key in keys):
                raise Refused(refusal)
        if path in m.INTERFACES and any(other["name"] == row["name"] and other[".id"] != row.get(".id") for other in self.stored("/interface")):
            raise Refused("failure: already have interface with such name")

    def add(self, path: str, given: dict, who: str = "admin") -> dict:
        """A new row, with its defaults."""
        with self.lock:
            if path in m.FIXED or "add" not in self.menus.commands(path):
                raise Refused("no such command or directory (add)")
            given = dict(given)
            before, copied = given.pop("place-before", None), given.pop("copy-from", None)
            if before is not None and path not in m.ORDERED:
                raise Refused("unknown parameter place-before")
            base = {key: value for key, value in self.by_id(path, copied).items() if key != ".id"} if copied else {}
            made = {**m.DEFAULTS.get(path, {}), **base, **{key: value for key, value in self.checked(path, given, "add").items() if value is not None}}
            for name in m.REQUIRED.get(path, ()):
                if not made.get(name):
                    raise Refused(f"missing ={name}=")
            made = {key: value for key, value in made.items() if not (key == "comment" and value == "")}
            self._fill(path, made, who)
            self._unique(path, made)
            made[".id"] = self.fresh_id(path)
            rows = self.stored(path)
            at = next((at for at, row in enumerate(rows) if row[".id"] == before), None) if before else None
            if before is not None and at is None:
                raise Refused("no such item", NOT_FOUND)
            rows.insert(len(rows) if at is None else at, made)
            self.changed(path)
            return made

    def _fill(self, path: str, made: dict, who: str) -> None:
        if path in ("/system/script", "/system/scheduler"):
            made.setdefault("name", self._free_name(path, "script" if path.endswith("script") else "schedule"))
            made["owner"] = who
        if path == "/ip/address" and not made.get("network"):
            made["network"] = v.network_of(made["address"])
        if path in m.INTERFACES:
            made.setdefault("name", self._free_name("/interface", m.INTERFACES[path]))
        if path in LISTS:
            made["creation-time"] = self.now()
            self._runs_out(made)
        if path == "/user/group":
            made["policy"] = policies(made.get("policy", ""), "")
        if path in ROUTES and made.get("gateway") is None and "blackhole" not in made:
            raise Refused("missing =gateway=")
        if path in ROUTES:
            made.setdefault("dst-address", "0.0.0.0/0" if path == "/ip/route" else "::/0")
        if path in m.FIREWALLS and made.get("action") in ("jump",) and not made.get("jump-target"):
            raise Refused("missing =jump-target=")
        if path in m.FIREWALLS and made.get("action") == "reject":
            made.setdefault("reject-with", "icmp-network-unreachable" if path.startswith("/ip/") else "icmp-no-route")

    def _runs_out(self, row: dict) -> None:
        """An entry with a timeout is dynamic and goes away by itself."""
        length = v.milliseconds(row.get("timeout", ""))
        row.pop("_ends", None)
        if length:
            row["dynamic"], row["_ends"] = "true", self.uptime() + length / 1000

    def expire(self) -> None:
        """Takes away what has run out."""
        with self.lock:
            for rows in map(self.stored, LISTS):
                for row in [row for row in rows if row.get("_ends", self.uptime() + 1) <= self.uptime()]:
                    rows.remove(row)

    def _free_name(self, path: str, stem: str) -> str:
        taken = {row.get("name") for row in self.stored(path)}
        return next(f"{stem}{count}" for count in range(1, 10000) if f"{stem}{count}" not in taken)

    def store_of(self, path: str, row: dict) -> str:
        """The menu that holds a row: interfaces are kept by kind."""
        if path != "/interface":
            return path
        return next(kind for kind in m.INTERFACES if row in self.rows.get(kind, []))

    def set(self, path: str, identity: str, given: dict) -> dict:
        """Values of one row changed."""
        with self.lock:
            row = self.by_id(path, identity)
            if row.get("connection") == "true" or (row not in self.stored(path)):
                raise Refused("failure: can not change dynamic")
            made = self.checked(path, given, "set", row)
            old_name = row.get("name")
            trial = dict(row)
            for key, value in made.items():
                if value is None or (value == "" and (key == "comment" or (path in m.FIREWALLS and key not in ("log-prefix",)))):
                    trial.pop(key, None)
                else:
                    trial[key] = value
            for name in m.REQUIRED.get(path, ()):
                if not trial.get(name):
                    raise Refused(f"missing ={name}=")
            self._unique(path, trial)
            if path == "/ip/address" and ("address" in made or not trial.get("network")) and "network" not in made:
                trial["network"] = v.network_of(trial["address"])
            if path == "/user" and old_name == "admin" and made.get("disabled") == "true" and not self._other_full(row):
                raise Refused("failure: can not disable last full user")
            if path in LISTS and "timeout" in made:
                self._runs_out(trial)
            row.clear()
            row.update(trial)
            if old_name and row.get("name") != old_name and self.interface(row["name"]):
                self._renamed(old_name, row["name"])
            self.changed(path)
            return row

    def _renamed(self, old: str, new: str) -> None:
        for rows in self.rows.values():
            for row in rows:
                for key in m.INTERFACE_ARGS & set(row):
                    row[key] = new if row[key] == old else row[key]
                for key in {"tagged", "untagged"} & set(row):
                    row[key] = ",".join(new if part == old else part for part in row[key].split(","))
                if row.get("gateway") == old:
                    row["gateway"] = new

    def _other_full(self, row: dict) -> bool:
        return any(other is not row and other.get("group") == "full" and other.get("disabled") != "true" for other in self.stored("/user"))

    def set_one(self, path: str, given: dict) -> None:
        """A singleton changed."""
        with self.lock:
            if "set" not in self.menus.commands(path):
                raise Refused("no such command or directory (set)")
            held = self.one(path)
            for key, value in self.checked(path, given, "set").items():
                held[key] = "" if value is None else value
            self.changed(path)

    def unset(self, path: str, identity: str, name: str) -> None:
        """One value of a row taken away."""
        with self.lock:
            row = self.by_id(path, identity)
            if name not in self.menus.arguments(path, "set"):
                raise Refused("input does not match any value of value-name")
            if name in m.REQUIRED.get(path, ()):
                raise Refused(f"failure: can not unset {name}")
            row.pop(name, None)
            if name in m.DEFAULTS.get(path, {}):
                row[name] = m.DEFAULTS[path][name]
            self.changed(path)

    def remove(self, path: str, identity: str) -> None:
        """A row taken away; what speaks of it reads as its dead id from then on."""
        with self.lock:
            row = self.by_id(path, identity)
            if path in m.FIXED or "remove" not in self.menus.commands(path):
                raise Refused("no such command or directory (remove)")
            if row not in self.stored(path):
                raise Refused("failure: can not remove dynamic")
            if path == "/user/group" and any(user["group"] == row["name"] for user in self.stored("/user")):
                raise Refused("failure: group has some users")
            if path == "/user" and row["group"] == "full" and not self._other_full(row):
                raise Refused("failure: can not remove last full user")
            self.stored(path).remove(row)
            if path in m.INTERFACES:
                self._renamed(row["name"], row[".id"])
            self.changed(path)

    def move(self, path: str, numbers: list[str], destination: str | None) -> None:
        """Rows put before another; an unknown destination is the end, without a word."""
        with self.lock:
            if path not in m.ORDERED:
                raise Refused("no such command or directory (move)")
            if not numbers:
                raise Refused("missing =.id=")
            rows = self.stored(path)
            moved = [self.by_id(path, one) for one in numbers]
            if destination in numbers:
                raise Refused("failure: can not move object before itself")
            for row in moved:
                rows.remove(row)
            at = next((at for at, row in enumerate(rows) if row[".id"] == destination), len(rows))
            rows[at:at] = moved
            self.changed(path)


def policies(given: str, held: str) -> str:
    """A group's policy list, all spelt out: `set` changes only what it names."""
    state = {part.removeprefix("!"): not part.startswith("!") for part in held.split(",") if part}
    state = {name: state.get(name, False) for name in m.POLICIES}
    for part in str(given).split(","):
        name = part.removeprefix("!")
        if part and name not in state:
            raise Refused("input does not match any value of policy")
        if part:
            state[name] = not part.startswith("!")
    return ",".join([name for name in state if state[name]] + ["!" + name for name in state if not state[name]])
