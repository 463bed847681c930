"""Runs scripts on a router's tables: values, variables, control words, and the commands of menus."""

from __future__ import annotations

import ipaddress
import json
import re
import time

import language
import values as v
from language import Block, Command
from values import Refused


class Broken(Exception):
    """An error of a script; what `on-error` catches."""


class Returned(Exception):
    """`:return`, and how it leaves a block."""


class Span(int):
    """A length of time in milliseconds."""


class Killed(BaseException):
    """The job was removed, or the router lost its power."""


def said(value: object) -> str:
    """A value as `:put` prints it and as it is joined to text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Span):
        return v.clocked(value)
    if isinstance(value, list):
        return ";".join(said(one) for one in value)
    if isinstance(value, dict):
        return ";".join(f"{key}={said(one)}" for key, one in value.items())
    return str(value)


def typed(text: str) -> object:
    """What a bare word in an expression is."""
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    if text in ("true", "yes"):
        return True
    if text in ("false", "no"):
        return False
    if re.fullmatch(r"0x[0-9a-fA-F]+", text):
        return int(text, 16)
    length = v.milliseconds(text) if re.search(r"\d", text) else None
    return Span(length) if length is not None else text


class Scope:
    """Local variables of a block, in those of the block around it."""

    def __init__(self, outer: Scope | None = None) -> None:
        self.outer, self.held = outer, {}

    def of(self, name: str) -> dict | None:
        return self.held if name in self.held else self.outer.of(name) if self.outer else None


class Run:
    """One script as one user: what it may, what it printed, where it is."""

    def __init__(self, router, user: str, may: set[str], by: str = "", job: dict | None = None) -> None:
        self.router, self.user, self.may, self.by, self.job = router, user, may, by, job
        self.tables, self.printed, self.results = router.tables, [], []
        self.strict = router.options.get("strict_types", False)
        self.used_globals: set[str] = set()
        self.menu, self.typed_property = "", ()

    def start(self, text: str) -> str:
        """Runs `text` from its beginning; what it printed is the answer."""
        body = language.Parser(text, self.tables.menus).script()
        self.block(body, Scope())
        return "".join(line + "\n" for line in self.printed)

    def block(self, body: list, scope: Scope) -> object:
        last = None
        for command in body:
            self.alive()
            last = self.command(command, scope) if isinstance(command, Command) else self.block(command.body, Scope(scope)) if isinstance(command, Block) else self.value(command, scope)
        return last

    def alive(self) -> None:
        """A job that was removed, or a router that went down, stops here."""
        if self.router.dead or (self.job is not None and self.job.get("_killed")):
            raise Killed

    # --- values --------------------------------------------------------------------------------

    def value(self, node: object, scope: Scope) -> object:
        if isinstance(node, (str, Block)) or node is None:
            return node
        kind = node[0]
        if kind == "bare":
            return typed(node[1])
        if kind == "join":
            return "".join(said(self.value(part, scope)) for part in node[1])
        if kind == "var":
            held = scope.of(node[1])
            return held[node[1]] if held is not None else self.router.globals.get(node[1]) if node[1] in self.used_globals else None
        if kind == "index":
            held, key = self.value(node[1], scope), self.value(node[2], scope)
            if isinstance(held, dict):
                return held.get(said(key))
            return held[key] if isinstance(held, list) and isinstance(key, int) and 0 <= key < len(held) else None
        if kind == "call":
            return self.block(node[1], scope)
        if kind == "array":
            if any(key is not None for key, _ in node[1]):
                return {key if key is not None else str(at): self.value(one, scope) for at, (key, one) in enumerate(node[1])}
            return [self.value(one, scope) for _, one in node[1]]
        if kind == "op1":
            held = self.value(node[2], scope)
            if node[1] == "-":
                return Span(-held) if isinstance(held, Span) else -held
            return not self.truth(held)
        return self.operate(node[1], node[2], node[3], scope)

    def truth(self, held: object) -> bool:
        if isinstance(held, bool):
            return held
        if isinstance(held, str) and held in ("true", "false", "yes", "no"):
            return held in ("true", "yes")
        if held is None or isinstance(held, (str, list, dict)):
            raise Broken("conditional not boolean")
        return bool(held)

    def operate(self, sign: str, left: object, right: object, scope: Scope) -> object:
        one = self.value(left, scope)
        if sign in ("and", "&&"):
            return self.truth(one) and self.truth(self.value(right, scope))
        if sign in ("or", "||"):
            return self.truth(one) or self.truth(self.value(right, scope))
        two = self.value(right, scope)
        if sign == ".":
            return said(one) + said(two)
        if sign == ",":
            return (one if isinstance(one, list) else [] if one is None else [one]) + (two if isinstance(two, list) else [] if two is None else [two])
        if sign == "in":
            return one in two if isinstance(two, (list, dict)) else v.matches(said(two), said(one))
        if sign == "~":
            return bool(re.search(posix(said(two)), said(one)))
        if sign in ("=", "!="):
            return self.same(one, two) == (sign == "=")
        if sign in ("<", ">", "<=", ">="):
            one, two = comparable(one), comparable(two)
            if type(one) is not type(two):
                one, two = str(one), str(two)
            return {"<": one < two, ">": one > two, "<=": one <= two, ">=": one >= two}[sign]
        one, two = number(one), number(two)
        if sign in "/%" and two == 0:
            raise Broken("division by zero")
        made = {"+": lambda: one + two, "-": lambda: one - two, "*": lambda: one * two, "/": lambda: one // two, "%": lambda: one % two, "&": lambda: one & two, "|": lambda: one | two, "^": lambda: one ^ two, "<<": lambda: one << two, ">>": lambda: one >> two}[sign]()
        return Span(made) if isinstance(self.value(left, scope), Span) else made

    def same(self, one: object, two: object) -> bool:
        """Equality. Where the strict reading holds, text is never equal to a number, a truth or a time."""
        if self.strict and type(one) is not type(two):
            return False
        if isinstance(one, Span) or isinstance(two, Span):
            return {said(one), v.spell(one) if isinstance(one, Span) else said(one)} & {said(two), v.spell(two) if isinstance(two, Span) else said(two)} != set()
        return said(one) == said(two)

    # --- words of the language -----------------------------------------------------------------

    def command(self, command: Command, scope: Scope) -> object:
        if not command.word:
            return self.menu_command(command, scope)
        name = command.path[0]
        if name.startswith("$"):
            return self.call(name[1:], command, scope)
        return getattr(self, "word_" + name.replace("-", "_"), self.unknown)(command, scope)

    def unknown(self, command: Command, _scope: Scope) -> object:
        raise Broken(f"{command.path[0]}: not simulated")

    def first(self, command: Command, scope: Scope, *names: str) -> object:
        """The unnamed argument, or one of these names."""
        for name in names:
            if name in command.named:
                return self.value(command.named[name], scope)
        return self.value(command.plain[0], scope) if command.plain else None

    def call(self, name: str, command: Command, scope: Scope) -> object:
        held = scope.of(name)
        body = held[name] if held is not None else self.router.globals.get(name)
        if not isinstance(body, Block):
            return body
        inner = Scope()
        inner.held = {key: self.value(value, scope) for key, value in command.named.items()} | {str(at + 1): self.value(value, scope) for at, value in enumerate(command.plain)}
        try:
            return self.block(body.body, inner)
        except Returned as given:
            return given.args[0]

    def word_local(self, command: Command, scope: Scope) -> object:
        name = command.plain[0]
        scope.held[name] = command.named["do"] if "do" in command.named else self.value(command.plain[1], scope) if len(command.plain) > 1 else None

    def word_global(self, command: Command, scope: Scope) -> object:
        name = command.plain[0]
        self.used_globals.add(name)
        if "do" in command.named or len(command.plain) > 1:
            self.router.globals[name] = command.named["do"] if "do" in command.named else self.value(command.plain[1], scope)
        else:
            self.router.globals.setdefault(name, None)

    def word_set(self, command: Command, scope: Scope) -> object:
        name = command.plain[0]
        value = self.value(command.plain[1], scope) if len(command.plain) > 1 else None
        held = scope.of(name)
        if held is None and name not in self.used_globals:
            raise Broken(f"syntax error: undefined variable {name}")
        (held if held is not None else self.router.globals)[name] = value

    def word_put(self, command: Command, scope: Scope) -> object:
        self.printed.append(said(self.first(command, scope, "message")))

    def word_log(self, command: Command, scope: Scope) -> object:
        text = command.named.get("message", command.plain[1] if len(command.plain) > 1 else "")
        self.router.log("script," + command.plain[0], said(self.value(text, scope)))

    def word_error(self, command: Command, scope: Scope) -> object:
        raise Broken(said(self.first(command, scope, "message")))

    def word_return(self, command: Command, scope: Scope) -> object:
        raise Returned(self.first(command, scope, "value"))

    def word_exit(self, _command: Command, _scope: Scope) -> object:
        raise Returned(None)

    word_quit = word_exit

    def word_nothing(self, _command: Command, _scope: Scope) -> object:
        return None

    def word_if(self, command: Command, scope: Scope) -> object:
        asked = self.first(command, scope, "condition")
        chosen = command.named.get("do") if self.truth(asked) else command.named.get("else")
        if chosen is None and len(command.plain) > 1 and self.truth(asked):
            chosen = command.plain[1]
        return self.inner(chosen, scope)

    def inner(self, chosen: object, scope: Scope) -> object:
        if chosen is None or chosen == "":
            return None
        return self.block(chosen.body, Scope(scope)) if isinstance(chosen, Block) else self.value(chosen, scope)

    def word_do(self, command: Command, scope: Scope) -> object:
        body = command.named.get("command") or (command.plain[0] if command.plain else None)
        try:
            while True:
                made = self.inner(body, scope)
                if "while" not in command.named or not self.truth(self.value(command.named["while"], scope)):
                    return made
        except (Broken, Refused):
            if "on-error" not in command.named:
                raise
            return self.inner(command.named["on-error"], scope)

    def word_onerror(self, command: Command, scope: Scope) -> object:
        try:
            return self.inner(command.named.get("in"), scope)
        except (Broken, Refused) as fault:
            inner = Scope(scope)
            inner.held[command.plain[0]] = told(fault)
            self.block(command.named["do"].body, inner) if isinstance(command.named.get("do"), Block) else None
            return None

    def word_retry(self, command: Command, scope: Scope) -> object:
        for left in range(int(number(self.value(command.named.get("max", ("bare", "1")), scope))), 0, -1):
            try:
                return self.inner(command.named.get("command") or command.plain[0], scope)
            except (Broken, Refused):
                if left == 1:
                    if "on-error" not in command.named:
                        raise
                    return self.inner(command.named["on-error"], scope)
                self.pause(self.value(command.named.get("delay", ("bare", "0s")), scope))

    def word_while(self, command: Command, scope: Scope) -> object:
        while self.truth(self.value(command.named.get("condition") or command.plain[0], scope)):
            self.inner(command.named.get("do"), scope)

    def word_for(self, command: Command, scope: Scope) -> object:
        low, high = (number(self.value(command.named[name], scope)) for name in ("from", "to"))
        step = number(self.value(command.named["step"], scope)) if "step" in command.named else (1 if high >= low else -1)
        for count in range(low, high + (1 if step > 0 else -1), step):
            inner = Scope(scope)
            inner.held[command.plain[0]] = count
            self.inner(command.named.get("do"), inner)

    def word_foreach(self, command: Command, scope: Scope) -> object:
        held = self.value(command.named["in"], scope)
        held = [] if held is None else held if isinstance(held, (list, dict)) else [held]
        names = command.plain[0].split(",")
        for key, one in held.items() if isinstance(held, dict) else enumerate(held):
            inner = Scope(scope)
            inner.held.update(zip(names, (key, one))) if len(names) > 1 else inner.held.update({names[0]: one})
            self.inner(command.named.get("do"), inner)

    def word_delay(self, command: Command, scope: Scope) -> object:
        self.pause(self.first(command, scope, "delay-time"))

    def pause(self, held: object) -> None:
        length = held if isinstance(held, Span) else v.milliseconds(said(held)) if held is not None else 1000
        self.router.sleep((length or 0) / 1000, self.alive)

    def word_len(self, command: Command, scope: Scope) -> object:
        held = self.first(command, scope, "value")
        return len(held) if isinstance(held, (list, dict, str)) else len(said(held))

    def word_typeof(self, command: Command, scope: Scope) -> object:
        held = self.first(command, scope, "value")
        return {type(None): "nothing" if command.plain else "nil", bool: "bool", int: "num", Span: "time", list: "array", dict: "array", Block: "code"}.get(type(held)) or ("id" if isinstance(held, str) and re.fullmatch(r"\*[0-9A-F]+", held) else "str")

    def word_tostr(self, command: Command, scope: Scope) -> object:
        return said(self.first(command, scope, "value"))

    def word_tonum(self, command: Command, scope: Scope) -> object:
        held = said(self.first(command, scope, "value"))
        return int(held, 0) if re.fullmatch(r"-?\d+|0x[0-9a-fA-F]+", held) else None

    def word_tobool(self, command: Command, scope: Scope) -> object:
        return said(self.first(command, scope, "value")) in ("true", "yes", "1")

    def word_toid(self, command: Command, scope: Scope) -> object:
        return said(self.first(command, scope, "value"))

    def word_toip(self, command: Command, scope: Scope) -> object:
        try:
            return str(ipaddress.ip_address(said(self.first(command, scope, "value"))))
        except ValueError:
            return None

    def word_totime(self, command: Command, scope: Scope) -> object:
        held = self.first(command, scope, "value")
        length = held if isinstance(held, Span) else v.milliseconds(said(held))
        return None if length is None else Span(length)

    def word_toarray(self, command: Command, scope: Scope) -> object:
        held = self.first(command, scope, "value")
        if isinstance(held, (list, dict)):
            return held
        text = said(held)
        return [one.strip() for one in re.split(r"[,;]", text)] if text else []

    def word_pick(self, command: Command, scope: Scope) -> object:
        held, *ends = (self.value(one, scope) for one in command.plain)
        low = ends[0] if ends else 0
        high = ends[1] if len(ends) > 1 else low + 1
        return held[low:high] if isinstance(held, (str, list)) else said(held)[low:high]

    def word_find(self, command: Command, scope: Scope) -> object:
        held, asked, *after = (self.value(one, scope) for one in command.plain)
        if isinstance(held, list):
            return next((at for at, one in enumerate(held) if self.same(one, asked)), None)
        at = said(held).find(said(asked), after[0] + 1 if after and isinstance(after[0], int) else 0)
        return at if at >= 0 else None

    def word_parse(self, command: Command, scope: Scope) -> object:
        text = said(self.first(command, scope, "value"))
        try:
            return Block(language.Parser(text, self.tables.menus).script(), text)
        except language.Syntax as fault:
            raise Broken(str(fault)) from None

    def word_execute(self, command: Command, scope: Scope) -> object:
        held = command.named.get("script") or (command.plain[0] if command.plain else "")
        text = held.text if isinstance(held, Block) else said(self.value(held, scope))
        return self.router.execute(text, self.user, self.may)[".id"]

    def word_timestamp(self, _command: Command, _scope: Scope) -> object:
        return Span(int(self.router.wall() * 1000))

    def word_time(self, command: Command, scope: Scope) -> object:
        began = time.monotonic()
        self.inner(command.named.get("command") or command.plain[0], scope)
        return Span(int((time.monotonic() - began) * 1000))

    def word_rndstr(self, command: Command, scope: Scope) -> object:
        import secrets
        return secrets.token_hex(32)[:int(number(self.value(command.named.get("length", ("bare", "16")), scope)))]

    def word_serialize(self, command: Command, scope: Scope) -> object:
        plain = "json.no-string-conversion" in said(self.value(command.named.get("options", ""), scope))
        if plain and self.tables.menus.version < (7, 16):
            raise Broken("input does not match any value of options")
        return json.dumps(jsonable(self.first(command, scope, "value"), plain), separators=(",", ":"))

    # --- commands of menus ---------------------------------------------------------------------

    def menu_command(self, command: Command, scope: Scope) -> object:
        if not command.verb:
            return None
        given = {name: self.value(value, scope) if not isinstance(value, Block) else value.text for name, value in command.named.items()}
        plain = [self.value(value, scope) for value in command.plain]
        self.menu = command.menu
        test = (lambda row: self.truth(self.condition(command.where, row, scope))) if command.where is not None else None
        self.alive()
        return self.router.console.run(self, command.menu, command.verb, given, plain, test)

    def condition(self, node: object, row: dict, scope: Scope) -> object:
        """One row against what stands after `where`."""
        kind = node[0] if isinstance(node, tuple) else ""
        if kind == "op":
            left = self.truth(self.condition(node[2], row, scope))
            if node[1] == "and":
                return left and self.truth(self.condition(node[3], row, scope))
            return left or self.truth(self.condition(node[3], row, scope))
        if kind == "op1" and node[1] == "!":
            return not self.truth(self.condition(node[2], row, scope))
        if kind == "has":
            held = row.get(node[1][1], "") if node[1][0] == "prop" else self.value(node[1], scope)
            return held if isinstance(held, bool) else held not in ("", "false", None)
        if kind == "test":
            sign = node[1]
            left = row.get(node[2][1]) if node[2][0] == "prop" else self.value(node[2], scope)
            self.typed_property = (self.router.console.typed(self.menu, node[2][1], left),) if node[2][0] == "prop" and node[3][0] != "unquoted" else ()
            if node[3][0] == "unquoted":
                if node[3][1].endswith("\0"):
                    return False
                right = node[3][1]
            else:
                right = self.value(node[3], scope)
            return self.row_test(sign, left, right)
        return self.value(node, scope)

    def row_test(self, sign: str, left: object, right: object) -> bool:
        if sign == "~":
            return left is not None and bool(re.search(posix(said(right)), said(left)))
        if sign == "in":
            return left is not None and v.matches(said(right), said(left).split("/")[0])
        if self.strict and isinstance(right, str) and isinstance(left, str) and sign == "=" and self.typed_property and not isinstance(self.typed_property[0], str):
            return False
        one, two = plain(left), plain(right)
        if sign == "=":
            return one == two
        if sign == "!=":
            return one != two
        try:
            one, two = float(one), float(two)
        except ValueError:
            pass
        return {"<": one < two, ">": one > two, "<=": one <= two, ">=": one >= two}[sign]


def plain(held: object) -> str:
    """A value for comparison with a row's: truths and times in one spelling."""
    if held is None:
        return ""
    if isinstance(held, Span):
        return v.spell(held)
    text = said(held)
    return {"yes": "true", "no": "false"}.get(text, text)


def posix(pattern: str) -> str:
    """A pattern as Python has it; one that is none matches nothing."""
    try:
        re.compile(pattern)
    except re.error:
        return r"(?!)"
    return pattern


def number(held: object) -> int:
    if isinstance(held, (int, bool)):
        return int(held)
    try:
        return int(said(held), 0)
    except ValueError:
        raise Broken("invalid value for argument") from None


def comparable(held: object) -> object:
    if isinstance(held, (int, float)):
        return int(held)
    text = said(held)
    return int(text) if re.fullmatch(r"-?\d+", text) else text


def told(fault: Exception) -> str:
    """An error's text."""
    return fault.text if isinstance(fault, Refused) else str(fault)


def jsonable(held: object, plain_strings: bool) -> object:
    if isinstance(held, Span):
        return v.clocked(held)
    if isinstance(held, list):
        return [jsonable(one, plain_strings) for one in held]
    if isinstance(held, dict):
        return {key: jsonable(one, plain_strings) for key, one in held.items()}
    if isinstance(held, str) and not plain_strings and re.fullmatch(r"-?\d+(\.\d+)?", held):
        return float(held) if "." in held else int(held)
    return held
