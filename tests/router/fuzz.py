"""Random edits on random routers, judged by the simulator's own tables.

tests/router/fuzz.py [--mode drafts|kept|undone] [--seed N] [--rounds N] [--edits N] [--jobs N]
drafts   what a draft calls harmless does not cut us off
kept     what is confirmed is what the same edits make of the tables when the simulator does them itself; what is not, is as before
undone   applied, the program killed: the router alone takes it back
"""

from __future__ import annotations

import argparse
import concurrent.futures
import copy
import ipaddress
import json
import random
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

import factory  # noqa: E402
import lockout  # noqa: E402
import plant  # noqa: E402
import values as v  # noqa: E402
from plant import expect  # noqa: E402

FILTER, RAW, NAT, LISTS, MEMBER, ADDRESS, ROUTE, SERVICE = "/ip/firewall/filter", "/ip/firewall/raw", "/ip/firewall/nat", "/ip/firewall/address-list", "/interface/list/member", "/ip/address", "/ip/route", "/ip/service"
PORTS = {"www-ssl": factory.HTTPS, "ssh": factory.SSH}


class Dice:
    """Random values that have to do with us, more often than not."""

    def __init__(self, seed: int, router) -> None:
        self.random, self.router = random.Random(seed), router
        self.count = 0

    def pick(self, *choices):
        return self.random.choice(choices)

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def name(self) -> str:
        self.count += 1
        return f"n{self.count}"

    def network(self) -> str:
        base = self.pick(self.router.client, self.router.client, self.router.local, self.router.world.gateway or self.router.client, "10.9.0.7", "192.0.2.3")
        length = self.pick(8, 16, 24, 25, 28, 30, 32)
        net = ipaddress.ip_network(f"{base}/{length}", strict=False)
        return str(net.network_address) if length == 32 else str(net)

    def source(self) -> str:
        made = self.network()
        if self.chance(0.15):
            first = ipaddress.ip_address(self.router.client)
            made = f"{first - self.random.randrange(3)}-{first + self.random.randrange(6)}"
        return ("!" if self.chance(0.2) else "") + made

    def ports(self) -> str:
        made = self.pick(str(factory.HTTPS), str(factory.SSH), f"{factory.HTTPS},{factory.SSH}", "20000-21000", "22,80", "1-20442", "20444-65535", "80,20000-20022")
        return ("!" if self.chance(0.15) else "") + made

    def rule(self, table: str) -> dict:
        """A rule with a few matchers."""
        made: dict = {}
        chain = {"filter": ("input", "input", "input", "output", "forward", "mine", "deep"), "raw": ("prerouting", "prerouting", "output"), "nat": ("dstnat", "dstnat", "srcnat")}[table]
        made["chain"] = self.pick(*chain)
        actions = {"filter": ("accept", "drop", "drop", "reject", "tarpit", "jump", "return", "log", "passthrough"), "raw": ("accept", "drop", "drop"), "nat": ("accept", "redirect", "dst-nat")}[table]
        made["action"] = self.pick(*actions)
        if made["chain"] == "srcnat":
            made["action"] = "accept"
        if made["action"] == "jump":
            made["jump-target"] = self.pick("mine", "deep")
        if made["action"] == "redirect":
            made["to-ports"] = self.pick("1", str(factory.HTTPS))
        if made["action"] == "dst-nat":
            made["to-addresses"] = "10.9.0.5"
        for _ in range(self.pick(1, 1, 2, 2, 3)):
            made |= self.matcher(made)
        if made["action"] in ("redirect", "tarpit"):
            made["protocol"] = "tcp"
        if "dst-port" in made or "port" in made or "src-port" in made or "tcp-flags" in made:
            made["protocol"] = "tcp"
        return made

    def matcher(self, rule: dict) -> dict:
        output = rule["chain"] in ("output", "srcnat", "postrouting")
        side = "out" if output else "in"
        kind = self.random.randrange(13)
        bridge = [row["name"] for row in self.router.tables.stored("/interface")]
        negate = "!" if self.chance(0.25) else ""
        return [
            lambda: {"src-address": self.source()}, lambda: {"dst-address": self.source()}, lambda: {"protocol": negate + self.pick("tcp", "tcp", "udp", "icmp", "6")}, lambda: {"dst-port": self.ports()}, lambda: {"port": self.ports()},
            lambda: {f"{side}-interface": negate + self.pick(*bridge)}, lambda: {f"{side}-interface-list": negate + self.pick("LAN", "WAN", "MGMT", "all")}, lambda: {"connection-state": negate + self.pick("new", "invalid", "established,related", "invalid,new", "established,new")} if rule["chain"] not in ("prerouting",) else {},
            lambda: {"src-address-list": negate + self.pick("mgr", "bad")}, lambda: {"dst-address-list": negate + self.pick("mgr", "bad")}, lambda: {"dst-address-type": negate + self.pick("local", "unicast", "broadcast")}, lambda: {"tcp-flags": self.pick("syn", "syn,!ack", "ack", "rst")}, lambda: {"src-address-type": negate + self.pick("local", "unicast")},
        ][kind]()

    def spice(self) -> None:
        """Random rows, as long as we still get in."""
        tables = self.router.tables
        factory.put(tables, "/interface/list", name="MGMT", include=self.pick("", "LAN"), exclude="")
        for name in ("mgr", "bad"):
            for _ in range(2):
                self.try_add(LISTS, {"list": name, "address": self.pick(self.router.client, "192.0.2.0/24", self.network())})
        for _ in range(self.random.randrange(8)):
            row = self.rule("filter")
            self.try_add(FILTER, row | {"place-before": self.pick(*[one[".id"] for one in tables.stored(FILTER)])})
        for path, table in ((RAW, "raw"), (NAT, "nat")):
            for _ in range(self.random.randrange(3)):
                self.try_add(path, self.rule(table))
        self.try_add(MEMBER, {"list": "MGMT", "interface": self.pick("bridge", "ether1", "ether4")})
        for path in (FILTER, RAW, NAT, LISTS, MEMBER, ADDRESS, ROUTE, "/interface/bridge/port", "/interface/bridge/vlan", "/interface/vlan"):
            for row in tables.stored(path):
                row["comment"] = self.name()

    def try_add(self, path: str, values: dict) -> None:
        tables = self.router.tables
        held = copy.deepcopy(tables.rows)
        try:
            tables.add(path, values)
        except v.Refused:
            return
        if not in_reach(self.router, True):
            tables.rows = held

    # --- edits ---------------------------------------------------------------------------------

    def edit(self) -> list[dict]:
        """One random edit, sometimes two."""
        made = [self.one()]
        if self.chance(0.25):
            made.append(self.one())
        return made

    def one(self) -> dict:
        kind = self.pick(self.firewall, self.firewall, self.firewall, self.address, self.route, self.lists, self.members, self.service, self.link, self.link)
        return kind()

    def row(self, path: str) -> dict | None:
        rows = [row for row in self.router.tables.stored(path) if row.get("comment")]
        return self.random.choice(rows) if rows else None

    def on(self, path: str, values, add=None) -> dict:
        """A verb on a random row of a menu, or a new one."""
        row = self.row(path)
        if add and (row is None or self.chance(0.4)):
            made = {"menu": path, "op": "add", "values": add(), "match_all": True}
            if path in (FILTER, RAW, NAT) and row and self.chance(0.8):
                made["place_before"] = {"comment": row["comment"]}
            return made
        if row is None:
            return self.service()
        match = {"comment": row["comment"]}
        op = self.pick("set", "set", "disable", "remove", *(["move"] if path in (FILTER, RAW, NAT) else []))
        if row.get("disabled") == "true" and self.chance(0.7):
            op = "enable"
        if op == "move":
            return {"menu": path, "op": op, "match": match, "place_before": {"comment": self.row(path)["comment"]}}
        if op == "set":
            return {"menu": path, "op": op, "match": match, "values": values(row), "match_all": True}
        return {"menu": path, "op": op, "match": match}

    def firewall(self) -> dict:
        path, table = self.pick((FILTER, "filter"), (FILTER, "filter"), (RAW, "raw"), (NAT, "nat"))

        def change(row: dict) -> dict:
            made = self.rule(table)
            name = self.pick(*[key for key in made if key not in ("chain", "jump-target", "to-ports", "to-addresses")])
            if self.chance(0.2):
                held = [key for key in row if key in ("src-address", "connection-state", "in-interface", "in-interface-list", "src-address-list", "dst-address")]
                if held:
                    return {self.pick(*held): None}
            if name == "action" and made["action"] in ("jump", "redirect", "dst-nat"):
                return {"action": "accept"}
            return {name: made[name]}

        return self.on(path, change, lambda: self.rule(table))

    def address(self) -> dict:
        host = lambda: f"{self.pick(self.router.local, self.router.client, self.router.world.gateway or self.router.client, '10.9.7.1')}/{self.pick(8, 24, 25, 27, 28, 30, 32)}"
        near = lambda: f"{ipaddress.ip_address(self.pick(self.router.client, self.router.world.gateway or self.router.client)) + self.pick(-1, 1, 2)}/{self.pick(24, 28, 29, 30)}"
        interface = lambda: self.pick("bridge", "ether1", "ether3", "ether4", "ether5")
        change = lambda row: self.pick({"interface": interface()}, {"address": row["address"].split("/")[0] + f"/{self.pick(8, 16, 25, 26, 28, 30, 32)}"}, {"address": host()})
        return self.on(ADDRESS, change, lambda: {"address": self.pick(host, near, near)(), "interface": interface()})

    def route(self) -> dict:
        gateway = lambda: self.pick("10.9.0.254", "10.9.0.253", self.router.world.gateway or "10.10.0.254", "ether3", "ether4")
        prefix = lambda: (lambda net: net if "/" in net else net + "/32")(self.network())
        change = lambda row: self.pick({"gateway": gateway()}, {"dst-address": prefix()}, {"distance": str(self.pick(1, 2, 50))})
        return self.on(ROUTE, change, lambda: {"dst-address": prefix(), **({"blackhole": "yes"} if self.chance(0.2) else {"gateway": gateway()})})

    def lists(self) -> dict:
        change = lambda row: self.pick({"list": self.pick("mgr", "bad")}, {"address": self.pick(self.router.client, self.network())})
        return self.on(LISTS, change, lambda: {"list": self.pick("mgr", "bad"), "address": self.pick(self.router.client, self.network())})

    def members(self) -> dict:
        if self.chance(0.2):
            return {"menu": "/interface/list", "op": "set", "match": {"name": self.pick("LAN", "MGMT", "WAN")}, "values": self.pick({"include": self.pick("", "LAN", "WAN")}, {"exclude": self.pick("", "LAN", "WAN")})}
        names = [row["name"] for row in self.router.tables.stored("/interface")]
        change = lambda row: self.pick({"list": self.pick("LAN", "WAN", "MGMT")}, {"interface": self.pick(*names)})
        return self.on(MEMBER, change, lambda: {"list": self.pick("LAN", "WAN", "MGMT"), "interface": self.pick(*names)})

    def service(self) -> dict:
        name = self.pick("www-ssl", "ssh", "winbox", "api")
        net = lambda: (lambda one: one if "/" in one else one + "/32")(self.network())
        values = self.pick({"address": ",".join(net() for _ in range(self.pick(1, 2)))}, {"port": str(self.pick(20443, 20022, 20500))}, {"disabled": self.pick("yes", "no")})
        return {"menu": SERVICE, "op": "set", "match": {"name": name}, "values": values}

    def link(self) -> dict:
        kind = self.random.randrange(7)
        ether = self.pick("ether1", "ether2", "ether3", "ether4")
        if kind == 0:
            return {"menu": "/interface/ethernet", "op": self.pick("disable", "enable"), "match": {"name": ether}}
        if kind == 1:
            return self.on("/interface/bridge/port", lambda row: self.pick({"pvid": str(self.pick(1, 10, 20, 30))}, {"frame-types": self.pick("admit-all", "admit-only-vlan-tagged", "admit-only-untagged-and-priority-tagged")}, {"ingress-filtering": self.pick("yes", "no")}))
        if kind == 2:
            return self.on("/interface/bridge/vlan", lambda row: self.pick({"vlan-ids": self.pick("10", "20", "10,20", "5-12", "30")}, {"tagged": self.pick("", "bridge", "bridge,ether3", "ether2", "bridge,ether2")}, {"untagged": self.pick("", "ether2", "ether3", "ether2,ether3")}))
        if kind == 3:
            return self.on("/interface/vlan", lambda row: self.pick({"vlan-id": str(self.pick(10, 20))}, {"interface": self.pick("bridge", "ether2", "ether3")}))
        if kind == 4:
            return {"menu": "/interface/bridge", "op": "set", "match": {"name": "bridge"}, "values": self.pick({"vlan-filtering": self.pick("yes", "no")}, {"pvid": str(self.pick(1, 10))}, {"disabled": self.pick("yes", "no")}, {"arp": self.pick("enabled", "disabled", "proxy-arp")})}
        if kind == 5:
            return {"menu": "/interface", "op": self.pick("disable", "enable"), "match": {"name": self.pick("bridge", ether)}}
        return {"menu": "/interface/ethernet", "op": "set", "match": {"name": ether}, "values": self.pick({"arp": self.pick("enabled", "disabled")}, {"mtu": "1400"})}


def in_reach(router, both: bool = False) -> bool:
    """Whether every service we use lets us in now: new connections and what follows on them."""
    if any(row["address"].split("/")[0] == router.client and row.get("disabled") != "true" for row in router.tables.stored(ADDRESS)):
        return False
    for name in PORTS:
        row = router.tables.find(SERVICE, name=name)
        if lockout.service_open(router, name, router.local, router.client)[0] != lockout.ACCEPT or int(row["port"]) != PORTS[name]:
            return False
        for state in ("new", "established"):
            if lockout.reaches(router, router.local, 40000, PORTS[name], state)[0] != lockout.ACCEPT:
                return False
    return True


def tried(router, edits: list[dict]) -> tuple[bool, str]:
    """The simulator's verdict on edits, and whether it would take them; everything is put back."""
    reached, refused = as_if(router, edits, lambda: in_reach(router))
    return (True, refused) if refused else (reached, "")


def as_if(router, edits: list[dict], look) -> tuple:
    """What `look` sees once these edits are made, or nothing and why one is refused; everything is put back."""
    tables = router.tables
    with tables.lock:
        held, ones, told = copy.deepcopy(tables.rows), copy.deepcopy(tables.ones), tables.changed
        tables.changed = lambda path: None
        try:
            for one in edits:
                done(tables, one)
            return look(), ""
        except v.Refused as fault:
            return None, fault.text
        finally:
            tables.rows, tables.ones, tables.changed = held, ones, told


def done(tables, one: dict) -> None:
    """One edit, as an operator at the router would do it."""
    path, op = one["menu"], one["op"]
    find = lambda wanted: tables.find(path, **wanted)[".id"]
    if op == "add":
        before = {"place-before": find(one["place_before"])} if one.get("place_before") else {}
        tables.add(path, {**one["values"], **before})
    elif op == "move":
        tables.move(path, [find(one["match"])], find(one["place_before"]))
    elif op == "remove":
        tables.remove(path, find(one["match"]))
    else:
        path = path if path != "/interface" else tables.store_of(path, tables.find(path, **one["match"]))
        row = tables.find(path, **one["match"])
        if op in ("enable", "disable"):
            tables.set(path, row[".id"], {"disabled": "no" if op == "enable" else "yes"})
        for name, value in one.get("values", {}).items():
            tables.unset(path, row[".id"], name) if value is None else tables.set(path, row[".id"], {name: value})


def spiced(place, seed: int):
    """A random router and its dice."""
    random_ = random.Random(seed)
    router = place.router(layout=random_.choice(("bridge", "routed", "vlan")), policy=factory.GROUP)
    dice = Dice(seed, router)
    dice.spice()
    return router, dice


def planned(dice: Dice, router) -> list[dict]:
    """One to three edits that the simulator would take in this order."""
    while True:
        edits = [one for _ in range(dice.pick(1, 1, 2, 3)) for one in [dice.one()]]
        try:
            if not tried(router, edits)[1]:
                return edits
        except (TypeError, KeyError, StopIteration):
            continue


def made_of(router, edits: list[dict]) -> dict:
    """The tables as these edits make them; they are put back."""
    tables, refused = as_if(router, edits, router.dump)
    expect(not refused, f"the simulator refuses what it took before: {refused}")
    return tables


def kept_round(seed: int, count: int, say) -> tuple[int, int, list[str]]:
    """Plans one after the other on one router, each confirmed where it does not cut us off."""
    made, wrong = 0, []
    with plant.site() as place:
        router, dice = spiced(place, seed)
        for _ in range(count):
            edits = planned(dice, router)
            if not tried(router, edits)[0]:
                continue
            wanted, before = made_of(router, edits), router.dump()
            answer = place.try_draft(edits)
            if answer.code:
                say(f"    refused {json.dumps(edits)}: {plant.short(answer.err, 300)}")
                continue
            plan = json.loads(answer.out)
            place.approve(plan)
            place.apply(plan)
            view = place.show(plan)
            if view["state"] == "executing":
                place.confirm(plan)
                view = place.settled(plan, 120)
            made += 1
            now = router.dump()
            told = f"seed {seed}: {view['state']} {plant.short(view['devices'][0]['error'], 200)}: {json.dumps(edits)}"
            if view["state"] != "confirmed":
                wrong.append(told + f"; {plant.difference(before, now)}")
            elif plant.difference(wanted, now):
                wrong.append(told + f"; against its own: {plant.difference(wanted, now)}")
            if plant.left_behind(router):
                wrong.append(told + f"; left {plant.left_behind(router)}")
            if wrong and wrong[-1].startswith(told):
                say("  FAIL " + plant.short(wrong[-1], 1500))
    return made, made, wrong


def undone_round(seed: int, _count: int, say) -> tuple[int, int, list[str]]:
    """One plan on one router, the program killed after it was applied."""
    import course
    wrong = []
    with plant.site() as place:
        router, dice = spiced(place, seed)
        edits, before = planned(dice, router), router.dump()
        answer = place.try_draft(edits, confirm="manual")
        if answer.code:
            say(f"    refused {json.dumps(edits)}: {plant.short(answer.err, 300)}")
            return 0, 0, []
        plan = json.loads(answer.out)
        harmless = plan["risk"] in ("low", "medium") and plan["can_cut_access"] == "no"
        if harmless:
            return 0, 0, []
        place.approve(plan)
        place.apply(plan, wait=False)
        ends = plant.time.monotonic() + 60
        while plant.time.monotonic() < ends and plant.PREFIX not in str(router.tables.rows.get("/system/script")):
            plant.time.sleep(0.02)
        while plant.time.monotonic() < ends and place.daemon and not course.gone_over(router, before):
            plant.time.sleep(0.02)
        plant.time.sleep(dice.pick(0.05, 0.3, 1.5))
        place.kill()
        course.wait_clean(router, before, 120)
        changed, left = plant.difference(before, router.dump()), plant.left_behind(router)
        place.start()
        view = place.settled(plan, 60)
        told = f"seed {seed}: {view['state']}: {json.dumps(edits)}"
        if changed or left or view["state"] not in ("rolled_back", "failed"):
            log = [line["message"] for line in router.lines if "guard" in line["message"] or "simulator" in line["topics"]]
            wrong.append(f"{told}; {changed} {left} {plant.short(view['devices'][0]['error'], 150)} {plant.short(log, 500)}")
            say("  FAIL " + plant.short(wrong[-1], 2000))
    return 1, 1, wrong


def round_of(seed: int, count: int, say) -> tuple[int, int, list[str]]:
    """One random router, and `count` random edits on it."""
    made, drafted, wrong = 0, 0, []
    layout = random.Random(seed).choice(("bridge", "routed", "vlan"))
    with plant.site() as place:
        router = place.router(layout=layout, policy=factory.GROUP)
        dice = Dice(seed, router)
        dice.spice()
        if not in_reach(router):
            return 0, 0, [f"seed {seed}: the simulator shuts itself off at the start"]
        for _ in range(count):
            edits = dice.edit()
            try:
                fine, why = tried(router, edits)
            except (TypeError, KeyError, StopIteration):
                continue
            if why:
                continue
            made += 1
            answer = place.try_draft(edits)
            if answer.code:
                say(f"    refused {json.dumps(edits)}: {plant.short(answer.err, 200)}")
                continue
            drafted += 1
            plan = json.loads(answer.out)
            if not fine and plan["can_cut_access"] == "no":
                wrong.append(f"seed {seed} {layout}: called harmless, cuts us off: {json.dumps(edits)} risk {plan['risk']}")
                say("  FAIL " + wrong[-1])
            elif fine and plan["can_cut_access"] == "yes":
                say(f"    too careful ({plan['cut_reasons'][:1]}): {json.dumps(edits)}")
            place.run("plan", "cancel", plan["id"])
    return made, drafted, wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mode", choices=("drafts", "kept", "undone"), default="drafts")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--edits", type=int, default=40)
    asked = parser.parse_args()
    run = {"drafts": round_of, "kept": kept_round, "undone": undone_round}[asked.mode]
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(asked.jobs) as pool:
        say = lambda line: print(line, flush=True)
        for ran in concurrent.futures.as_completed([pool.submit(run, seed, asked.edits, say) for seed in range(asked.seed, asked.seed + asked.rounds)]):
            try:
                _, drafted, wrong = ran.result()
            except Exception as fault:
                say(f"  FAIL {type(fault).__name__}: {plant.short(fault, 600)}")
                failed += 1
                continue
            passed, failed = passed + drafted - len(wrong), failed + len(wrong)
    print(f"fuzz: {passed} passed, {failed} failed", flush=True)
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
