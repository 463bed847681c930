"""Drafts alone: edits that may cut us off by a way that tables do not show at once are never called harmless."""

from __future__ import annotations

import json

import factory
from cases_cuts import FILTER, OURS, edit, filled
from plant import expect, short, site, unchanged

LISTS, MEMBER, ADDRESS, ROUTE = "/ip/firewall/address-list", "/interface/list/member", "/ip/address", "/ip/route"


def by_list(router) -> None:
    """We are let in by an address list."""
    row = router.tables.find(FILTER, comment="management")
    row.pop("src-address")
    row["src-address-list"] = "mgr"
    factory.put(router.tables, LISTS, list="mgr", address=router.client, disabled="false", comment="us")


def by_interface_list(router) -> None:
    """We are let in by a list of interfaces that includes another."""
    tables = router.tables
    factory.put(tables, "/interface/list", name="MGMT", include="LAN", exclude="")
    row = tables.find(FILTER, comment="management")
    row.pop("src-address")
    row["in-interface-list"] = "MGMT"


def by_jump(router) -> None:
    """We are let in by a chain of its own."""
    tables = router.tables
    row = tables.find(FILTER, comment="management")
    row |= {"action": "jump", "jump-target": "mgmt", "comment": "to mgmt"}
    factory.put(tables, FILTER, **{"chain": "mgmt", "action": "accept", "protocol": "tcp", "comment": "mgmt in"})
    factory.put(tables, FILTER, **{"chain": "other", "action": "accept", "protocol": "udp", "comment": "other in"})


def drop_first(**values: str) -> list[dict]:
    """A rule before ours, its names with dashes."""
    made = {key.replace("_", "-"): value for key, value in values.items()}
    return [{"menu": FILTER, "op": "add", "values": {"chain": "input", "action": "drop", **made}, "place_before": {"comment": "management"}, "match_all": True}]


# name: (edits, setup, options)
MAY_CUT = {
    "entry of our list gets a timeout": (edit(LISTS, "set", {"comment": "us"}, {"timeout": "2m"}), by_list, {}),
    "entry of our list disabled": (edit(LISTS, "disable", {"comment": "us"}), by_list, {}),
    "entry of our list is another": (edit(LISTS, "set", {"comment": "us"}, {"address": "10.1.1.1"}), by_list, {}),
    "entry of our list in another list": (edit(LISTS, "set", {"comment": "us"}, {"list": "others"}), by_list, {}),
    "entry of our list removed": (edit(LISTS, "remove", {"comment": "us"}), by_list, {}),
    "our list is asked by another name": (edit(FILTER, "set", OURS, {"src-address-list": "mgr2"}), by_list, {}),
    "our interface leaves the inner list": (edit(MEMBER, "remove", {"list": "LAN", "interface": "bridge"}), by_interface_list, {}),
    "our outer list includes no more": (edit("/interface/list", "set", {"name": "MGMT"}, {"include": ""}), by_interface_list, {}),
    "our outer list excludes ours": (edit("/interface/list", "set", {"name": "MGMT"}, {"exclude": "LAN"}), by_interface_list, {}),
    "our rule asks another interface list": (edit(FILTER, "set", OURS, {"in-interface-list": "WAN"}), by_interface_list, {}),
    "jump disabled": (edit(FILTER, "disable", {"comment": "to mgmt"}), by_jump, {}),
    "jump to another chain": (edit(FILTER, "set", {"comment": "to mgmt"}, {"jump-target": "other"}), by_jump, {}),
    "rule of our chain removed": (edit(FILTER, "remove", {"comment": "mgmt in"}), by_jump, {}),
    "rule of our chain moved to another": (edit(FILTER, "set", {"comment": "mgmt in"}, {"chain": "other"}), by_jump, {}),
    "drop by time": (drop_first(protocol="tcp", time="20h-21h,mon"), None, {}),
    "drop by limit": (drop_first(protocol="tcp", limit="1,5:packet"), None, {}),
    "drop by connection limit": (drop_first(protocol="tcp", connection_limit="0,32"), None, {}),
    "drop by content": (drop_first(protocol="tcp", content="a"), None, {}),
    "drop by nth": (drop_first(protocol="tcp", nth="2,1"), None, {}),
    "drop by random": (drop_first(protocol="tcp", random="50"), None, {}),
    "drop by packet size": (drop_first(protocol="tcp", packet_size="0-65535"), None, {}),
    "drop by ttl": (drop_first(protocol="tcp", ttl="less-than:255"), None, {}),
    "drop by connection mark": (drop_first(connection_mark="no-mark"), None, {}),
    "drop by bridge port": (drop_first(in_bridge_port="ether2"), None, {}),
    "source put on a list that is dropped": (edit(FILTER, "add", None, {"chain": "input", "action": "add-src-to-address-list", "address-list": "bad", "protocol": "tcp"}, place_before=OURS) + drop_first(src_address_list="bad"), None, {}),
    "our own address becomes the router's": (edit(ADDRESS, "add", None, {"address": "CLIENT/32", "interface": "ether4"}), None, {}),
    "a narrower network of ours elsewhere": (edit(ADDRESS, "add", None, {"address": "10.10.0.49/28", "interface": "ether4"}), None, {}),
    "the gateway becomes the router's": (edit(ADDRESS, "add", None, {"address": "10.10.0.254/32", "interface": "ether4"}), None, {"layout": "routed"}),
    "the gateway is reached another way": (edit(ROUTE, "add", None, {"dst-address": "10.10.0.254/32", "gateway": "10.9.0.254", "scope": "10"}), None, {"layout": "routed"}),
    "routing rule": (edit("/routing/rule", "add", None, {"dst-address": "172.20.0.0/16", "action": "drop"}), None, {"layout": "routed"}),
    "strict reverse path": (edit("/ip/settings", "set", None, {"rp-filter": "strict"}), None, {"layout": "routed"}),
    "VRF takes our interface": (edit("/ip/vrf", "add", None, {"name": "x", "interfaces": "bridge"}), None, {}),
    "no passwords over SSH": (edit("/ip/ssh", "set", None, {"password-authentication": "no"}), None, {}),
    "our port becomes a slave": (edit("/interface/bonding", "add", None, {"name": "bond1", "slaves": "ether2,ether3"}), None, {}),
    "our routed interface joins the bridge": (edit("/interface/bridge/port", "add", None, {"bridge": "bridge", "interface": "ether1"}), None, {"layout": "routed"}),
    "our port in another bridge": (edit("/interface/bridge", "add", None, {"name": "b2"}) + edit("/interface/bridge/port", "set", {"interface": "ether2"}, {"bridge": "b2"}), None, {}),
    "bridge packets through the firewall": (edit("/interface/bridge/settings", "set", None, {"use-ip-firewall": "yes"}), None, {}),
    "dot1x on our port": (edit("/interface/dot1x/server", "add", None, {"interface": "ether2"}), None, {}),
    "horizon of our port": (edit("/interface/bridge/port", "set", {"interface": "ether2"}, {"horizon": "1"}), None, {}),
    "MTU of our port": (edit("/interface/ethernet", "set", {"name": "ether2"}, {"mtu": "100"}), None, {}),
    "speed of our port": (edit("/interface/ethernet", "set", {"name": "ether2"}, {"auto-negotiation": "no"}), None, {}),
    "MAC address of the bridge": (edit("/interface/bridge", "set", {"name": "bridge"}, {"auto-mac": "no", "admin-mac": "02:00:00:00:00:01"}), None, {}),
    "sessions of www-ssl": (edit("/ip/service", "set", {"name": "www-ssl"}, {"max-sessions": "1"}), None, {}),
    "TLS version of www-ssl": (edit("/ip/service", "set", {"name": "www-ssl"}, {"vrf": "x"}), None, {}),
    "certificate of www-ssl removed": (edit("/certificate", "remove", {"name": "web"}), None, {}),
    "our port swaps PVID with a row": (edit("/interface/bridge/vlan", "set", {"vlan-ids": "10"}, {"vlan-ids": "11"}), None, {"layout": "vlan"}),
    "bridge PVID": (edit("/interface/bridge", "set", {"name": "bridge"}, {"pvid": "10"}), None, {"layout": "vlan"}),
    "MSTP for the bridge": (edit("/interface/bridge", "set", {"name": "bridge"}, {"protocol-mode": "mstp"}), None, {}),
    "connection tracking off": (edit("/ip/firewall/connection/tracking", "set", None, {"enabled": "no"}), None, {}),
    "netwatch with a script": (edit("/tool/netwatch", "add", None, {"host": "192.0.2.1", "down-script": "/system/reboot"}), None, {}),
    "DHCP client on our interface": (edit("/ip/dhcp-client", "add", None, {"interface": "bridge"}), None, {}),
    "proxy ARP entry for us": (edit("/ip/arp", "add", None, {"address": "CLIENT", "mac-address": "02:00:00:00:00:09", "interface": "bridge"}), None, {}),
}


def draft(name: str):
    """A draft that must not be called harmless."""

    def run() -> str:
        edits, setup, options = MAY_CUT[name]
        with site() as place:
            router = place.router(**options)
            if setup:
                setup(router)
            made = [{**one, **({"values": {key: filled(router, value) for key, value in one["values"].items()}} if "values" in one else {})} for one in edits]
            before = router.dump()
            answer = place.try_draft(made)
            unchanged(router, before)
            if answer.code:
                return f"refused: {short(answer.err, 200)}"
            plan = json.loads(answer.out)
            expect(plan["can_cut_access"] != "no", f"called harmless, risk {plan['risk']}")
            expect(plan["risk"] in ("high", "extreme"), f"risk {plan['risk']}")
            return f"{plan['can_cut_access']}: {short(plan['cut_reasons'], 150)}"

    return run


def cases() -> dict:
    """All of them."""
    return {f"draft: {name}": draft(name) for name in MAY_CUT}
