"""Edits that cut our access. Each is told of in the draft, and undone by the router alone; the router is then as it was."""

from __future__ import annotations

import ipaddress

import factory
from course import undone
from plant import site

HTTPS, SSH = str(factory.HTTPS), str(factory.SSH)
FILTER, SERVICE, ADDRESS, ROUTE = "/ip/firewall/filter", "/ip/service", "/ip/address", "/ip/route"
OURS = {"comment": "management"}


def drop(**values: str) -> list[dict]:
    """A rule before the one that lets us in."""
    made = {key.replace("_", "-"): value for key, value in values.items()}
    return [{"menu": FILTER, "op": "add", "values": {"chain": "input", "action": "drop", "comment": "cut", **made}, "place_before": OURS}]


def edit(menu: str, op: str, match: dict | None = None, values: dict | None = None, **more) -> list[dict]:
    """One edit."""
    made = {"menu": menu, "op": op, **more}
    return [made | ({"match": match} if match else {}) | ({"values": values} if values else {})]


# name: (edits, options of the router)
CUTS = {
    "both services disabled": (edit(SERVICE, "disable", {"name": "www-ssl"}) + edit(SERVICE, "set", {"name": "ssh"}, {"disabled": "yes"}), {}),
    "www-ssl disabled": (edit(SERVICE, "set", {"name": "www-ssl"}, {"disabled": True}), {}),
    "ssh disabled": (edit(SERVICE, "disable", {"name": "ssh"}), {}),
    "www-ssl address list": (edit(SERVICE, "set", {"name": "www-ssl"}, {"address": "10.77.0.0/16"}), {}),
    "www-ssl port": (edit(SERVICE, "set", {"name": "www-ssl"}, {"port": "20444"}), {}),
    "www-ssl certificate none": (edit(SERVICE, "set", {"name": "www-ssl"}, {"certificate": "none"}), {}),
    "www-ssl another certificate": (edit(SERVICE, "set", {"name": "www-ssl"}, {"certificate": "spare"}), {}),
    "rest-secure off": (edit("/ip/service/webserver", "set", None, {"rest-secure": "no"}), {}),
    "drop by dst-port list": (drop(protocol="tcp", dst_port=f"{HTTPS},{SSH}"), {}),
    "drop by src-address": (drop(src_address="CLIENT"), {}),
    "reject by prefix": (drop(action="reject", src_address="CLIENT/30"), {}),
    "drop by range": (drop(src_address="CLIENT-NEXT"), {}),
    "drop by in-interface": (drop(in_interface="bridge"), {}),
    "drop by interface list": (drop(in_interface_list="LAN"), {}),
    "drop by negated list": (drop(in_interface_list="!WAN"), {}),
    "drop new connections": (drop(connection_state="new"), {}),
    "drop by port range": (drop(protocol="tcp", port="20000-21000"), {}),
    "drop by numeric protocol": (drop(protocol="6", dst_port="20000-20999"), {}),
    "drop by address type": (drop(dst_address_type="local"), {}),
    "drop by negated source": (drop(src_address="!10.77.0.0/16"), {}),
    "drop by MAC": (drop(src_mac_address="0c:00:aa:00:00:01"), {}),
    "tarpit on SYN": (drop(action="tarpit", protocol="tcp", tcp_flags="syn"), {}),
    "drop by a new address list": (edit("/ip/firewall/address-list", "add", None, {"list": "bad", "address": "CLIENT"}) + drop(src_address_list="bad"), {}),
    "jump to a chain that drops": (edit(FILTER, "add", None, {"chain": "mine", "action": "drop", "protocol": "tcp"}) + drop(action="jump", jump_target="mine", protocol="tcp"), {}),
    "raw drop": (edit("/ip/firewall/raw", "add", None, {"chain": "prerouting", "action": "drop", "protocol": "tcp", "src-address": "CLIENT"}), {}),
    "redirect": (edit("/ip/firewall/nat", "add", None, {"chain": "dstnat", "action": "redirect", "protocol": "tcp", "dst-port": f"{HTTPS},{SSH}", "to-ports": "1"}), {}),
    "output drop": (edit(FILTER, "add", None, {"chain": "output", "action": "drop", "dst-address": "CLIENT/16"}), {}),
    "our rule disabled": (edit(FILTER, "disable", OURS), {}),
    "our rule removed": (edit(FILTER, "remove", OURS), {}),
    "our rule for another source": (edit(FILTER, "set", OURS, {"src-address": "10.1.2.3"}), {}),
    "our rule for another port": (edit(FILTER, "set", OURS, {"dst-port": "443"}), {}),
    "our rule drops": (edit(FILTER, "set", OURS, {"action": "drop"}), {}),
    "our rule in another chain": (edit(FILTER, "set", OURS, {"chain": "forward"}), {}),
    "the last drop moved up": (edit(FILTER, "move", {"comment": "drop the rest"}, place_before=OURS), {}),
    "our rule moved down": (edit(FILTER, "move", OURS, place_before={"comment": "forward established"}), {}),
    "invalid drop loses its state": (edit(FILTER, "set", {"comment": "defconf: drop invalid"}, {"connection-state": None}, match_all=True), {}),
    "invalid drop takes new": (edit(FILTER, "set", {"comment": "defconf: drop invalid"}, {"connection-state": "invalid,new"}), {}),
    "address disabled": (edit(ADDRESS, "disable", OURS), {}),
    "address changed": (edit(ADDRESS, "set", OURS, {"address": "10.99.0.1/24"}), {}),
    "address removed": (edit(ADDRESS, "remove", OURS), {}),
    "address on another interface": (edit(ADDRESS, "set", OURS, {"interface": "ether3"}), {"layout": "routed"}),
    "prefix that leaves us out": (edit(ADDRESS, "set", OURS, {"address": "ADDRESS/28"}), {}),
    "prefix that leaves us out, loopback": (edit(ADDRESS, "set", OURS, {"address": "ADDRESS/24"}), {"mapped": False}),
    "output drop, loopback": (edit(FILTER, "add", None, {"chain": "output", "action": "drop", "dst-address": "CLIENT/16"}), {"mapped": False}),
    "default route removed, loopback": (edit(ROUTE, "remove", {"comment": "default"}), {"layout": "routed", "mapped": False}),
    "bridge disabled": (edit("/interface/bridge", "disable", {"name": "bridge"}), {}),
    "bridge disabled as an interface": (edit("/interface", "set", {"name": "bridge"}, {"disabled": "yes"}), {}),
    "our ethernet disabled": (edit("/interface/ethernet", "disable", {"name": "ether2"}), {}),
    "our port disabled": (edit("/interface/bridge/port", "disable", {"interface": "ether2"}), {}),
    "our port removed": (edit("/interface/bridge/port", "remove", {"interface": "ether2"}), {}),
    "no ARP on the bridge": (edit("/interface/bridge", "set", {"name": "bridge"}, {"arp": "disabled"}), {}),
    "a bridge rule": (edit("/interface/bridge/filter", "add", None, {"chain": "input", "action": "drop", "in-interface": "ether2"}), {}),
    "port PVID with filtering": (edit("/interface/bridge/port", "set", {"interface": "ether2"}, {"pvid": "20"}), {"layout": "vlan"}),
    "frame types of our port": (edit("/interface/bridge/port", "set", {"interface": "ether2"}, {"frame-types": "admit-only-vlan-tagged"}), {"layout": "vlan"}),
    "VLAN row removed": (edit("/interface/bridge/vlan", "remove", {"vlan-ids": "10"}), {"layout": "vlan"}),
    "bridge not tagged any more": (edit("/interface/bridge/vlan", "set", {"vlan-ids": "10"}, {"tagged": "ether5"}), {"layout": "vlan"}),
    "our port tagged": (edit("/interface/bridge/vlan", "set", {"vlan-ids": "10"}, {"tagged": "bridge,ether2", "untagged": ""}), {"layout": "vlan"}),
    "VLAN id of the interface": (edit("/interface/vlan", "set", {"name": "vlan10"}, {"vlan-id": "11"}), {"layout": "vlan"}),
    "VLAN interface disabled": (edit("/interface/vlan", "disable", {"name": "vlan10"}), {"layout": "vlan"}),
    "VLAN filtering off": (edit("/interface/bridge", "set", {"name": "bridge"}, {"vlan-filtering": "no"}), {"layout": "vlan"}),
    "default route removed": (edit(ROUTE, "remove", {"comment": "default"}), {"layout": "routed"}),
    "default route disabled": (edit(ROUTE, "disable", {"comment": "default"}), {"layout": "routed"}),
    "default route elsewhere": (edit(ROUTE, "set", {"comment": "default"}, {"gateway": "10.9.0.254"}), {"layout": "routed"}),
    "prefix that leaves the gateway out": (edit(ADDRESS, "set", OURS, {"address": "ADDRESS/28"}), {"layout": "routed"}),
    "address disabled behind a gateway": (edit(ADDRESS, "disable", OURS), {"layout": "routed"}),
    "ethernet disabled behind a gateway": (edit("/interface/ethernet", "disable", {"name": "ether1"}), {"layout": "routed"}),
    "a twin of the gateway's network elsewhere": (edit(ADDRESS, "add", None, {"address": "10.10.0.250/28", "interface": "ether3"}), {"layout": "routed"}),
    "a narrower route elsewhere": (edit(ROUTE, "add", None, {"dst-address": "CLIENT/24", "gateway": "10.9.0.254"}), {"layout": "routed"}),
    "a black hole": (edit(ROUTE, "add", None, {"dst-address": "CLIENT/32", "blackhole": "yes"}), {"layout": "routed"}),
    "a better default": (edit(ROUTE, "set", {"comment": "branch"}, {"dst-address": "CLIENT/16"}), {"layout": "routed"}),
    "our user disabled": (edit("/user", "disable", {"name": "mcp"}), {"policy": factory.GROUP + ",policy"}),
    "our user for another address": (edit("/user", "set", {"name": "mcp"}, {"address": "10.77.0.0/16"}), {"policy": factory.GROUP + ",policy"}),
    "our user in another group": (edit("/user", "set", {"name": "mcp"}, {"group": "dead"}), {"policy": factory.GROUP + ",policy"}),
    "our group without REST": (edit("/user/group", "set", {"name": "mcp-group"}, {"policy": "!rest-api,!ssh"}), {"policy": factory.GROUP + ",policy", "policy_cache": 0}),
    "our group without REST, login kept": (edit("/user/group", "set", {"name": "mcp-group"}, {"policy": "!rest-api,!ssh"}), {"policy": factory.GROUP + ",policy"}),
    "our group without write, login kept": (edit("/user/group", "set", {"name": "mcp-group"}, {"policy": "!write"}), {"policy": factory.GROUP + ",policy"}),
    "our user removed": (edit("/user", "remove", {"name": "mcp"}), {"policy": factory.GROUP + ",policy"}),
}


def prepared(router, edits: list[dict]) -> list[dict]:
    """What the case needs on the router beforehand, and the router's own address filled in."""
    tables = router.tables
    for row in tables.stored(ADDRESS):
        if row["address"].startswith(router.local + "/"):
            row["comment"] = "management"
    factory.put(tables, "/user/group", name="dead", policy="!local,!telnet,!ssh,!ftp,!reboot,read,!write,!policy,!test,!winbox,!password,!web,!sniff,!sensitive,!api,!romon,!rest-api", skin="default")
    made = []
    for one in edits:
        values = {key: filled(router, value) for key, value in one.get("values", {}).items()}
        made.append({**one, **({"values": values} if values else {})})
    return made


def filled(router, value: object) -> object:
    """Our addresses in place of their words; the networks around us by their first address, as the router has them."""
    if not isinstance(value, str):
        return value
    for length in ("30", "24", "16"):
        value = value.replace(f"CLIENT/{length}", str(ipaddress.ip_network(f"{router.client}/{length}", strict=False)))
    after = str(ipaddress.ip_address(router.client) + 8)
    return value.replace("CLIENT", router.client).replace("NEXT", after).replace("ADDRESS", router.local)


def cut(name: str, dead: bool, **more):
    """A scenario: with `dead` the program is killed as soon as the change is on the router."""

    def run() -> str:
        edits, options = CUTS[name]
        with site() as place:
            router = place.router(**{**options, **more})
            return undone(place, router, prepared(router, edits), dead)

    return run


def cases() -> dict:
    """Every second one with the program dead from then on."""
    made = {}
    for at, name in enumerate(CUTS):
        made[f"cut: {name}" + (" (program dead)" if at % 2 else "")] = cut(name, bool(at % 2))
    return made
