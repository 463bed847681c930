"""Routers ready for use: a small site router with a bridge, a firewall, services, users, and a world around it."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

import asyncssh
import doors
import lockout
import machine
import menus as m
import rest
import shell
import values as v
from tables import policies
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HTTPS, SSH = 20443, 20022
USER, PASSWORD = "mcp", "correct horse"
GROUP = "read,write,test,api,rest-api,ssh,password"
_keys: dict[str, object] = {}


def certificate(place: Path, name: str, address: str) -> Path:
    """A self-signed certificate with its key, in one file."""
    file = place / f"{name}-{address}.pem"
    if not file.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.timezone.utc)
        made = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key()).serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=3650)).add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False).sign(key, hashes.SHA256())
        file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()) + made.public_bytes(serialization.Encoding.PEM))
    return file


def router(place: Path, address: str, version: str = "7.23.2", *, policy: str = GROUP, home: bool = False, layout: str = "bridge", mapped: bool = True, **options) -> machine.Router:
    """A router that listens on the loopback address `address`. In its own tables it is 10.10.0.1 and its client 10.10.0.50, as behind a
    translation; without `mapped` it has the loopback address itself, and the client is 127.0.0.1.

    layout  `bridge`: our client stands behind ether2, a port of the bridge that has the address
            `routed`: the address is on ether1 and the client comes through a gateway there, by a static route
            `vlan`: the bridge filters VLANs, ether2 is an access port of VLAN 10, the address is on vlan10
    """
    made = machine.Router(f"r{address.rsplit('.', 1)[1]}", version, **options)
    tables = made.tables
    base(tables, made.name, address)
    local = "10.10.0.1" if mapped else address
    client = ("172.20.0.50" if layout == "routed" else "10.10.0.50") if mapped else "127.0.0.1"
    if home:
        made.set_mode("home")
    {"bridge": bridged, "routed": routed, "vlan": vlans}[layout](made, local, client)
    put(tables, "/user/group", name="mcp-group", policy=policies(policy, ""), skin="default")
    put(tables, "/user", name=USER, group="mcp-group", address="", disabled="false", password=PASSWORD, comment="routeros-mcp")
    for name in ("web", "spare"):
        row = put(tables, "/certificate", **{"name": name, "common-name": name, "private-key": "true", "trusted": "true", "days-valid": "3650", "key-size": "prime256v1"})
        row["_file"] = str(certificate(place, name, address))
    key = _keys.setdefault("ssh", asyncssh.generate_private_key("ssh-rsa", key_size=2048))
    doors.Doors(made, address, local)
    rest.Rest(made)
    shell.Shell(made, key)
    made.local, made.client = local, client
    made.address, made.rest_port, made.ssh_port = address, HTTPS, SSH
    return made


def put(tables, path: str, **values: str) -> dict:
    """A row as it is, unchecked."""
    row = {".id": tables.fresh_id(path), **values}
    if path == "/ip/address":
        row["network"] = v.network_of(row["address"])
    tables.stored(path).append(row)
    return row


def base(tables, name: str, address: str) -> None:
    """What every layout has."""
    newer = m.order_of(tables.version)
    for at in range(1, 6):
        put(tables, "/interface/ethernet", **{"name": f"ether{at}", "default-name": f"ether{at}", "disabled": "false", "mtu": "1500", "arp": "enabled", "mac-address": f"0C:00:E6:0A:3D:{at:02X}", "auto-negotiation": "true", "l2mtu": "1514", "loop-protect": "default"})
    put(tables, "/interface/bridge", **{**m.DEFAULTS["/interface/bridge"], "name": "bridge", "comment": "defconf"})
    for list_name in ("WAN", "LAN"):
        put(tables, "/interface/list", name=list_name, include="", exclude="", comment="defconf")
    for list_name, interface in (("LAN", "bridge"), ("WAN", "ether5")):
        put(tables, "/interface/list/member", list=list_name, interface=interface, disabled="false")
    services = (("telnet", "23", "true"), ("ftp", "21", "true"), ("www", "80", "true"), ("ssh", str(SSH), "false"), ("www-ssl", str(HTTPS), "false"), ("api", "8728", "true"), ("winbox", "8291", "false"), ("api-ssl", "8729", "true"))
    for service, port, disabled in services:
        row = put(tables, "/ip/service", **{"name": service, "port": port, "disabled": disabled, "address": "", "vrf": "main"})
        if newer >= (7, 16):
            row["max-sessions"] = "20"
        if newer >= (7, 24):
            row["available-from"] = ""
        if service in ("www-ssl", "api-ssl"):
            row |= {"certificate": "web" if service == "www-ssl" else "none", "tls-version": "any"}
    for group, policy in (("read", "local,telnet,ssh,reboot,read,test,winbox,password,web,sniff,sensitive,api,romon,rest-api"), ("write", "local,telnet,ssh,reboot,read,write,test,winbox,password,web,sniff,sensitive,api,romon,rest-api"), ("full", ",".join(m.POLICIES))):
        put(tables, "/user/group", name=group, policy=policies(policy, ""), skin="default")
    put(tables, "/user", **{"name": "admin", "group": "full", "address": "", "disabled": "false", "password": "admin-pass", "comment": "system default user", "expired": "false"})
    tables.ones |= {
        "/system/identity": {"name": name}, "/system/clock": {"time-zone-name": "UTC", "time-zone-autodetect": "false", "dst-active": "false", "gmt-offset": "+00:00"},
        "/system/resource": {"architecture-name": "arm64", "bad-blocks": "0", "board-name": "RB5009UG+S+", "build-time": "2026-10-01 08:17:04", "cpu": "ARM64", "cpu-count": "4", "cpu-frequency": "1400", "cpu-load": "7", "factory-software": "7.5", "free-hdd-space": "92979200", "free-memory": "705699840", "platform": "MikroTik", "total-hdd-space": "134217728", "total-memory": "1073741824", "write-sect-since-reboot": "23", "write-sect-total": "91274"},
        "/system/device-mode": {"mode": "advanced", "allowed-versions": "", "flagged": "false", "flagging-enabled": "true", "attempt-count": "0", "scheduler": "true", "socks": "true", "fetch": "true", "pptp": "true", "l2tp": "true", "bandwidth-test": "true", "traffic-gen": "false", "sniffer": "true", "ipsec": "true", "romon": "true", "proxy": "true", "hotspot": "true", "smb": "true", "email": "true", "zerotier": "true", "container": "false", "install-any-version": "false", "partitions": "false", "routerboard": "false"},
        "/ip/dns": {"address-list-extra-time": "0s", "allow-remote-requests": "true", "cache-max-ttl": "1w", "cache-size": "2048", "cache-used": "40", "dynamic-servers": "", "max-concurrent-queries": "100", "max-udp-packet-size": "4096", "query-server-timeout": "2s", "query-total-timeout": "10s", "servers": "9.9.9.9", "use-doh-server": "", "verify-doh-cert": "false"},
        "/ip/ssh": {"strong-crypto": "false", "forwarding-enabled": "no", "host-key-size": "2048", "host-key-type": "rsa", **({"password-authentication": "yes-if-no-key"} if newer >= (7, 21) else {"always-allow-password-login": "false"})},
        "/system/ntp/client": {"enabled": "false", "mode": "unicast", "servers": "", "vrf": "main", "status": "stopped", "freq-drift": "0"}, "/system/note": {"note": "", "show-at-login": "true"},
        "/ip/settings": {"accept-redirects": "false", "accept-source-route": "false", "allow-fast-path": "true", "arp-timeout": "30s", "ip-forward": "true", "rp-filter": "no", "secure-redirects": "true", "send-redirects": "true", "tcp-syncookies": "false", "max-neighbor-entries": "8192"},
        "/ip/firewall/connection/tracking": {"enabled": "auto", "tcp-established-timeout": "1d", "udp-timeout": "10s", "loose-tcp-tracking": "true"}, "/user/aaa": {"use-radius": "false", "accounting": "true", "interim-update": "0s", "default-group": "read", "exclude-groups": ""},
        "/interface/bridge/settings": {"use-ip-firewall": "false", "use-ip-firewall-for-vlan": "false", "use-ip-firewall-for-pppoe": "false", "allow-fast-path": "true"}, "/ip/cloud": {"ddns-enabled": "auto", "update-time": "true"}, "/ip/neighbor/discovery-settings": {"discover-interface-list": "LAN", "protocol": "cdp,lldp,mndp", "mode": "tx-and-rx"}, "/tool/mac-server": {"allowed-interface-list": "LAN"},
    }
    if newer < (7, 17):
        tables.ones.pop("/system/device-mode")
        tables.menus.menus.pop("/system/device-mode", None)
    if newer >= (7, 21):
        tables.ones["/ip/service/webserver"] = {f"{what}-{how}": "true" for what in ("graphs", "index", "rest", "webfig") for how in ("plain", "secure")}
    tables.menus.menus["/system/routerboard"] = {"kind": "singleton", "verbs": ["GET"], "read_props": ["routerboard", "model", "serial-number", "current-firmware", "upgrade-firmware"]}
    tables.ones["/system/routerboard"] = {"routerboard": "true", "model": "RB5009UG+S+", "serial-number": f"HX{address.replace('.', '')}", "firmware-type": "70x0", "factory-firmware": "7.5", "current-firmware": tables.version, "upgrade-firmware": tables.version}
    for package in ("routeros",):
        put(tables, "/system/package", **{"name": package, "version": tables.version, "disabled": "false", "scheduled": "", "build-time": "2026-10-01 08:17:04"})
    put(tables, "/routing/table", name="main", fib="", dynamic="true", disabled="false", invalid="false")
    put(tables, "/system/health", name="cpu-temperature", type="C", value="47.5")
    put(tables, "/queue/simple", **{**m.DEFAULTS["/queue/simple"], "name": "guest", "target": "10.9.0.0/24", "max-limit": "10000000/10000000"})
    put(tables, "/ip/dns/static", **{**m.DEFAULTS["/ip/dns/static"], "name": "nvr", "address": "10.9.0.5"})
    put(tables, "/ip/pool", name="dhcp", ranges="10.9.0.10-10.9.0.250")
    put(tables, "/ip/firewall/address-list", **{"list": "blocked", "address": "203.0.113.9", "disabled": "false", "creation-time": "2026-09-28 16:48:57"})
    put(tables, "/ip/firewall/nat", **{"chain": "srcnat", "action": "masquerade", "out-interface-list": "WAN", "comment": "defconf: masquerade"})
    put(tables, "/ip/address", address="10.9.0.1/24", interface="ether4", disabled="false", comment="guests")
    put(tables, "/ip/route", **{**m.DEFAULTS["/ip/route"], "dst-address": "10.77.0.0/16", "gateway": "10.9.0.254", "comment": "branch"})


def rules(tables, management: str) -> None:
    """An input chain as the factory makes it, with a rule for us; rows differ in what they were given."""
    rows = (
        {"chain": "input", "action": "accept", "connection-state": "established,related,untracked", "comment": "defconf: accept established"},
        {"chain": "input", "action": "drop", "connection-state": "invalid", "comment": "defconf: drop invalid"},
        {"chain": "input", "action": "accept", "protocol": "icmp", "comment": "defconf: accept ICMP"},
        {"chain": "input", "action": "accept", "protocol": "tcp", "dst-port": f"{HTTPS},{SSH}", "src-address": management, "comment": "management", "disabled": "false", "log": "false", "log-prefix": ""},
        {"chain": "input", "action": "drop", "comment": "drop the rest", "log": "true", "log-prefix": "in"},
        {"chain": "forward", "action": "accept", "connection-state": "established,related", "comment": "forward established"},
        {"chain": "forward", "action": "drop", "connection-state": "invalid", "comment": "forward invalid"},
        {"chain": "forward", "action": "drop", "src-address": "10.30.0.0/24", "dst-address": "10.20.0.0/24", "comment": "drop iot", "disabled": "false"},
    )
    for row in rows:
        put(tables, "/ip/firewall/filter", **row)


def port(tables, interface: str, pvid: str = "1", **more: str) -> None:
    """A bridge port."""
    put(tables, "/interface/bridge/port", **{**m.DEFAULTS["/interface/bridge/port"], "bridge": "bridge", "interface": interface, "pvid": pvid, **more})


def bridged(made, address: str, client: str) -> None:
    made.world = lockout.World(client, "ether2")
    for name in ("ether2", "ether3"):
        port(made.tables, name)
    put(made.tables, "/ip/address", address=f"{address}/{8 if address.startswith('127.') else 24}", interface="bridge", disabled="false", comment="management")
    rules(made.tables, client.rsplit(".", 1)[0] + ".0/24")


def routed(made, address: str, client: str) -> None:
    gateway = address.rsplit(".", 1)[0] + ".254"
    made.world = lockout.World(client, "ether1", gateway=gateway)
    put(made.tables, "/ip/address", address=f"{address}/24", interface="ether1", disabled="false")
    put(made.tables, "/ip/route", **{**m.DEFAULTS["/ip/route"], "dst-address": "0.0.0.0/0", "gateway": gateway, "comment": "default"})
    rules(made.tables, client.rsplit(".", 1)[0] + ".0/24")


def vlans(made, address: str, client: str) -> None:
    tables = made.tables
    made.world = lockout.World(client, "ether2")
    tables.stored("/interface/bridge")[0]["vlan-filtering"] = "true"
    port(tables, "ether2", "10", **{"frame-types": "admit-only-untagged-and-priority-tagged"})
    port(tables, "ether3", "20")
    put(tables, "/interface/vlan", **{**m.DEFAULTS["/interface/vlan"], "name": "vlan10", "interface": "bridge", "vlan-id": "10"})
    put(tables, "/interface/bridge/vlan", **{"bridge": "bridge", "vlan-ids": "10", "tagged": "bridge", "untagged": "ether2", "disabled": "false"})
    put(tables, "/interface/bridge/vlan", **{"bridge": "bridge", "vlan-ids": "20", "tagged": "bridge", "untagged": "ether3", "disabled": "false"})
    put(tables, "/ip/address", address=f"{address}/{8 if address.startswith('127.') else 24}", interface="vlan10", disabled="false")
    rules(tables, client.rsplit(".", 1)[0] + ".0/24")
