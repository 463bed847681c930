"""How RouterOS spells values: what it takes, and what it answers instead of what it was given."""

from __future__ import annotations

import ipaddress
import re

UNITS = {"w": 604800_000, "d": 86400_000, "h": 3600_000, "m": 60_000, "s": 1000, "ms": 1}
PART = re.compile(r"(\d+)(ms|[wdhms])")
CLOCKED = re.compile(r"^(?:(\d+)w)?(?:(\d+)d)?\s*(\d+):(\d\d):(\d\d)$")
TRUE, FALSE = {"yes", "true"}, {"no", "false"}


class Refused(Exception):
    """What the console says instead of doing it. `code` is the HTTP status that REST gives with it."""

    def __init__(self, text: str, code: int = 400) -> None:
        super().__init__(text)
        self.text, self.code = text, code


def milliseconds(text: str) -> int | None:
    """A length of time in any spelling the console takes, or None for a word such as `never`."""
    text = str(text).strip()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return int(float(text) * 1000)
    clocked = CLOCKED.match(text)
    if clocked:
        weeks, days, hours, minutes, seconds = (int(part or 0) for part in clocked.groups())
        return ((weeks * 7 + days) * 86400 + hours * 3600 + minutes * 60 + seconds) * 1000
    total, rest = 0, text
    while rest:
        part = PART.match(rest)
        if not part:
            return None
        total += int(part[1]) * UNITS[part[2]]
        rest = rest[part.end():]
    return total if text else None


def spell(length: int) -> str:
    """The spelling of REST and of the binary API: `1w2d3h4m5s`, parts that are zero left out, `0s` for nothing."""
    said = ""
    for unit in ("w", "d", "h", "m", "s", "ms"):
        count, length = divmod(length, UNITS[unit])
        said += f"{count}{unit}" if count else ""
    return said or "0s"


def clocked(length: int) -> str:
    """The spelling of scripts and of `as-value`: `00:00:15`, `1d00:00:00`."""
    seconds = length // 1000
    weeks, seconds = divmod(seconds, 604800)
    days, seconds = divmod(seconds, 86400)
    head = (f"{weeks}w" if weeks else "") + (f"{days}d" if days else "")
    return f"{head}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def boolean(text: object, name: str) -> str:
    """`true` or `false` for any of the four words."""
    word = str(text).lower() if not isinstance(text, bool) else ("true" if text else "false")
    if word in TRUE:
        return "true"
    if word in FALSE:
        return "false"
    raise Refused(f"input does not match any value of {name}")


def interval(text: str, name: str) -> str:
    """A length of time respelt; words that stand in place of one are kept."""
    length = milliseconds(text)
    if length is not None:
        return spell(length)
    if re.fullmatch(r"[a-z][a-z-]*", str(text)):
        return str(text)
    raise Refused(f"invalid value for argument {name}")


def interface_address(text: str, name: str) -> str:
    """`10.0.0.1/24`; without a prefix it is /32."""
    try:
        made = ipaddress.IPv4Interface(str(text))
    except ValueError:
        raise Refused(f"invalid value for argument {name}") from None
    return made.with_prefixlen


def network_of(text: str) -> str:
    """The network an interface address lies in."""
    return str(ipaddress.IPv4Interface(text).network.network_address)


def prefix(text: str, name: str) -> str:
    """A route's destination: host bits cleared."""
    try:
        return str(ipaddress.IPv4Network(str(text), strict=False))
    except ValueError:
        raise Refused(f"invalid value for argument {name}") from None


def matcher(text: str, name: str) -> str:
    """An address in a firewall rule or list: an address, a prefix or a range, perhaps negated; /32 is left out."""
    text = str(text)
    negated, body = ("!", text[1:]) if text.startswith("!") else ("", text)
    first, dash, last = body.partition("-")
    try:
        if dash:
            low, high = ipaddress.IPv4Address(first), ipaddress.IPv4Address(last)
            return negated + (str(low) if low == high else f"{low}-{high}")
        if "/" in body:
            net = ipaddress.IPv4Network(body, strict=False)
            return negated + (str(net.network_address) if net.prefixlen == 32 else str(net))
        return negated + str(ipaddress.IPv4Address(body))
    except ValueError:
        raise Refused(f"invalid value for argument {name}") from None


def matches(spelt: str, address: str) -> bool:
    """Whether `address` is what a matcher speaks of."""
    if spelt.startswith("!"):
        return not matches(spelt[1:], address)
    asked = ipaddress.ip_address(address)
    first, dash, last = spelt.partition("-")
    try:
        if dash:
            return ipaddress.ip_address(first) <= asked <= ipaddress.ip_address(last)
        return asked in ipaddress.ip_network(spelt, strict=False)
    except (TypeError, ValueError):
        return False


def prefixes(text: str, name: str) -> str:
    """The address list of a service or a user: prefixes, each with its length."""
    if not str(text):
        return ""
    try:
        return ",".join(str(ipaddress.ip_network(part.strip(), strict=False)) for part in str(text).split(","))
    except ValueError:
        raise Refused(f"invalid value for argument {name}") from None


def allowed(listed: str, address: str) -> bool:
    """Whether an address list lets `address` in; an empty one lets everybody in."""
    asked = ipaddress.ip_address(address.split("%")[0])
    return not listed or any(asked in ipaddress.ip_network(part, strict=False) for part in listed.split(","))


def mac(text: str, name: str) -> str:
    """Upper case, with colons."""
    bare = re.sub(r"[:.-]", "", str(text)).upper()
    if not re.fullmatch(r"[0-9A-F]{12}", bare):
        raise Refused(f"invalid value for argument {name}")
    return ":".join(bare[at:at + 2] for at in range(0, 12, 2))


def rate_pair(text: str, name: str) -> str:
    """`10M/10M` read back as plain digits."""
    made = []
    for part in str(text).split("/"):
        found = re.fullmatch(r"(\d+)([kMG]?)", part)
        if not found:
            raise Refused(f"invalid value for argument {name}")
        made.append(str(int(found[1]) * {"": 1, "k": 1000, "M": 10**6, "G": 10**9}[found[2]]))
    return "/".join(made if len(made) == 2 else made * 2)


def ports(text: str, name: str) -> str:
    """`22,8291,1000-2000`; the order stays."""
    text = str(text)
    for part in text.removeprefix("!").split(","):
        ends = part.split("-")
        if len(ends) > 2 or not all(end.isdigit() and int(end) < 65536 for end in ends):
            raise Refused(f"invalid value for argument {name}")
    return text


def port_in(spelt: str, port: int) -> bool:
    """Whether a port matcher speaks of `port`."""
    if spelt.startswith("!"):
        return not port_in(spelt[1:], port)
    for part in spelt.split(","):
        low, _, high = part.partition("-")
        if int(low) <= port <= int(high or low):
            return True
    return False


def number(low: int, high: int):
    """A checker of whole numbers."""

    def check(text: str, name: str) -> str:
        if not re.fullmatch(r"-?\d+", str(text)):
            raise Refused(f"invalid value for argument {name}")
        if not low <= int(text) <= high:
            raise Refused(f"value of {name} out of range ({low}..{high})")
        return str(int(text))

    return check


def word(*words: str):
    """A checker of words."""

    def check(text: str, name: str) -> str:
        if str(text) not in words:
            raise Refused(f"input does not match any value of {name}")
        return str(text)

    return check


def words(order: tuple[str, ...]):
    """A checker of a list of words, perhaps negated, answered in the router's own order."""

    def check(text: str, name: str) -> str:
        negated, body = ("!", str(text)[1:]) if str(text).startswith("!") else ("", str(text))
        given = [part for part in body.split(",") if part]
        if any(part not in order for part in given):
            raise Refused(f"input does not match any value of {name}")
        return negated + ",".join(part for part in order if part in given)

    return check


def free(text: str, _name: str) -> str:
    """Any text."""
    return str(text)
