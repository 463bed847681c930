"""What IPv6 adds to a router's tables: link-local addresses, prefixes that others give, neighbour discovery.

Written from the menus' schema and from RFC 4861, 4862 and 4291. A single address in a rule or a list is kept with `/128`, host bits
of a prefix are cleared, and text is spelt as RFC 5952 has it, with dots where an IPv4 address is inside.

Not simulated: hosts that lose the address which our advertisements gave them (`/ipv6/nd`, `advertise`), duplicate address
detection, privacy addresses, path MTU, extension headers, renumbering by DHCP, IPv6 in VRFs and routing protocols, ECMP, and how
a neighbour grows stale: what drops neighbour discovery cuts off at once, or after the option `neighbours_last`.
"""

from __future__ import annotations

import ipaddress
import socket

import menus as m
import values as v
from values import Refused

SOLICIT, ADVERTISE = "135:0", "136:0"


def spelt(address: ipaddress.IPv6Address) -> str:
    """`2001:db8::1`, `::ffff:10.0.0.1`."""
    return socket.inet_ntop(socket.AF_INET6, address.packed)


def parsed(text: str, name: str) -> tuple[ipaddress.IPv6Address, int | None]:
    """An address and the length behind it."""
    body, slash, length = str(text).partition("/")
    try:
        address = ipaddress.IPv6Address(body)
        if "%" in body or (slash and not 0 <= int(length) <= 128):
            raise ValueError(text)
    except ValueError:
        raise Refused(f"invalid value for argument {name}") from None
    return address, int(length) if slash else None


def network(address: ipaddress.IPv6Address, length: int) -> str:
    """A prefix with its host bits cleared."""
    first = int(address) >> (128 - length) << (128 - length)
    return f"{spelt(ipaddress.IPv6Address(first))}/{length}"


def interface_address(text: str, name: str) -> str:
    """`2001:db8::1/64`; without a length it is /64."""
    address, length = parsed(text, name)
    return f"{spelt(address)}/{64 if length is None else length}"


def prefix(text: str, name: str) -> str:
    """A route's destination."""
    address, length = parsed(text, name)
    return network(address, 128 if length is None else length)


def matcher(text: str, name: str) -> str:
    """A source or destination of a rule: a prefix or a range, perhaps negated."""
    negated, body = ("!", str(text)[1:]) if str(text).startswith("!") else ("", str(text))
    first, dash, last = body.partition("-")
    if dash:
        return f"{negated}{spelt(parsed(first, name)[0])}-{spelt(parsed(last, name)[0])}"
    return negated + prefix(body, name)


def listed(text: str, name: str) -> str:
    """The address of a list: a prefix, a range or a host name."""
    return matcher(text, name) if ":" in str(text) else str(text)


def gateway(text: str, name: str) -> str:
    """`fe80::1%ether1`, `2001:db8::1` or an interface."""
    address, percent, interface = str(text).partition("%")
    return spelt(parsed(address, name)[0]) + percent + interface if ":" in address else str(text)


# --- rows the router works out ---------------------------------------------------------------------


def is_off(tables) -> bool:
    """Whether IPv6 is switched off."""
    return tables.one("/ipv6/settings").get("disable-ipv6") == "true"


def bound(tables) -> list[dict]:
    """DHCP clients that have got what they asked for; nobody but a scenario puts `_offer` on one."""
    return [row for row in tables.stored("/ipv6/dhcp-client") if row.get("disabled") != "true" and "_offer" in row and tables.up(row["interface"]) and not is_off(tables)]


def pools(tables) -> list[dict]:
    """Pools, and those that clients fill."""
    made = [dict(row) for row in tables.stored("/ipv6/pool")]
    for at, row in enumerate(bound(tables)):
        if row.get("pool-name"):
            made.append({".id": f"*F{at:02X}", "name": row["pool-name"], "prefix": row["_offer"], "prefix-length": row.get("pool-prefix-length", "64"), "dynamic": "true"})
    return made


def clients(tables) -> list[dict]:
    """DHCP clients with what they got."""
    held = [row[".id"] for row in bound(tables)]
    return [{**row, "dynamic": "false", "invalid": "false", "status": "bound" if row[".id"] in held else "stopped" if row.get("disabled") == "true" else "searching...", **({"prefix" if row.get("pool-name") else "address": f"{row['_offer']}, 23h59m"} if row[".id"] in held else {})} for row in tables.stored("/ipv6/dhcp-client")]


def link_local(row: dict) -> str:
    """The address an interface makes of its hardware address."""
    octets = [int(part, 16) for part in row.get("mac-address", "0C:00:E6:0A:3D:2E").split(":")]
    octets[0] ^= 2
    half = octets[:3] + [0xFF, 0xFE] + octets[3:]
    return spelt(ipaddress.IPv6Address(bytes([0xFE, 0x80, 0, 0, 0, 0, 0, 0, *half])))


def addresses(tables) -> list[dict]:
    """`/ipv6/address`: what is configured, what DHCP gave, and a link-local address on each interface."""
    made, slaves = [], {row["interface"]: row["bridge"] for row in tables.stored("/interface/bridge/port") if row.get("disabled") != "true"}
    filled, off = {row["name"] for row in pools(tables)}, is_off(tables)
    rows = [dict(row) for row in tables.stored("/ipv6/address")]
    rows += [{".id": f"*E{at:02X}", "address": row["_offer"], "interface": row["interface"], "dynamic": "true", "disabled": "false"} for at, row in enumerate(bound(tables)) if not row.get("pool-name")]
    if tables.one("/ipv6/settings").get("disable-link-local-address") != "true" and not off:
        for at, row in enumerate(row for row in tables.stored("/interface") if tables.up(row["name"]) and row["name"] not in slaves):
            rows.append({".id": f"*D{at:02X}", "address": f"{link_local(row)}/64", "interface": row["name"], "dynamic": "true", "disabled": "false", "advertise": "false"})
    for row in rows:
        name, local = row["interface"], row["address"].startswith("fe80:")
        lost = not tables.interface(name) or off or bool(row.get("from-pool") and row["from-pool"] not in filled)
        row |= {"actual-interface": slaves.get(name, name), "dynamic": row.get("dynamic", "false"), "invalid": "true" if lost else "false", "global": "false" if local else "true", "link-local": "true" if local else "false"}
        row |= {"slave": "true" if name in slaves else "false", "deprecated": "false"} if m.order_of(tables.version) >= (7, 20) else {}
        made.append(row)
    return made


def connected(tables) -> list[dict]:
    """The routes that addresses make."""
    made = []
    for row in addresses(tables):
        device = row["actual-interface"]
        if row.get("disabled") == "true" or row["invalid"] == "true" or not tables.up(device):
            continue
        address, length = parsed(row["address"], "address")
        made.append({".id": f"*3018{len(made):04X}", "dst-address": network(address, length), "gateway": device, "immediate-gw": device, "local-address": f"{spelt(address)}%{device}", "active": "true", "connect": "true", "dynamic": "true", "inactive": "false", "distance": "0", "scope": "10", "routing-table": "main", "_device": device})
    return made


def learnt(tables) -> list[dict]:
    """Default routes of DHCP clients and of routers that advertise themselves; `_router` in the settings is one that does."""
    held, made = tables.one("/ipv6/settings"), []
    takes = held.get("accept-router-advertisements", "yes-if-forwarding-disabled")
    if held.get("_router") and (takes == "yes" or (takes != "no" and held.get("forward") == "false")) and not is_off(tables):
        made.append({"gateway": held["_router"], "slaac": "true", "distance": "1"})
    made += [{"gateway": row["_gateway"], "dhcp": "true", "distance": row.get("default-route-distance", "1")} for row in bound(tables) if row.get("add-default-route") == "true" and "_gateway" in row]
    return [{".id": f"*C{at:02X}", "dst-address": "::/0", "dynamic": "true", "scope": "30", "target-scope": "10", "routing-table": "main", **row} for at, row in enumerate(made)]


def routes(tables) -> list[dict]:
    """`/ipv6/route`."""
    near, made = connected(tables), []
    for row in tables.stored("/ipv6/route") + learnt(tables):
        if row.get("disabled") == "true":
            made.append({key: row[key] for key in (".id", "dst-address", "gateway", "comment") if key in row} | {"disabled": "true", "inactive": "true", "static": "true"})
            continue
        device = tables.next_hop(row, near)
        one = {**row, "inactive": "false" if device else "true", "dynamic": row.get("dynamic", "false")} | ({} if row.get("dynamic") else {"static": "true"})
        if device:
            one["active"] = "true"
        if device not in ("", "blackhole"):
            one["immediate-gw"] = row["gateway"] if row["gateway"] == device or "%" in row["gateway"] else f"{row['gateway']}%{device}"
        made.append(one)
    return made + near


def next_hop(tables, gateway: str, near: list[dict]) -> str:
    """The interface a gateway is reached by, or nothing."""
    address, _, interface = gateway.partition("%")
    if is_off(tables):
        return ""
    if interface:
        return interface if tables.up(interface) else ""
    asked = ipaddress.IPv6Address(address)
    held = [] if asked.is_link_local else [route for route in near if asked in ipaddress.IPv6Network(route["dst-address"])]
    return max(held, key=lambda route: ipaddress.IPv6Network(route["dst-address"]).prefixlen)["_device"] if held else ""


# --- neighbour discovery -----------------------------------------------------------------------------


def group_of(address: str) -> str:
    """The multicast address at which one is asked for."""
    low = int(ipaddress.IPv6Address(address)) & 0xFFFFFF
    return spelt(ipaddress.IPv6Address(int(ipaddress.IPv6Address("ff02::1:ff00:0")) | low))


def finds(near: str, local: str) -> list[tuple[str, str, str, str]]:
    """The four messages by which two neighbours find each other, as chain, source, destination and type."""
    return [("input", near, group_of(local), SOLICIT), ("output", local, near, ADVERTISE), ("output", local, group_of(near), SOLICIT), ("input", near, local, ADVERTISE)]


def kinds() -> dict:
    """Types of arguments, by menu, beside those of `menus`."""
    rule = {**m.RULE, "src-address": matcher, "dst-address": matcher}
    return {
        "/ipv6/address": {"address": interface_address, "disabled": v.boolean, "advertise": v.boolean, "eui-64": v.boolean, "no-dad": v.boolean, "auto-link-local": v.boolean},
        "/ipv6/route": {**m.TYPES["/ip/route"], "dst-address": prefix, "gateway": gateway, "check-gateway": v.word("ping", "none")},
        "/ipv6/firewall/filter": {**rule, "action": m.TYPES["/ip/firewall/filter"]["action"]}, "/ipv6/firewall/raw": {**rule, "action": m.TYPES["/ip/firewall/raw"]["action"]},
        "/ipv6/firewall/nat": {**rule, "action": m.TYPES["/ip/firewall/nat"]["action"]}, "/ipv6/firewall/mangle": rule,
        "/ipv6/firewall/address-list": {"address": listed, "timeout": v.interval, "disabled": v.boolean},
        "/ipv6/settings": {name: v.boolean for name in ("disable-ipv6", "disable-link-local-address", "forward", "allow-fast-path")},
        "/ipv6/neighbor": {"address": single, "mac-address": v.mac, "disabled": v.boolean}, "/ipv6/dhcp-client": {"disabled": v.boolean},
        "/ipv6/nd": {"disabled": v.boolean, "ra-lifetime": v.interval, "advertise-dns": v.boolean, "managed-address-configuration": v.boolean},
    }


def single(text: str, name: str) -> str:
    """One address."""
    return spelt(parsed(text, name)[0])


SIX = ("filter", "nat", "mangle", "raw")
DEFAULTS = {
    "/ipv6/address": {"disabled": "false", "advertise": "true", "eui-64": "false", "from-pool": "", "no-dad": "false", "auto-link-local": "true"},
    "/ipv6/route": m.DEFAULTS["/ip/route"], "/ipv6/firewall/address-list": m.DEFAULTS["/ip/firewall/address-list"], "/ipv6/neighbor": {"disabled": "false"},
    **{f"/ipv6/firewall/{table}": m.DEFAULTS[f"/ip/firewall/{table}"] for table in SIX},
    "/ipv6/dhcp-client": {"disabled": "false", "add-default-route": "false", "default-route-distance": "1", "use-peer-dns": "yes", "rapid-commit": "true"},
}
REQUIRED = {"/ipv6/address": ("address", "interface"), "/ipv6/firewall/address-list": ("address", "list"), "/ipv6/neighbor": ("address", "interface"), **{f"/ipv6/firewall/{table}": ("chain",) for table in SIX}}
UNIQUE = {"/ipv6/address": m.UNIQUE["/ip/address"], "/ipv6/firewall/address-list": m.UNIQUE["/ip/firewall/address-list"]}
m.TYPES |= kinds()
m.DEFAULTS |= DEFAULTS
m.REQUIRED |= REQUIRED
m.UNIQUE |= UNIQUE
