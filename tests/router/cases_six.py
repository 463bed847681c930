"""Routers reached over IPv6: edits that cut us off there, edits that do not, and each family's menus seen from the other.

How the router spells what it is given, and what of IPv6 is not simulated, stands in `six`.
"""

from __future__ import annotations

import json

import factory
import factory_six
from cases_cuts import edit
from course import stays, undone
from factory_six import dual, six_beside_four
from plant import site

FILTER, RAW, NAT, MANGLE = (f"/ipv6/firewall/{table}" for table in ("filter", "raw", "nat", "mangle"))
LISTS, ADDRESS, ROUTE, SETTINGS, NEIGHBOR = "/ipv6/firewall/address-list", "/ipv6/address", "/ipv6/route", "/ipv6/settings", "/ipv6/neighbor"
DHCP, SERVICE, USER = "/ipv6/dhcp-client", "/ip/service", "/user"
OURS, FIRST = {"comment": "management"}, {"comment": "defconf: accept established"}
ROUTED, LINK, POLICY = {"layout": "routed"}, {"layout": "link"}, {"policy": factory.GROUP + ",policy"}
LONG = "2001:0DB8:0010:0000:0000:0000:0000:0050"


def rule(menu: str = FILTER, before: dict | None = OURS, **values: str) -> list[dict]:
    """A rule that drops, before the one that lets us in."""
    made = {"chain": "input", "action": "drop", "comment": "cut", **{key.replace("_", "-"): value for key, value in values.items()}}
    return [{"menu": menu, "op": "add", "values": made} | ({"place_before": before} if before else {})]


def raw(**values: str) -> list[dict]:
    """A rule of the raw table."""
    return rule(RAW, None, **{"chain": "prerouting", **values})


def entry(address: str, name: str = "bad") -> list[dict]:
    """An entry of an address list."""
    return edit(LISTS, "add", None, {"list": name, "address": address})


def bad(router) -> None:
    """A list that rules drop already, nobody of us in it."""
    router.tables.stored(FILTER).insert(0, {".id": router.tables.fresh_id(FILTER), "chain": "input", "action": "drop", "src-address-list": "bad", "comment": "bad guests"})


def good(router) -> None:
    """A list that rules let in alone, with our whole prefix in it."""
    factory.put(router.tables, LISTS, list="good", address="2001:db8:10::/64", disabled="false", comment="us")
    row = router.tables.find(FILTER, comment="management")
    row.pop("src-address")
    row["src-address-list"] = "good"


def known(router) -> None:
    """Our own neighbour entry, by hand."""
    factory.put(router.tables, NEIGHBOR, **{"address": router.client, "interface": "bridge", "mac-address": router.world.mac, "disabled": "false", "comment": "us"})


def bare(router) -> None:
    """What we hang on without any comments to know it by."""
    for menu in (ADDRESS, ROUTE, FILTER):
        for row in router.tables.stored(menu):
            row.pop("comment", None)


def beside(router) -> None:
    """A second address on the bridge, and no comments."""
    factory_six.address(router.tables, "fd00:10::1/64", "bridge")
    bare(router)


def own_listed(router) -> None:
    """Rules that drop what is for the router's addresses of a list."""
    router.tables.stored(FILTER).insert(0, {".id": router.tables.fresh_id(FILTER), "chain": "input", "action": "drop", "dst-address-list": "bad", "comment": "bad ends"})


# name: (edits, options of the router, what is done to it beforehand)
CUTS = {
    "drop of tcp to our port": (rule(protocol="tcp", dst_port="HTTPS,SSH"), {}),
    "drop of our prefix": (rule(src_address="2001:db8:10::/64"), {}),
    "drop of our address": (rule(src_address="2001:db8:10::50"), {}),
    "drop of our address in long spelling": (rule(src_address=LONG), {}),
    "drop of a prefix with host bits": (rule(src_address="2001:db8:10::77/64"), {}),
    "drop of a range": (rule(src_address="2001:DB8:10::40-2001:DB8:10::60"), {}),
    "drop of all but another prefix": (rule(src_address="!2001:db8:77::/48"), {}),
    "drop of the router's own address": (rule(dst_address="2001:db8:10:0:0::1"), {}),
    "reject by interface list": (rule(action="reject", in_interface_list="LAN"), {}),
    "drop of everybody": (rule(src_address="::/0"), {}),
    "raw drop by prefix": (raw(src_address="2001:db8:10::/60"), {}),
    "raw drop of tcp": (raw(protocol="tcp", dst_port="HTTPS,SSH"), {}),
    "redirect of our ports": (edit(NAT, "add", None, {"chain": "dstnat", "action": "redirect", "protocol": "tcp", "dst-port": "HTTPS,SSH", "to-ports": "1"}), {}),
    "output drop to our prefix": (rule(chain="output", before=None, dst_address="2001:db8:10::/64"), {}),
    "our rule disabled": (edit(FILTER, "disable", OURS), {}),
    "our rule for another prefix": (edit(FILTER, "set", OURS, {"src-address": "2001:db8:11::/64"}), {}),
    "the last drop moved up": (edit(FILTER, "move", {"comment": "drop the rest"}, place_before=OURS), {}),
    "an entry that is our address in long spelling": (entry(LONG), {}, bad),
    "an entry with host bits that is our whole prefix": (entry("2001:db8:10::1/64"), {}, bad),
    "an entry that is a range with us in it": (entry("2001:db8:10::-2001:db8:10::ffff"), {}, bad),
    "an entry that is the router's own address": (entry("2001:DB8:10::1"), {}, own_listed),
    "our entry removed": (edit(LISTS, "remove", {"comment": "us"}), {}, good),
    "our entry narrowed": (edit(LISTS, "set", {"comment": "us"}, {"address": "2001:db8:10::1"}), {}, good),
    "our entry narrowed, host bits": (edit(LISTS, "set", {"comment": "us"}, {"address": "2001:db8:10::1/124"}), {}, good),
    "our entry narrowed, long spelling": (edit(LISTS, "set", {"comment": "us"}, {"address": "2001:0DB8:0077::/48"}), {}, good),
    "our entry narrowed, as the router spells it": (edit(LISTS, "set", {"comment": "us"}, {"address": "2001:db8:77::/48"}), {}, good),
    "address changed, long spelling": (edit(ADDRESS, "set", OURS, {"address": "2001:0DB8:0011::1/64"}), {}),
    "address changed, upper case": (edit(ADDRESS, "set", OURS, {"address": "2001:DB8:11::1/64"}), {}),
    "default route narrowed, long spelling": (edit(ROUTE, "set", {"comment": "default"}, {"dst-address": "2001:0db8:0088::1/48"}), ROUTED),
    "address without a comment changed, long spelling": (edit(ADDRESS, "set", {"address": "2001:db8:10::1/64"}, {"address": "2001:0DB8:0011::1/64"}), {}, bare),
    "address without a comment changed, upper case": (edit(ADDRESS, "set", {"address": "2001:db8:10::1/64"}, {"address": "2001:DB8:11::1/64"}), {}, bare),
    "address beside another changed, long spelling": (edit(ADDRESS, "set", {"address": "2001:db8:10::1/64"}, {"address": "2001:0DB8:0011::1/64"}), {}, beside),
    "address beside another changed, upper case": (edit(ADDRESS, "set", {"address": "2001:db8:10::1/64"}, {"address": "2001:DB8:11::1/64"}), {}, beside),
    "default route without a comment narrowed, host bits": (edit(ROUTE, "set", {"dst-address": "::/0"}, {"dst-address": "2001:db8:88::1/48"}), ROUTED, bare),
    "default route without a comment narrowed, upper case": (edit(ROUTE, "set", {"dst-address": "::/0"}, {"dst-address": "2001:DB8:88::/48"}), ROUTED, bare),
    "our rule without a comment for another prefix, long spelling": ([{"menu": FILTER, "op": "set", "match": {"action": "accept", "protocol": "tcp"}, "values": {"src-address": "2001:0DB8:0011::1/64"}}], {}, bare),
    "our rule for another prefix, long spelling": (edit(FILTER, "set", OURS, {"src-address": "2001:0DB8:0011::1/64"}), {}),
    "address disabled": (edit(ADDRESS, "disable", OURS), {}),
    "address removed": (edit(ADDRESS, "remove", OURS), {}),
    "address changed": (edit(ADDRESS, "set", OURS, {"address": "2001:db8:11::1/64"}), {}),
    "prefix that leaves us out": (edit(ADDRESS, "set", OURS, {"address": "2001:db8:10::1/126"}), {}),
    "address on another interface": (edit(ADDRESS, "set", OURS, {"interface": "ether4"}), {}),
    "IPv6 switched off": (edit(SETTINGS, "set", None, {"disable-ipv6": "yes"}), {}),
    "default route removed": (edit(ROUTE, "remove", {"comment": "default"}), ROUTED),
    "default route disabled": (edit(ROUTE, "disable", {"comment": "default"}), ROUTED),
    "default route elsewhere": (edit(ROUTE, "set", {"comment": "default"}, {"gateway": "2001:db8:9::fe"}), ROUTED),
    "default route by another link": (edit(ROUTE, "set", {"comment": "default"}, {"gateway": "fe80::fe%ether4"}), ROUTED),
    "a narrower route elsewhere": (edit(ROUTE, "add", None, {"dst-address": "2001:db8:20::1/64", "gateway": "2001:db8:9::fe"}), ROUTED),
    "a black hole": (edit(ROUTE, "add", None, {"dst-address": "2001:0db8:0020::50/128", "blackhole": "yes"}), ROUTED),
    "address disabled behind a gateway": (edit(ADDRESS, "disable", OURS), ROUTED),
    "www-ssl for another prefix": (edit(SERVICE, "set", {"name": "www-ssl"}, {"address": "2001:db8:77::/48"}), {}),
    "www-ssl for IPv4 alone": (edit(SERVICE, "set", {"name": "www-ssl"}, {"address": "0.0.0.0/0"}), {}),
    "ssh for a prefix that just misses us": (edit(SERVICE, "set", {"name": "ssh"}, {"address": "2001:db8:10::/122"}), {}),
    "our user for another prefix": (edit(USER, "set", {"name": "mcp"}, {"address": "2001:db8:77::/48"}), POLICY),
    "our user for IPv4 alone": (edit(USER, "set", {"name": "mcp"}, {"address": "10.0.0.0/8"}), POLICY),
    "drop of neighbour discovery": (rule(before=FIRST, protocol="icmpv6"), {}),
    "drop of neighbour discovery, noticed after the confirmation": (rule(before=FIRST, protocol="icmpv6"), {"neighbours_last": 60}),
    "drop of neighbour solicitations": (rule(before=FIRST, protocol="icmpv6", icmp_options="135:0-255"), {}),
    "drop of neighbour discovery by number": (rule(before=FIRST, protocol="58"), {}),
    "drop of multicast": (rule(before=FIRST, dst_address="ff00::/8"), {}),
    "drop of what is not tracked": (rule(before=FIRST, connection_state="untracked"), {}),
    "raw drop of ICMPv6": (raw(protocol="icmpv6"), {}),
    "raw drop of what is for multicast": (raw(dst_address="ff02::/16"), {}),
    "raw accept of tcp and drop of the rest": (raw(action="accept", protocol="tcp") + raw(src_address="::/0"), {}),
    "output drop of ICMPv6": (rule(chain="output", before=None, protocol="icmpv6"), {}),
    "drop of our gateway's link-local address": (rule(before=FIRST, src_address="fe80::/10"), ROUTED),
    "raw drop of our gateway's link-local address": (raw(src_address="fe80::fe"), ROUTED),
    "the untracked no longer accepted, ICMPv6 dropped": (edit(FILTER, "set", {"comment": "defconf: accept ICMPv6"}, {"action": "drop"}) + edit(FILTER, "set", FIRST, {"connection-state": "established,related"}), {}),
    "a neighbour entry with another hardware address": (edit(NEIGHBOR, "add", None, {"address": "2001:db8:10::50", "interface": "bridge", "mac-address": "0C:00:AA:00:00:99"}), {}),
    "a neighbour entry for our gateway": (edit(NEIGHBOR, "add", None, {"address": "fe80::fe", "interface": "ether1", "mac-address": "0C:00:AA:00:00:99"}), ROUTED),
    "our neighbour entry for another hardware address": (edit(NEIGHBOR, "set", {"comment": "us"}, {"mac-address": "0C:00:AA:00:00:99"}), {}, known),
    "client that fills the pool of our address disabled": (edit(DHCP, "disable", {"comment": "provider"}), {"layout": "delegated"}),
    "client that gives our address disabled": (edit(DHCP, "disable", {"comment": "provider"}), {"layout": "leased"}),
    "client that gives our default route gives none": (edit(DHCP, "set", {"comment": "provider"}, {"add-default-route": "no"}), {"layout": "leased"}),
    "advertisements no longer taken": (edit(SETTINGS, "set", None, {"accept-router-advertisements": "no"}), {"layout": "advertised"}),
    "forwarding on, so that advertisements are not taken": (edit(SETTINGS, "set", None, {"forward": "yes"}), {"layout": "advertised"}),
    "link-local source dropped": (rule(src_address="fe80::/10"), LINK),
    "link-local source dropped by a raw rule": (raw(src_address="fe80::50"), LINK),
    "link-local source by an entry": (entry("fe80::/10"), LINK, bad),
    "www-ssl without link-local sources": (edit(SERVICE, "set", {"name": "www-ssl"}, {"address": "2001:db8::/32"}), LINK),
    "our link-local address removed": (edit(ADDRESS, "remove", OURS), LINK),
    "bridge disabled": (edit("/interface/bridge", "disable", {"name": "bridge"}), {}),
    "a bridge rule about IPv6": (edit("/interface/bridge/filter", "add", None, {"chain": "input", "action": "drop", "in-interface": "ether2", "mac-protocol": "ipv6"}), {}),
    "our address, seen as a mapped one, in an IPv4 list": (edit("/ip/firewall/address-list", "add", None, {"list": "bad", "address": "10.10.0.50"}), {"make": dual, "spelt": "::ffff:10.10.0.50"}, lambda router: router.tables.stored("/ip/firewall/filter").insert(0, {".id": router.tables.fresh_id("/ip/firewall/filter"), "chain": "input", "action": "drop", "src-address-list": "bad"})),
    "our address, seen as a mapped one, dropped": ([{"menu": "/ip/firewall/filter", "op": "add", "values": {"chain": "input", "action": "drop", "src-address": "10.10.0.50"}, "place_before": OURS}], {"make": dual, "spelt": "::ffff:10.10.0.50"}),
    "www-ssl for IPv6 alone, reached over IPv4": (edit(SERVICE, "set", {"name": "www-ssl"}, {"address": "::/0"}), {"make": dual}),
    "our user for IPv6 alone, reached over IPv4": (edit(USER, "set", {"name": "mcp"}, {"address": "2001:db8::/32"}), {"make": dual, **POLICY}),
}

# name: (edits, words of the difference, options of the router, what is done to it beforehand)
KEPT = {
    "address added": (edit(ADDRESS, "add", None, {"address": "2001:DB8:33::1/64", "interface": "ether3"}), ["2001:db8:33::1/64"], {}),
    "guests' address disabled": (edit(ADDRESS, "disable", {"comment": "guests"}), ["true"], {}),
    "guests' address in another spelling": (edit(ADDRESS, "set", {"comment": "guests"}, {"address": "2001:0db8:0009:0000::2/64"}), ["2001:db8:9::2/64"], {}),
    "address with the end of IPv4": (edit(ADDRESS, "add", None, {"address": "64:ff9b::192.0.2.1/96", "interface": "ether4"}), ["64:ff9b::"], {}),
    "our own address commented": (edit(ADDRESS, "set", OURS, {"comment": "managed"}), ["managed"], {}),
    "route with host bits": (edit(ROUTE, "add", None, {"dst-address": "2001:DB8:88::1/48", "gateway": "2001:db8:9::FE"}), ["2001:db8:88::/48", "2001:db8:9::fe"], {}),
    "route removed": (edit(ROUTE, "remove", {"comment": "branch"}), ["branch"], ROUTED),
    "black hole beside us": (edit(ROUTE, "add", None, {"dst-address": "2001:db8:21::/48", "blackhole": "yes"}), ["2001:db8:21::/48"], ROUTED),
    "drop of another prefix": (rule(src_address="2001:db8:11::/64"), ["2001:db8:11::/64"], {}),
    "drop of a prefix that just misses us": (rule(src_address="2001:db8:10::40/124"), ["2001:db8:10::40/124"], {}),
    "drop of another port": (rule(protocol="tcp", dst_port="8291"), ["8291"], {}),
    "drop of echo requests": (rule(protocol="icmpv6", icmp_options="128:0-255"), ["128:0-255"], {}),
    "ICMPv6 dropped where the untracked are accepted before": (edit(FILTER, "set", {"comment": "defconf: accept ICMPv6"}, {"action": "drop"}), ["drop"], {}),
    "forward drop of our prefix": (rule(chain="forward", before=None, src_address="2001:db8:10::/64"), ["forward"], {}),
    "raw drop of another prefix": (raw(src_address="2001:db8:66::/48"), ["2001:db8:66::/48"], {}),
    "entry of somebody else": (entry("2001:DB8:66:0::1"), ["2001:db8:66::1/128"], {}, bad),
    "mapped entry": (entry("::ffff:10.10.0.0/120"), ["::ffff:10.10.0.0/120"], {}, bad),
    "NAT for a prefix": (edit(NAT, "add", None, {"chain": "srcnat", "action": "masquerade", "out-interface": "ether5", "comment": "npt"}), ["npt"], {}),
    "mangle of forwarded packets": (edit(MANGLE, "add", None, {"chain": "forward", "action": "change-mss", "new-mss": "1400", "protocol": "tcp", "tcp-flags": "syn"}), ["1400"], {}),
    "advertisement lifetime": (edit("/ipv6/nd", "set", {"interface": "all"}, {"ra-lifetime": "10m"}), ["10m"], {}),
    "a neighbour that is not ours": (edit(NEIGHBOR, "add", None, {"address": "2001:DB8:9::5", "interface": "ether4", "mac-address": "0c:00:aa:00:00:77"}), ["2001:db8:9::5"], {}),
    "fast path off": (edit(SETTINGS, "set", None, {"allow-fast-path": "no"}), ["false"], {}),
    "www-ssl for both families": (edit(SERVICE, "set", {"name": "www-ssl"}, {"address": "10.0.0.0/8,2001:DB8:10::1/64"}), ["2001:db8:10::/64"], {}),
    "our user for our prefix": (edit(USER, "set", {"name": "mcp"}, {"address": "2001:db8:10::/64"}), ["2001:db8:10::/64"], POLICY),
    "winbox for a link": (edit(SERVICE, "set", {"name": "winbox"}, {"address": "fe80::/10"}), ["fe80::/10"], {}),
    "DHCP client for a prefix elsewhere": (edit(DHCP, "add", None, {"interface": "ether5", "request": "prefix", "pool-name": "isp"}), ["isp"], {}),
    "IPv4 address removed, reached over IPv6": (edit("/ip/address", "remove", {"comment": "management v4"}), ["management v4"], {"make": six_beside_four}),
    "IPv4 default route removed, reached over IPv6": (edit("/ip/route", "remove", {"comment": "default v4"}), ["default v4"], {"make": six_beside_four}),
    "IPv4 drop of everybody, reached over IPv6": ([{"menu": "/ip/firewall/filter", "op": "add", "values": {"chain": "input", "action": "drop", "src-address": "0.0.0.0/0"}, "place_before": OURS}], ["0.0.0.0/0"], {"make": six_beside_four}),
    "IPv6 switched off, reached over IPv4": (edit(SETTINGS, "set", None, {"disable-ipv6": "yes"}), ["disable-ipv6"], {"make": dual}),
    "IPv6 address removed, reached over IPv4": (edit(ADDRESS, "remove", OURS), ["2001:db8:10::1/64"], {"make": dual}),
    "IPv6 drop of everybody, reached over IPv4": (rule(src_address="::/0"), ["::/0"], {"make": dual}),
    "neighbour discovery dropped, reached over IPv4": (raw(protocol="icmpv6"), ["icmpv6"], {"make": dual}),
}


# Cuts of which no draft comes, and why: the router has learnt these neighbours already.
REFUSED = {"a neighbour entry with another hardware address": "is taken", "a neighbour entry for our gateway": "is taken"}


def begin(place, options: dict, made_ready):
    """A router, with what the case wants on it beforehand."""
    router = place.router(**{"make": factory_six.router, **options})
    if made_ready:
        made_ready(router)
    for row in router.tables.stored("/ip/address"):
        if row["address"].startswith("10.10.0.1/"):
            row.setdefault("comment", "management")
    return router


def filled(router, edits: list[dict]) -> list[dict]:
    """Our ports in place of their words."""
    text = json.dumps(edits).replace("HTTPS", str(router.rest_port)).replace("SSH", str(router.ssh_port))
    return json.loads(text)


def cut(edits: list[dict], options: dict, made_ready=None, dead: bool = False, refusal: str = ""):
    """Told of in the draft, and undone: by the router alone if `dead`, since the program is then killed after the change."""

    def run() -> str:
        with site() as place:
            router = begin(place, options, made_ready)
            return undone(place, router, filled(router, edits), dead, refusal)

    return run


def kept(edits: list[dict], words: list[str], options: dict, made_ready=None):
    """Drafted, applied, confirmed; the change is there and nothing else."""

    def run() -> str:
        with site() as place:
            router = begin(place, options, made_ready)
            return stays(place, router, filled(router, edits), words)

    return run


def cases() -> dict:
    """All of them; of the cuts every third one with the program dead from then on."""
    made = {f"six kept: {name}": kept(*told) for name, told in KEPT.items()}
    for at, (name, told) in enumerate(CUTS.items()):
        dead = at % 3 == 2
        made[f"six cut: {name}" + (" (program dead)" if dead else "")] = cut(*told, dead=dead, refusal=REFUSED.get(name, ""))
    return made
