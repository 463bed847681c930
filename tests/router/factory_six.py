"""Routers that are reached over IPv6: the site router of `factory`, with IPv6 addresses, routes and rules, and a client that comes by IPv6."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import asyncssh
import doors
import factory
import lockout
import machine
import menus as m
import rest
import shell
from factory import put
from tables import policies

REAL = "::1"
LOCAL, CLIENT, FAR = "2001:db8:10::1", "2001:db8:10::50", "2001:db8:20::50"
GATEWAY = "fe80::fe"
FILTER, RAW, LISTS = "/ipv6/firewall/filter", "/ipv6/firewall/raw", "/ipv6/firewall/address-list"
# One loopback address has to do for all of them: they differ by their ports.
_numbers = iter(range(0, 400))


def ports() -> tuple[int, int]:
    """Two that nobody listens on; below those that connections are made from."""
    base = 21000 + os.getpid() % 12 * 900
    while True:
        first = base + 2 * next(_numbers)
        if free(first) and free(first + 1):
            return first, first + 1


def free(port: int) -> bool:
    """Whether a port can be listened on."""
    with socket.socket(socket.AF_INET6) as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind((REAL, port))
        except OSError:
            return False
        return True


def router(place: Path, address: str, version: str = "7.23.2", *, policy: str = factory.GROUP, layout: str = "bridge", **options) -> machine.Router:
    """A router that listens on `::1`, at two ports of its own. `address` only gives it its name.

    layout  `bridge`: our client stands behind ether2, a port of the bridge that has the address
            `routed`: the address is on ether1 and the client comes through a gateway there, by a static route
            `link`: both ends are link-local addresses on the bridge
            `advertised`: as `routed`, with a default route that the gateway advertises; the router forwards nothing
            `delegated`: as `bridge`, and the address is of a prefix that a DHCP client on ether5 got
            `leased`: as `routed`, with address and default route from a DHCP client on ether1
    """
    made = machine.Router(f"r{address.rsplit('.', 1)[1]}", version, **options)
    tables = made.tables
    factory.base(tables, made.name, address)
    https, ssh = ports()
    for row in tables.stored("/ip/service"):
        row["port"] = {"www-ssl": str(https), "ssh": str(ssh)}.get(row["name"], row["port"])
    local, client = {"bridge": (LOCAL, CLIENT), "delegated": (LOCAL, CLIENT), "link": ("fe80::1", "fe80::50")}.get(layout, (LOCAL, FAR))
    near = layout in ("bridge", "delegated", "link")
    made.world = lockout.World(client, "ether2") if near else lockout.World(client, "ether1", gateway=GATEWAY)
    made.world.spelt = f"{client}%bridge" if layout == "link" else ""
    for name in ("ether2", "ether3"):
        factory.port(tables, name)
    settings(tables)
    ways(tables, layout, local)
    rules(tables, "fe80::/64" if layout == "link" else client.split("::")[0] + "::/64", f"{https},{ssh}")
    put(tables, "/user/group", name="mcp-group", policy=policies(policy, ""), skin="default")
    put(tables, "/user", name=factory.USER, group="mcp-group", address="", disabled="false", password=factory.PASSWORD, comment="routeros-mcp")
    for name in ("web", "spare"):
        row = put(tables, "/certificate", **{"name": name, "common-name": name, "private-key": "true", "trusted": "true", "days-valid": "3650", "key-size": "prime256v1"})
        row["_file"] = str(factory.certificate(place, f"{name}-{https}", REAL))
    doors.Doors(made, REAL, local)
    rest.Rest(made)
    shell.Shell(made, factory._keys.setdefault("ssh", asyncssh.generate_private_key("ssh-rsa", key_size=2048)))
    made.local, made.client = local, client
    made.address, made.rest_port, made.ssh_port = REAL, https, ssh
    return made


def dual(place: Path, address: str, version: str = "7.23.2", *, spelt: str = "", **options) -> machine.Router:
    """A router that is reached over IPv4 and has IPv6 beside it. `spelt` is how it writes the client among the active users."""
    made = factory.router(place, address, version, **options)
    settings(made.tables)
    ways(made.tables, "bridge", LOCAL)
    rules(made.tables, "2001:db8:10::/64", f"{factory.HTTPS},{factory.SSH}")
    made.world.spelt = spelt
    return made


def six_beside_four(place: Path, address: str, version: str = "7.23.2", **options) -> machine.Router:
    """The reverse: reached over IPv6, with IPv4 on the same interface and rules there."""
    made = router(place, address, version, **options)
    put(made.tables, "/ip/address", address="10.10.0.1/24", interface="bridge", disabled="false", comment="management v4")
    put(made.tables, "/ip/route", **{**m.DEFAULTS["/ip/route"], "dst-address": "0.0.0.0/0", "gateway": "10.10.0.254", "comment": "default v4"})
    factory.rules(made.tables, "10.10.0.0/24")
    return made


def settings(tables) -> None:
    """As a router is delivered."""
    tables.ones["/ipv6/settings"] = {"accept-redirects": "yes-if-forwarding-disabled", "accept-router-advertisements": "yes-if-forwarding-disabled", "allow-fast-path": "true", "disable-ipv6": "false", "disable-link-local-address": "false", "forward": "true", "max-neighbor-entries": "16384", "min-neighbor-entries": "4096", "multipath-hash-policy": "l3", "soft-max-neighbor-entries": "8192", "stale-neighbor-detect-interval": "30", "stale-neighbor-timeout": "60"}
    put(tables, "/ipv6/nd", **{"interface": "all", "ra-interval": "3m20s-10m", "ra-delay": "3s", "mtu": "unspecified", "ra-lifetime": "30m", "ra-preference": "medium", "hop-limit": "unspecified", "advertise-mac-address": "true", "advertise-dns": "true", "managed-address-configuration": "false", "other-configuration": "false", "disabled": "false", "default": "true", "invalid": "false"})
    put(tables, LISTS, **{"list": "blocked", "address": "2001:db8:bad::/48", "disabled": "false", "creation-time": "2026-09-28 16:48:57"})


def address(tables, text: str, interface: str, **more: str) -> None:
    """A row of `/ipv6/address`."""
    put(tables, "/ipv6/address", **{**m.DEFAULTS["/ipv6/address"], "address": text, "interface": interface, **more})


def ways(tables, layout: str, local: str) -> None:
    """Addresses and routes."""
    address(tables, "2001:db8:9::1/64", "ether4", comment="guests")
    put(tables, "/ipv6/route", **{**m.DEFAULTS["/ipv6/route"], "dst-address": "2001:db8:77::/48", "gateway": "2001:db8:9::fe", "comment": "branch"})
    if layout == "delegated":
        put(tables, "/ipv6/dhcp-client", **{**m.DEFAULTS["/ipv6/dhcp-client"], "interface": "ether5", "request": "prefix", "pool-name": "isp", "pool-prefix-length": "64", "comment": "provider", "_offer": "2001:db8:10::/56"})
        address(tables, f"{local}/64", "bridge", **{"from-pool": "isp", "comment": "management"})
    elif layout == "leased":
        put(tables, "/ipv6/dhcp-client", **{**m.DEFAULTS["/ipv6/dhcp-client"], "interface": "ether1", "request": "address", "add-default-route": "true", "comment": "provider", "_offer": f"{local}/64", "_gateway": f"{GATEWAY}%ether1"})
    else:
        address(tables, f"{local}/64", "bridge" if layout in ("bridge", "link") else "ether1", comment="management", advertise="false")
    if layout == "routed":
        put(tables, "/ipv6/route", **{**m.DEFAULTS["/ipv6/route"], "dst-address": "::/0", "gateway": f"{GATEWAY}%ether1", "comment": "default"})
    if layout == "advertised":
        tables.ones["/ipv6/settings"] |= {"forward": "false", "_router": f"{GATEWAY}%ether1"}


def rules(tables, management: str, held: str) -> None:
    """An input chain as the factory makes it, with a rule for us."""
    rows = (
        {"chain": "input", "action": "accept", "connection-state": "established,related,untracked", "comment": "defconf: accept established"},
        {"chain": "input", "action": "drop", "connection-state": "invalid", "comment": "defconf: drop invalid"},
        {"chain": "input", "action": "accept", "protocol": "icmpv6", "comment": "defconf: accept ICMPv6"},
        {"chain": "input", "action": "accept", "protocol": "tcp", "dst-port": held, "src-address": management, "comment": "management"},
        {"chain": "input", "action": "drop", "comment": "drop the rest", "log": "true", "log-prefix": "in6"},
        {"chain": "forward", "action": "accept", "connection-state": "established,related", "comment": "forward established"},
        {"chain": "forward", "action": "drop", "src-address": "2001:db8:30::/64", "dst-address": "2001:db8:31::/64", "comment": "drop iot"},
    )
    for row in rows:
        put(tables, FILTER, **row)
