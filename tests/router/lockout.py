"""Whether a connection reaches a service: the path of a frame to the router, the tables it meets there, and the way back.

Over IPv6 the router and its neighbour have to find each other too; their messages meet the same tables, tracked by nobody.
"""

from __future__ import annotations

import ipaddress
import time
from dataclasses import dataclass

import six
import values as v

ACCEPT, DROP, REJECT = "accept", "drop", "reject"


@dataclass
class World:
    """Where the client stands: its address as the router sees it, the port its frames come in by, and the next router if it is not a neighbour."""

    client: str = "127.0.0.1"
    port: str = "ether2"
    vlan: int = 0  # 0 is untagged
    gateway: str = ""
    mac: str = "0C:00:AA:00:00:01"
    spelt: str = ""  # how the router writes the client where it tells who is there, if not as it is

    @property
    def seen(self) -> str:
        """The client as it stands among the active users."""
        return self.spelt or self.client


@dataclass
class Packet:
    """What rules look at."""

    chain: str
    src: str
    dst: str
    src_port: int
    dst_port: int
    in_interface: str
    out_interface: str
    state: str
    mac: str = ""
    in_bridge_port: str = ""
    flags: tuple[str, ...] = ()
    protocol: str = "tcp"
    icmp: str = ""


def flagged(held: str, flags: tuple[str, ...]) -> bool:
    """Whether TCP flags are as a rule wants them."""
    return all((part[1:] not in flags) if part.startswith("!") else part in flags for part in held.split(","))


def reaches(router, local: str, peer_port: int, port: int, state: str = "new") -> tuple[str, str]:
    """The verdict on a packet of the client to `local`:`port`, and why."""
    world, tables = router.world, router.tables
    with tables.lock:
        if router.dead:
            return DROP, "the router is down"
        device, why = arrives_on(router)
        if not device:
            return DROP, why
        rows = [row for row in tables.shown(f"{family(local)}/address") if row["address"].split("/")[0] == local and row.get("disabled") != "true" and row["invalid"] == "false" and tables.up(row["actual-interface"])]
        if not rows:
            return DROP, f"nothing has {local}"
        arp = (tables.interface(device) or ("", {}))[1].get("arp", "enabled")
        if arp == "disabled" and not world.gateway and family(local) == "/ip":
            return DROP, f"no ARP on {device}"
        if not world.gateway and not any(row["actual-interface"] == device for row in rows):
            return DROP, f"{local} is not on {device}"
        into = Packet("prerouting", world.client, local, peer_port, port, device, "", state, world.mac, world.port if device == "bridge" else "", ("syn",) if state == "new" else ("ack",))
        for table, chain in (("raw", "prerouting"), ("nat", "dstnat"), ("filter", "input")):
            into.chain = chain
            if table == "nat" and state != "new":
                continue
            verdict, why = judge(router, f"{family(local)}/firewall/{table}", into)
            if verdict != ACCEPT:
                return verdict, why
        if family(local) == "/ipv6" and (why := lost(router, local, device)):
            return DROP, why
        out, why = leaves_by(router, world.client)
        if out != device:
            return DROP, why or f"answers leave by {out}, not by {device}"
        back = Packet("output", local, world.client, port, peer_port, "", out, "established", flags=("syn", "ack") if state == "new" else ("ack",))
        verdict, why = judge(router, f"{family(local)}/firewall/raw", back)
        if verdict == ACCEPT:
            verdict, why = judge(router, f"{family(local)}/firewall/filter", back)
        return (verdict, why) if verdict == ACCEPT else (DROP, why)


def family(address: str) -> str:
    """The menus that an address belongs to."""
    return "/ipv6" if ":" in address else "/ip"


def lost(router, local: str, device: str) -> str:
    """Why the neighbour is not known any more; nothing while it is."""
    why = unfound(router, local, device)
    if not why:
        router.found = time.monotonic()
    return why if time.monotonic() - router.found >= router.options.get("neighbours_last", 0) else ""


def unfound(router, local: str, device: str) -> str:
    """Why the router and its neighbour do not find each other; nothing where they do."""
    world = router.world
    near = world.gateway or world.client
    known = next((row for row in router.tables.stored("/ipv6/neighbor") if row["address"] == near and row["interface"] == device and row.get("disabled") != "true"), None)
    if known and known["mac-address"] != world.mac:
        return f"answers go to {known['mac-address']}"
    for way, src, dst, kind in six.finds(near, local)[: 2 if known else 4]:
        packet = Packet(way if way == "output" else "prerouting", src, dst, 0, 0, device if way == "input" else "", device if way == "output" else "", "untracked", world.mac, protocol="icmpv6", icmp=kind)
        for table in ("raw", "filter"):
            packet.chain = "prerouting" if (table, way) == ("raw", "input") else way
            verdict, why = judge(router, f"/ipv6/firewall/{table}", packet)
            if verdict != ACCEPT:
                return f"{why}: neighbour discovery"
    return ""


def neighbours(router) -> list[dict]:
    """`/ipv6/neighbor`: those entered by hand, and the one that our packets come from."""
    world, made = router.world, [dict(row) for row in router.tables.stored("/ipv6/neighbor")]
    device = arrives_on(router)[0]
    near = world.gateway or world.client
    if ":" in near and device and not any(row["address"] == near for row in made):
        made.append({".id": "*B00", "address": near, "interface": device, "mac-address": world.mac, "dynamic": "true", "router": "true" if world.gateway else "false", "status": "reachable"})
    return made


def service_open(router, name: str, local: str, peer: str) -> tuple[str, str]:
    """Whether a service takes this client."""
    row = next(row for row in router.tables.stored("/ip/service") if row["name"] == name)
    if row.get("disabled") == "true":
        return REJECT, f"{name} is disabled"
    if row.get("vrf", "main") != "main":
        return REJECT, f"{name} is in another VRF"
    for key in ("address", "available-from"):
        if not v.allowed(row.get(key, ""), peer):
            return REJECT, f"{name} does not take {peer}"
    return ACCEPT, ""


def arrives_on(router) -> tuple[str, str]:
    """The layer 3 interface that the client's frames come in by, or why none."""
    world, tables = router.world, router.tables
    if not tables.up(world.port):
        return "", f"{world.port} is down"
    member = next((row for row in tables.stored("/interface/bridge/port") if row["interface"] == world.port and row.get("disabled") != "true"), None)
    if not member:
        return tagged_on(router, world.port, world.vlan)
    bridge = (tables.interface(member["bridge"]) or ("", None))[1]
    if not bridge or not tables.up(member["bridge"]):
        return "", f"{member['bridge']} is down"
    if blocked_on_bridge(router, member):
        return "", "a rule of the bridge drops it"
    if bridge.get("vlan-filtering") != "true":
        return tagged_on(router, bridge["name"], world.vlan)
    frames = member.get("frame-types", "admit-all")
    if (frames == "admit-only-vlan-tagged" and not world.vlan) or (frames == "admit-only-untagged-and-priority-tagged" and world.vlan):
        return "", f"{world.port} admits no such frames"
    vid = world.vlan or int(member.get("pvid", "1"))
    if member.get("ingress-filtering") != "false" and not in_vlan(router, bridge["name"], world.port, vid):
        return "", f"{world.port} is not in VLAN {vid}"
    if way_of(router, bridge["name"], world.port, vid, member.get("pvid", "1")) != ("tagged" if world.vlan else "untagged"):
        return "", f"{world.port} sends VLAN {vid} the other way"
    way = way_of(router, bridge["name"], bridge["name"], vid, bridge.get("pvid", "1"))
    if way == "untagged":
        return bridge["name"], ""
    if way == "tagged":
        return tagged_on(router, bridge["name"], vid)
    return "", f"the router itself is not in VLAN {vid}"


def blocked_on_bridge(router, member: dict) -> bool:
    """Rules of the bridge that drop all that comes in by this port."""
    any_kind, kinds = ("ipv6", ("ipv6",)) if ":" in router.world.client else ("ip", ("ip", "arp"))
    for row in router.tables.stored("/interface/bridge/filter"):
        if row.get("disabled") == "true" or row.get("chain") != "input" or row.get("in-interface", member["interface"]) != member["interface"]:
            continue
        if row.get("mac-protocol", any_kind) in kinds and not row.get("src-address"):
            return row.get("action") == "drop"
    return False


def tagged_on(router, below: str, vid: int) -> tuple[str, str]:
    """The interface above `below` for a tag."""
    if not vid:
        return below, ""
    for row in router.tables.stored("/interface/vlan"):
        if row["interface"] == below and int(row["vlan-id"]) == vid:
            return (row["name"], "") if router.tables.up(row["name"]) else ("", f"{row['name']} is down")
    return "", f"no VLAN {vid} on {below}"


def ids_of(text: str) -> set[int]:
    """`10,20-22`."""
    made: set[int] = set()
    for part in text.split(","):
        low, _, high = part.partition("-")
        if low.isdigit():
            made |= set(range(int(low), int(high or low) + 1))
    return made


def way_of(router, bridge: str, member: str, vid: int, pvid: str) -> str:
    """How a member of a bridge carries a VLAN: `tagged`, `untagged` or not at all."""
    way = "untagged" if int(pvid) == vid else ""
    for row in router.tables.stored("/interface/bridge/vlan"):
        if row["bridge"] == bridge and row.get("disabled") != "true" and vid in ids_of(row["vlan-ids"]):
            if member in row.get("tagged", "").split(","):
                return "tagged"
            if member in row.get("untagged", "").split(","):
                way = "untagged"
    return way


def in_vlan(router, bridge: str, member: str, vid: int) -> bool:
    """Whether a port belongs to a VLAN at all."""
    port = next(row for row in router.tables.stored("/interface/bridge/port") if row["interface"] == member)
    return bool(way_of(router, bridge, member, vid, port.get("pvid", "1")))


def leaves_by(router, address: str) -> tuple[str, str]:
    """The interface that answers to `address` leave by."""
    tables, asked, is_six = router.tables, ipaddress.ip_address(address), ":" in address
    connected = six.connected(tables) if is_six else tables.connected()
    if is_six and asked.is_link_local:
        connected = [row for row in connected if row["_device"] == arrives_on(router)[0]]
    found = [(ipaddress.ip_network(row["dst-address"]).prefixlen, -0, row["_device"], "") for row in connected if asked in ipaddress.ip_network(row["dst-address"])]
    for row in tables.stored("/ipv6/route") + six.learnt(tables) if is_six else tables.stored("/ip/route"):
        if row.get("disabled") == "true" or row.get("routing-table", "main") != "main" or asked not in ipaddress.ip_network(row["dst-address"]):
            continue
        device = tables.next_hop(row, connected)
        if device:
            found.append((ipaddress.ip_network(row["dst-address"]).prefixlen, -int(row.get("distance", "1")), device, row.get("gateway", "").split("%")[0]))
    if not found:
        return "", f"no route to {address}"
    best = max(found, key=lambda one: one[:2])
    if best[2] == "blackhole":
        return "", f"a black hole has {address}"
    world = router.world
    if best[3] and best[3] != world.gateway and not tables.interface(best[3]):
        return "", f"{best[3]} does not forward to {address}"
    if not best[3] and world.gateway:
        return "", f"{address} is not a neighbour"
    return best[2], ""


# --- rules -------------------------------------------------------------------------------------


def judge(router, path: str, packet: Packet) -> tuple[str, str]:
    """What a table does with a packet."""
    made = chain(router, path, packet.chain, packet, 0)
    return made or (ACCEPT, "")


def chain(router, path: str, name: str, packet: Packet, depth: int) -> tuple[str, str] | None:
    """One chain of rules; None where it has nothing to say."""
    for at, row in enumerate(router.tables.stored(path)):
        if row["chain"] != name or row.get("disabled") == "true" or router.tables._invalid_rule(row) == "true" or not hits(router, row, packet):
            continue
        action, why = row.get("action", "accept"), f"{path} rule {at}"
        if action == "jump" and depth < 10:
            made = chain(router, path, row["jump-target"], packet, depth + 1)
            if made:
                return made
        elif action == "return":
            return None
        elif action in ("drop", "tarpit"):
            return DROP, why
        elif action == "reject":
            return REJECT, why
        elif action in ("accept", "fasttrack-connection"):
            return ACCEPT, why
        elif action in ("redirect", "dst-nat", "netmap"):
            return DROP, f"{why} sends it elsewhere"
        elif action == "add-src-to-address-list":
            lists = f"{family(packet.src)}/firewall/address-list"
            if not router.tables.find(lists, list=row.get("address-list"), address=packet.src):
                router.tables.stored(lists).append({".id": router.tables.fresh_id(lists), "list": row["address-list"], "address": packet.src, "dynamic": "true", "disabled": "false"})
    return None


def hits(router, row: dict, packet: Packet) -> bool:
    """Whether a rule speaks of a packet."""
    checks = {
        "src-address": lambda held: v.matches(held, packet.src), "dst-address": lambda held: v.matches(held, packet.dst),
        "protocol": lambda held: either(held, lambda one: one in (packet.protocol, {"tcp": "6", "icmpv6": "58"}[packet.protocol], "all")),
        "src-port": lambda held: v.port_in(held, packet.src_port), "dst-port": lambda held: v.port_in(held, packet.dst_port),
        "port": lambda held: either(held, lambda one: v.port_in(one, packet.src_port) or v.port_in(one, packet.dst_port)),
        "in-interface": lambda held: either(held, lambda one: named(router, one, packet.in_interface)), "out-interface": lambda held: either(held, lambda one: named(router, one, packet.out_interface)),
        "in-interface-list": lambda held: either(held, lambda one: packet.in_interface in members(router, one)), "out-interface-list": lambda held: either(held, lambda one: packet.out_interface in members(router, one)),
        "in-bridge-port": lambda held: either(held, lambda one: one == packet.in_bridge_port),
        "connection-state": lambda held: either(held, lambda one: packet.state in one.split(",")),
        "src-address-list": lambda held: either(held, lambda one: listed(router, one, packet.src)), "dst-address-list": lambda held: either(held, lambda one: listed(router, one, packet.dst)),
        "src-address-type": lambda held: either(held, lambda one: address_type(packet.src, packet.out_interface) in one.split(",")), "dst-address-type": lambda held: either(held, lambda one: address_type(packet.dst, not packet.out_interface) in one.split(",")),
        "src-mac-address": lambda held: either(held, lambda one: one == packet.mac),
        "tcp-flags": lambda held: flagged(held, packet.flags),
        "connection-nat-state": lambda held: held.startswith("!"), "ipsec-policy": lambda held: held.endswith("none"), "icmp-options": lambda held: either(held, lambda one: packet.icmp.split(":")[0] == one.split(":")[0]), "hop-limit": lambda held: either(held, lambda one: held != "equal:255" or packet.icmp != ""), "layer7-protocol": lambda held: False,
        "content": lambda held: False, "connection-mark": lambda held: held in ("no-mark",), "packet-mark": lambda held: held in ("no-mark",), "routing-mark": lambda held: held == "main", "hotspot": lambda held: held.startswith("!"),
        "random": lambda held: True, "limit": lambda held: True, "dst-limit": lambda held: True, "connection-limit": lambda held: False, "packet-size": lambda held: False, "fragment": lambda held: held in ("no", "false"), "dscp": lambda held: held == "0", "ttl": lambda held: True, "nth": lambda held: True, "psd": lambda held: False, "time": lambda held: True,
    }
    return all(checks[name](held) for name, held in row.items() if name in checks and held != "")


def address_type(address: str, is_ours: object) -> str:
    """What kind of address it is to the router."""
    return "multicast" if ipaddress.ip_address(address).is_multicast else "local" if is_ours else "unicast"


def either(held: str, test) -> bool:
    """A matcher that may be negated."""
    return not test(held[1:]) if held.startswith("!") else test(held)


def named(router, held: str, interface: str) -> bool:
    """An interface by name or by kind."""
    kinds = {"all-ethernet": "ether", "all-vlan": "vlan"}
    return (router.tables.interface(interface) or ("",))[0] == kinds[held] if held in kinds else held == interface


def members(router, name: str, inside: tuple[str, ...] = ()) -> set[str]:
    """The interfaces of a list, with those of the lists it includes."""
    if name in inside:
        return set()
    inside += (name,)
    if name == "all":
        return {row["name"] for row in router.tables.stored("/interface")}
    row = router.tables.find("/interface/list", name=name) or {}
    made = {one["interface"] for one in router.tables.stored("/interface/list/member") if one["list"] == name and one.get("disabled") != "true"}
    for other in filter(None, row.get("include", "").split(",")):
        made |= members(router, other, inside)
    for other in filter(None, row.get("exclude", "").split(",")):
        made -= members(router, other, inside)
    return made


def listed(router, name: str, address: str) -> bool:
    """Whether an address list holds an address."""
    return any(row["list"] == name and row.get("disabled") != "true" and v.matches(row["address"], address) for row in router.tables.stored(f"{family(address)}/firewall/address-list"))
