"""What a menu is: its arguments on a version, the types and defaults of those that scenarios touch, what must be unique."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import values as v

FACTS = Path(os.environ.get("ROUTEROS_FACTS") or Path(__file__).resolve().parents[3] / "shared" / "routeros")
POLICIES = ("local", "telnet", "ssh", "ftp", "reboot", "read", "write", "policy", "test", "winbox", "password", "web", "sniff", "sensitive", "api", "romon", "rest-api")
SCRIPT_POLICIES = ("ftp", "reboot", "read", "write", "policy", "test", "password", "sniff", "sensitive", "romon")
STATES = ("invalid", "established", "related", "new", "untracked")
FIREWALLS = tuple(f"{family}/firewall/{table}" for family in ("/ip", "/ipv6") for table in ("filter", "nat", "mangle", "raw"))
# Kinds of interface that are rows of a menu of their own, and of `/interface`.
INTERFACES = {
    "/interface/ethernet": "ether", "/interface/bridge": "bridge", "/interface/vlan": "vlan", "/interface/wireguard": "wg",
    "/interface/veth": "veth", "/interface/vrrp": "vrrp", "/interface/bonding": "bond",
}
ORDERED = {*FIREWALLS, "/interface/bridge/port", "/interface/bridge/filter", "/interface/bridge/nat", "/queue/simple", "/routing/rule", "/ip/dns/static", "/ip/firewall/layer7-protocol"}
INTERFACE_ARGS = {"interface", "in-interface", "out-interface", "bridge", "in-bridge-port", "out-bridge-port", "master-interface"}
SECRETS = {"password", "private-key", "preshared-key", "secret", "authentication-password", "encryption-password", "passphrase", "wpa2-pre-shared-key"}

RULE = {
    "src-address": v.matcher, "dst-address": v.matcher, "src-port": v.ports, "dst-port": v.ports, "port": v.ports, "connection-state": v.words(STATES),
    "disabled": v.boolean, "log": v.boolean, "in-interface": v.free, "out-interface": v.free, "src-mac-address": v.mac,
}
ACTIONS = ("accept", "add-dst-to-address-list", "add-src-to-address-list", "drop", "fasttrack-connection", "jump", "log", "passthrough", "reject", "return", "tarpit")
NAT_ACTIONS = ("accept", "add-dst-to-address-list", "add-src-to-address-list", "dst-nat", "endpoint-independent-nat", "jump", "log", "masquerade", "netmap", "passthrough", "redirect", "return", "same", "src-nat")

# Types of arguments, by menu. What stands in no table here is text, a flag or a length of time as the schema says.
TYPES = {
    "/ip/address": {"address": v.interface_address, "network": v.matcher, "disabled": v.boolean},
    "/ip/route": {"dst-address": v.prefix, "distance": v.number(1, 255), "scope": v.number(1, 255), "target-scope": v.number(1, 255), "disabled": v.boolean, "check-gateway": v.word("arp", "ping", "none")},
    "/ip/firewall/filter": {**RULE, "action": v.word(*ACTIONS)},
    "/ip/firewall/raw": {**RULE, "action": v.word(*ACTIONS, "notrack")},
    "/ip/firewall/nat": {**RULE, "action": v.word(*NAT_ACTIONS)},
    "/ip/firewall/mangle": RULE,
    "/ip/firewall/address-list": {"address": v.free, "timeout": v.interval, "disabled": v.boolean},
    "/ip/service": {"port": v.number(1, 65535), "address": v.prefixes, "available-from": v.prefixes, "disabled": v.boolean, "max-sessions": v.number(1, 1000)},
    "/user": {"address": v.prefixes, "disabled": v.boolean, "inactivity-timeout": v.interval},
    "/interface/ethernet": {"disabled": v.boolean, "mac-address": v.mac, "mtu": v.number(68, 65536), "arp": v.word("disabled", "enabled", "local-proxy-arp", "proxy-arp", "reply-only")},
    "/interface/vlan": {"vlan-id": v.number(1, 4095), "disabled": v.boolean, "mtu": v.number(68, 65536)},
    "/interface/bridge": {"pvid": v.number(1, 4094), "vlan-filtering": v.boolean, "disabled": v.boolean, "protocol-mode": v.word("none", "rstp", "stp", "mstp"), "ageing-time": v.interval},
    "/interface/bridge/port": {"pvid": v.number(1, 4094), "disabled": v.boolean, "ingress-filtering": v.boolean},
    "/interface/bridge/vlan": {"disabled": v.boolean},
    "/ip/dns/static": {"ttl": v.interval, "address": v.matcher, "disabled": v.boolean},
    "/ip/dns": {"servers": v.free, "cache-size": v.number(64, 4194303), "cache-max-ttl": v.interval, "allow-remote-requests": v.boolean},
    "/queue/simple": {"max-limit": v.rate_pair, "limit-at": v.rate_pair, "burst-limit": v.rate_pair, "burst-threshold": v.rate_pair, "disabled": v.boolean},
    "/system/scheduler": {"interval": v.interval, "disabled": v.boolean, "policy": v.words(SCRIPT_POLICIES)},
    "/system/script": {"policy": v.words(SCRIPT_POLICIES), "dont-require-permissions": v.boolean},
    "/tool/netwatch": {"interval": v.interval, "timeout": v.interval, "disabled": v.boolean},
    "/ip/dhcp-server": {"lease-time": v.interval, "disabled": v.boolean},
    "/ip/dhcp-server/lease": {"mac-address": v.mac, "disabled": v.boolean},
    "/ip/dhcp-server/network": {"address": v.free},
}
RULE_DEFAULTS = {"disabled": "false", "log": "false", "log-prefix": ""}
# What a new row has that was not given.
DEFAULTS = {
    "/ip/address": {"disabled": "false"},
    "/ip/route": {"disabled": "false", "distance": "1", "scope": "30", "target-scope": "10", "routing-table": "main"},
    "/ip/firewall/filter": {"action": "accept", **RULE_DEFAULTS}, "/ip/firewall/nat": {"action": "accept", **RULE_DEFAULTS},
    "/ip/firewall/raw": {"action": "accept", **RULE_DEFAULTS}, "/ip/firewall/mangle": {"action": "accept", **RULE_DEFAULTS},
    "/ip/firewall/address-list": {"disabled": "false"},
    "/user": {"address": "", "disabled": "false", "expired": "false"},
    "/user/group": {"skin": "default"},
    "/interface/vlan": {"arp": "enabled", "arp-timeout": "auto", "disabled": "false", "loop-protect": "default", "loop-protect-disable-time": "5m", "loop-protect-send-interval": "5s", "mtu": "1500", "use-service-tag": "false"},
    "/interface/bridge": {"ageing-time": "5m", "arp": "enabled", "arp-timeout": "auto", "auto-mac": "true", "dhcp-snooping": "false", "disabled": "false", "fast-forward": "true", "forward-delay": "15s", "igmp-snooping": "false", "max-message-age": "20s", "mtu": "auto", "port-cost-mode": "long", "priority": "0x8000", "protocol-mode": "rstp", "transmit-hold-count": "6", "vlan-filtering": "false"},
    "/interface/bridge/port": {"auto-isolate": "false", "bpdu-guard": "false", "broadcast-flood": "true", "disabled": "false", "edge": "auto", "fast-leave": "false", "frame-types": "admit-all", "horizon": "none", "hw": "true", "ingress-filtering": "true", "learn": "auto", "multicast-router": "temporary-query", "point-to-point": "auto", "priority": "0x80", "pvid": "1", "restricted-role": "false", "restricted-tcn": "false", "tag-stacking": "false", "trusted": "false", "unknown-multicast-flood": "true", "unknown-unicast-flood": "true"},
    "/interface/bridge/vlan": {"disabled": "false", "tagged": "", "untagged": ""},
    "/interface/list/member": {"disabled": "false"}, "/interface/list": {"include": "", "exclude": ""},
    "/interface/wireguard": {"disabled": "false", "listen-port": "13231", "mtu": "1420", "private-key": "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=", "public-key": "uIe7NfdxuDNF7qaPqImiVSBzGPJXop1ENsDzZ2Y5So0="},
    "/ip/dns/static": {"disabled": "false", "ttl": "1d", "type": "A"},
    "/queue/simple": {"bucket-size": "0.1/0.1", "burst-limit": "0/0", "burst-threshold": "0/0", "burst-time": "0s/0s", "disabled": "false", "limit-at": "0/0", "max-limit": "0/0", "packet-marks": "", "parent": "none", "priority": "8/8", "queue": "default-small/default-small"},
    "/system/scheduler": {"disabled": "false", "interval": "0s", "on-event": ""},
    "/system/script": {"dont-require-permissions": "false", "source": ""},
    "/tool/netwatch": {"disabled": "false", "type": "simple", "up-script": "", "down-script": "", "test-script": "", "http-codes": ""},
    "/ip/pool": {}, "/ip/dhcp-server": {"disabled": "false", "lease-time": "30m", "lease-script": "", "authoritative": "yes", "use-radius": "no"},
    "/ip/dhcp-server/lease": {"disabled": "false", "address-lists": "", "dhcp-option": "", "blocked": "false", "radius": "false"},
    "/ip/dhcp-server/network": {"dns-server": "", "gateway": ""},
    "/routing/rule": {"disabled": "false"}, "/ppp/secret": {"disabled": "false", "profile": "default", "service": "any"},
}
REQUIRED = {
    "/ip/address": ("address", "interface"), "/ip/firewall/filter": ("chain",), "/ip/firewall/nat": ("chain",), "/ip/firewall/raw": ("chain",), "/ip/firewall/mangle": ("chain",),
    "/ip/firewall/address-list": ("address", "list"), "/user": ("name", "group"), "/user/group": ("name",), "/interface/vlan": ("interface", "vlan-id"), "/interface/bridge/port": ("bridge", "interface"),
    "/interface/bridge/vlan": ("bridge", "vlan-ids"), "/interface/list/member": ("interface", "list"), "/system/script": ("name",), "/system/scheduler": (), "/queue/simple": ("target",),
    "/ip/dns/static": (), "/ip/pool": ("name", "ranges"), "/ip/dhcp-server": ("interface",), "/ip/dhcp-server/network": ("address",), "/tool/netwatch": ("host",),
}
# The attributes that no two rows may share, and what the router says of it.
UNIQUE = {
    "/ip/address": (("address", "interface"), "failure: already have such address"), "/ip/firewall/address-list": (("list", "address"), "failure: already have such entry"),
    "/user": (("name",), "failure: user with the same name already exists"), "/user/group": (("name",), "failure: group with the same name already exists"),
    "/system/script": (("name",), "failure: item with this name already exists"), "/system/scheduler": (("name",), "failure: event with such name already exists"),
    "/interface/bridge/port": (("interface",), "failure: device already added as bridge port"), "/interface/list": (("name",), "failure: already have such list"),
    "/interface/list/member": (("interface", "list"), "failure: already have interface in list"), "/queue/simple": (("name",), "failure: item with this name already exists"),
    "/ip/pool": (("name",), "failure: pool with such name exists"), "/ip/dhcp-server": (("name",), "failure: server with such name already exists"),
    "/ip/dhcp-server/network": (("address",), "failure: such network already exists"), "/ip/dns/static": (("name", "address", "type", "regexp"), "failure: entry already exists"),
    "/routing/table": (("name",), "failure: already have such table"),
}
NAMED = {"/user", "/user/group", "/system/script", "/system/scheduler", "/ip/service", "/interface", "/interface/list", "/queue/simple", "/ip/pool", "/ip/dhcp-server", "/file", "/certificate", "/routing/table", *INTERFACES}
# Rows that are made by the router and cannot be added or removed there.
FIXED = {"/ip/service", "/interface", "/interface/ethernet"}


def order_of(version: str) -> tuple[int, ...]:
    """A version as numbers, to compare."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


class Menus:
    """The menus of one version: the newest schema, less what came later."""

    def __init__(self, version: str) -> None:
        self.version = order_of(version)
        self.menus = json.loads((FACTS / "schema.json").read_text())
        self.menus.pop("_meta")
        steps = json.loads((FACTS / "schema_versions.json").read_text())
        for step in reversed(steps):
            if order_of(step.split("->")[1]) > self.version:
                for path, changes in steps[step].items():
                    self._undo(path, changes)
        for path in [path for path in self.menus if path.startswith(("/app", "/caps-man", "/container", "/dude", "/interface/wifi", "/interface/wireless", "/iot", "/user-manager", "/zerotier", "/openflow", "/tr069"))]:
            del self.menus[path]

    def _undo(self, path: str, changes) -> None:
        if changes == "+menu":
            self.menus.pop(path, None)
        menu = self.menus.get(path)
        for change in changes if isinstance(changes, list) and menu else ():
            found = re.fullmatch(r"([+-])(add|set)\.(.+)", change)
            if found:
                for which in ("add_args", "set_args"):
                    held = menu.get(which)
                    if isinstance(held, list) and found[1] == "+":
                        menu[which] = [name for name in held if name != found[3]]
                    elif isinstance(held, list):
                        menu[which] = sorted({*held, found[3]})
            elif change.startswith("+cmd "):
                menu.get("commands", {}).pop(change[5:], None)

    def exists(self, path: str) -> bool:
        """Whether there is such a menu, perhaps only as a folder of others."""
        return path in self.menus or path in ("", "/") or any(other.startswith(path + "/") for other in self.menus)

    def singleton(self, path: str) -> bool:
        """Whether a menu is one object."""
        return self.menus.get(path, {}).get("kind") == "singleton"

    def arguments(self, path: str, verb: str) -> set[str]:
        """What `add` or `set` takes there."""
        menu = self.menus.get(path, {})
        added = menu.get("add_args", [])
        held = menu.get("set_args", []) if verb == "set" else added
        if held == "=add":
            held = [name for name in added if name not in ("copy-from", "place-before")]
        held = set(held)
        if path == "/system/script" and verb == "add":
            held.discard("owner")
        return held

    def readable(self, path: str) -> set[str]:
        """What a row of it may show."""
        menu = self.menus.get(path, {})
        return self.arguments(path, "add") | self.arguments(path, "set") | set(menu.get("ro_props", [])) | set(menu.get("read_props", []))

    def checker(self, path: str, name: str):
        """The function that checks and respells an argument."""
        own = TYPES.get(path, {}).get(name)
        if own:
            return own
        menu = self.menus.get(path, {})
        if menu.get("enums", {}).get(name) == "bool":
            return v.boolean
        if "time interval" in str(menu.get("types", {}).get(name, "")) and name not in ("burst-time",):
            return v.interval
        return v.free

    def commands(self, path: str) -> set[str]:
        """The commands of a menu."""
        menu = self.menus.get(path)
        if menu is None:
            return set()
        made = set(menu.get("commands", {})) | {"print", "get"}
        verbs = menu.get("verbs", [])
        if menu.get("kind") == "singleton":
            return made | ({"set"} if "POST set" in verbs else set())
        made |= {"find"}
        for verb, command in (("PUT", "add"), ("PATCH", "set"), ("DELETE", "remove")):
            if verb in verbs:
                made.add(command)
        if path in ORDERED:
            made |= {"move"}
        return made
