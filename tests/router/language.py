"""The RouterOS script language: text to a tree. A mistake in it is told as the console does, with line and column."""

from __future__ import annotations

import re
from dataclasses import dataclass, field


class Syntax(Exception):
    """A script that does not parse."""


@dataclass
class Command:
    """`/menu/verb name=value value` or `:word …`; `menu` is None where it is relative to where the script is."""

    path: list[str]
    absolute: bool
    word: bool
    named: dict = field(default_factory=dict)
    plain: list = field(default_factory=list)
    where: object = None
    line: int = 1
    column: int = 1
    menu: str = ""
    verb: str = ""


@dataclass
class Block:
    """`{ … }` as code, with its text."""

    body: list
    text: str


BARE = re.compile(r"[^\s;\[\]{}()\"$=]+")
NAME = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]*")
VARIABLE = re.compile(r"[A-Za-z0-9_]+")
CODE = {"do", "else", "on-error", "while", "source", "script", "command", "on-event", "up-script", "down-script"}
WORDS = {
    "local", "global", "set", "put", "if", "foreach", "for", "while", "do", "delay", "log", "error", "execute", "len", "typeof", "tostr", "tonum", "tobool", "toarray", "toid", "toip", "totime", "pick", "find", "return", "onerror",
    "parse", "resolve", "rndstr", "rndnum", "time", "timestamp", "serialize", "deserialize", "environment", "beep", "nothing", "retry", "convert", "quit", "exit", "break", "continue", "lock", "jobname", "range", "grep", "tolf", "tocrlf", "tonsec", "password", "undo", "redo", "import",
}
NEWER = {"onerror": (7, 13), "serialize": (7, 13), "deserialize": (7, 13), "grep": (7, 13), "exit": (7, 22), "break": (7, 22), "continue": (7, 22), "lock": (7, 16)}
OPERATORS = [["||", "or"], ["&&", "and"], ["=", "!=", "<", ">", "<=", ">=", "~", "in"], ["|", "^"], ["&"], ["<<", ">>"], [".", ","], ["+", "-"], ["*", "/", "%"]]


class Parser:
    """Recursive descent over the text; `menus` knows which menus, commands and arguments there are."""

    def __init__(self, text: str, menus) -> None:
        self.text, self.at, self.menus, self.version = text.replace("\r\n", "\n"), 0, menus, menus.version
        self.context = ""

    # --- the small parts -----------------------------------------------------------------------

    def where(self, at: int | None = None) -> tuple[int, int]:
        """Line and column."""
        at = self.at if at is None else at
        return self.text.count("\n", 0, at) + 1, at - self.text.rfind("\n", 0, at)

    def fail(self, what: str, at: int | None = None):
        line, column = self.where(at)
        raise Syntax(f"{what} (line {line} column {column})")

    def peek(self, count: int = 1) -> str:
        return self.text[self.at:self.at + count]

    def space(self, lines: bool = False) -> None:
        """Past blanks; `lines` passes line ends and comments too. A backslash at the end of a line joins it to the next."""
        while self.at < len(self.text):
            char = self.text[self.at]
            if char in " \t\r" or (lines and char == "\n"):
                self.at += 1
            elif self.peek(2) == "\\\n":
                self.at += 2
            elif char == "#" and lines:
                self.at = (self.text.find("\n", self.at) + 1 or len(self.text) + 1) - 1
            else:
                return

    def ended(self) -> bool:
        return self.at >= len(self.text) or self.peek() in ";\n]})"

    # --- statements ----------------------------------------------------------------------------

    def script(self, closing: str = "") -> list:
        """Statements up to `closing`."""
        made = []
        while True:
            self.space(lines=True)
            while self.peek() == ";":
                self.at += 1
                self.space(lines=True)
            if self.at >= len(self.text):
                if closing:
                    self.fail("syntax error")
                return made
            if closing and self.peek() == closing:
                self.at += 1
                return made
            if self.peek() in "]})":
                self.fail("syntax error")
            made.append(self.statement())
            self.space()
            if not self.ended():
                self.fail("expected end of command")

    def block(self) -> Block:
        """`{ … }`."""
        if self.peek() != "{":
            self.fail("syntax error")
        began = self.at
        self.at += 1
        outer = self.context
        body = self.script("}")
        self.context = outer
        return Block(body, self.text[began + 1:self.at - 1])

    def statement(self):
        """One command."""
        began = self.at
        line, column = self.where()
        if self.peek() == "{":
            return self.block()
        if self.peek() == "$":
            self.at += 1
            name = self.variable()
            command = Command(["$" + name], True, True, line=line, column=column)
            self.arguments(command, "$")
            return command
        if self.peek() == "[":
            return self.primary()
        if self.peek() == "(":
            self.fail("expected command name")
        if self.peek() == ":":
            self.at += 1
            name = self.bare_name()
            return self.word(name, line, column, began)
        if re.match(r"[a-z]+", self.text[self.at:]) and self.peek() != "/":
            name = re.match(r"[a-z0-9-]+", self.text[self.at:])[0]
            if name in WORDS and not self.step(self.context, name):
                self.at += len(name)
                return self.word(name, line, column, began)
        return self.menu_command(began, line, column)

    def step(self, menu: str, name: str) -> str:
        """`menu` where `name` leads to one from here, `verb` where it is a command of it, else nothing."""
        if self.menus.exists(f"{menu}/{name}"):
            return "menu"
        if name in self.menus.commands(menu) or name in ("export", "print") or (menu == "" and name in ("import", "quit", "undo", "redo")):
            return "verb"
        return ""

    def menu_command(self, began: int, line: int, column: int):
        """`/menu/verb …`, `/menu verb …`, `verb …`, or a menu alone, which is where later commands start from."""
        absolute = self.peek() == "/"
        menu, verb = ("" if absolute else self.context), ""
        self.at += 1 if absolute else 0
        while not verb:
            self.space()
            if self.text.startswith("..", self.at):
                menu = menu.rpartition("/")[0]
                self.at += 2
                continue
            if self.ended():
                break
            here = self.at
            found = re.match(r"[a-z0-9][a-z0-9-]*", self.text[self.at:])
            kind = self.step(menu, found[0]) if found else ""
            if not kind:
                word = found[0] if found else self.peek()
                self.fail(f"bad command name {word}" if found else "expected command name", here)
            self.at += len(found[0])
            if kind == "menu":
                menu += "/" + found[0]
                if self.peek() == "/":
                    self.at += 1
            else:
                verb = found[0]
        command = Command([menu, verb], True, False, line=line, column=column, menu=menu, verb=verb)
        if not verb:
            if self.peek() not in ("", "\n", ";") and self.peek() not in "]})":
                self.fail("expected command name")
            self.context = menu
            return command
        outer, self.context = self.context, menu
        self.arguments(command, verb)
        self.context = outer
        self.check(command, began)
        return command

    def check(self, command: Command, began: int) -> None:
        """The names of arguments are known before anything runs."""
        if command.verb not in ("add", "set"):
            return
        allowed = self.menus.arguments(command.menu, command.verb) | {"numbers", "place-before", "copy-from", ".id"}
        for name in command.named:
            if name.removeprefix("!") not in allowed:
                self.fail(f"bad parameter {name}", began)

    def bare_name(self) -> str:
        found = re.match(r"[a-zA-Z0-9-]+", self.text[self.at:])
        if not found:
            self.fail("expected command name")
        self.at += len(found[0])
        return found[0]

    def variable(self) -> str:
        if self.peek() == '"':
            return self.string()
        found = VARIABLE.match(self.text, self.at)
        if not found:
            self.fail("syntax error")
        self.at = found.end()
        return found[0]

    def word(self, name: str, line: int, column: int, began: int) -> Command:
        """A command of the language itself."""
        if name not in WORDS or NEWER.get(name, (0,)) > self.version:
            self.fail(f"bad command name {name}", began)
        command = Command([name], True, True, line=line, column=column)
        if name in ("local", "global", "set"):
            self.space()
            command.plain.append(self.string() if self.peek() == '"' else self.bare_value())
            self.space()
            if not self.ended():
                if self.text.startswith("do=", self.at):
                    self.at += 3
                    command.named["do"] = self.block()
                else:
                    command.plain.append(self.value())
            return command
        if name in ("foreach", "for", "onerror"):
            self.space()
            found = re.compile(r"[A-Za-z0-9_]+(\s*,\s*[A-Za-z0-9_]+)*").match(self.text, self.at)
            if not found:
                self.fail("syntax error")
            command.plain.append(found[0].replace(" ", ""))
            self.at = found.end()
        if name == "log":
            self.space()
            command.plain.append(self.bare_value())
        self.arguments(command, name)
        return command

    def bare_value(self) -> str:
        found = BARE.match(self.text, self.at)
        if not found:
            self.fail("syntax error")
        self.at = found.end()
        return found[0]

    def arguments(self, command: Command, verb: str) -> None:
        """What follows a command's name, to its end."""
        while True:
            self.space()
            if self.ended():
                return
            began = self.at
            found = re.match(r"!?[A-Za-z0-9.][A-Za-z0-9.-]*", self.text[self.at:])
            if verb in ("find", "print", "export") and found and not command.word:
                if found[0] == "where":
                    self.at += 5
                    command.where = self.conditions()
                    return
                if verb == "find":
                    command.where = self.conditions()
                    return
            if found and self.text[self.at + len(found[0]):][:1] == "=" and self.text[self.at + len(found[0]):][:2] != "=>":
                name = found[0]
                self.at += len(name) + 1
                command.named[name] = self.named_value(command, name)
            elif found and found[0].startswith("!"):
                self.at += len(found[0])
                command.named[found[0]] = ""
            else:
                if self.peek() == "{" and command.word and command.path[0] in ("if", "while", "do", "execute", "onerror", "retry"):
                    command.plain.append(self.block())
                else:
                    command.plain.append(self.value())
            if self.at == began:
                self.fail("syntax error")

    def named_value(self, command: Command, name: str):
        """The value after `name=`: code where it is code, else a value."""
        self.space()
        if self.peek() == "{" and (name in CODE or (name == "in" and command.word and command.path[0] == "onerror")):
            return self.block()
        if self.ended():
            return ""
        if self.peek() in " \t":
            return ""
        return self.value()

    # --- values --------------------------------------------------------------------------------

    def value(self):
        """One value of an argument."""
        char = self.peek()
        if char in '"$[({':
            return self.primary()
        found = BARE.match(self.text, self.at)
        if not found:
            self.fail("syntax error")
        taken = found[0]
        self.at = found.end()
        while self.peek() == "=" or (self.at < len(self.text) and self.peek() not in " \t\n;[]{}()\"$"):
            more = re.compile(r"[^\s;\[\]{}()\"$]+").match(self.text, self.at)
            taken += more[0]
            self.at = more.end()
        return ("bare", taken)

    def string(self) -> object:
        """A quoted string; with `$x` or `$[…]` in it, a joining of parts."""
        self.at += 1
        parts, text = [], ""
        plain = {"n": "\n", "r": "\r", "t": "\t", "_": " ", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
        while True:
            if self.at >= len(self.text):
                self.fail("syntax error")
            char = self.text[self.at]
            self.at += 1
            if char == '"':
                break
            if char == "\\":
                after = self.peek()
                two = self.peek(2)
                if re.fullmatch(r"[0-9A-F]{2}", two):
                    text += bytes([int(two, 16)]).decode("latin-1")
                    self.at += 2
                elif after in plain:
                    text += plain[after]
                    self.at += 1
                elif after in '"\\$?':
                    text += after
                    self.at += 1
                elif after == "\n":
                    self.at += 1
                    self.space()
                else:
                    self.fail("syntax error")
            elif char == "$":
                self.at -= 1
                parts += [text, self.primary()]
                text = ""
            else:
                text += char
        raw = text.encode("latin-1", "ignore") if any("\x7f" < one < "\u0100" for one in text) else None
        if raw:
            try:
                text = raw.decode()
            except UnicodeDecodeError:
                pass
        return ("join", parts + [text]) if parts else text

    def primary(self):
        """A string, a variable, a command in brackets, an expression in parentheses, an array."""
        char = self.peek()
        if char == '"':
            return self.string()
        if char == "$":
            self.at += 1
            if self.peek() in "[(":
                return self.primary()
            made = ("var", self.variable())
            while self.text.startswith("->", self.at):
                self.at += 2
                made = ("index", made, self.primary() if self.peek() in '"$(' else ("bare", self.bare_value()))
            return made
        if char == "[":
            self.at += 1
            outer = self.context
            body = self.script("]")
            self.context = outer
            return ("call", body)
        if char == "(":
            self.at += 1
            self.space(lines=True)
            made = self.expression(0)
            while True:
                self.space(lines=True)
                if self.peek() == ";":
                    self.at += 1
                    self.space(lines=True)
                    made = ("op", ",", made, self.expression(0))
                else:
                    break
            if self.peek() != ")":
                self.fail("syntax error")
            self.at += 1
            while self.text.startswith("->", self.at):
                self.at += 2
                made = ("index", made, self.primary() if self.peek() in '"$(' else ("bare", self.bare_value()))
            return made
        if char == "{":
            return self.array()
        return self.value()

    def array(self):
        """`{1;2;"a"=3}`."""
        self.at += 1
        items = []
        while True:
            self.space(lines=True)
            if self.peek() == "}":
                self.at += 1
                return ("array", items)
            key = None
            began = self.at
            found = re.compile(r'("[^"\\]*"|[A-Za-z0-9._-]+)\s*=').match(self.text, self.at)
            if found:
                key = found[1].strip('"')
                self.at = found.end()
            items.append((key, self.value()))
            self.space(lines=True)
            if self.peek() == ";":
                self.at += 1
            elif self.peek() != "}":
                self.fail("syntax error", began)

    def operator(self, level: int) -> str:
        self.space(lines=True)
        rest = self.text[self.at:]
        for sign in sorted(OPERATORS[level], key=len, reverse=True):
            if rest.startswith(sign):
                if sign.isalpha() and re.match(r"[A-Za-z0-9_-]", rest[len(sign):]):
                    continue
                if sign in "|&<>" and rest[:2] in ("||", "&&", "<<", ">>", "<=", ">=") and rest[:2] != sign:
                    continue
                if sign == "-" and rest.startswith("->"):
                    continue
                return sign
        return ""

    def expression(self, level: int):
        """An expression by the strength of its operators."""
        if level == len(OPERATORS):
            return self.unary()
        made = self.expression(level + 1)
        while True:
            sign = self.operator(level)
            if not sign:
                return made
            self.at += len(sign)
            self.space(lines=True)
            made = ("op", sign, made, self.expression(level + 1))

    def unary(self):
        self.space(lines=True)
        rest = self.text[self.at:]
        for sign in ("not", "!", "-", "~"):
            if rest.startswith(sign) and not (sign == "not" and re.match(r"[A-Za-z0-9_-]", rest[3:])):
                self.at += len(sign)
                return ("op1", sign, self.unary())
        if self.peek() in '"$[({':
            return self.primary()
        found = re.compile(r"[A-Za-z0-9_:*][A-Za-z0-9_:.*/-]*").match(self.text, self.at)
        if not found:
            self.fail("syntax error")
        self.at = found.end()
        return ("bare", found[0])

    def conditions(self):
        """What stands after `where`: conditions side by side are all meant; a bare name on the left is a property."""
        made = None
        while True:
            self.space()
            if self.ended():
                return made if made is not None else ("bare", "true")
            for joiner in ("and", "or", "&&", "||"):
                if re.compile(re.escape(joiner) + r"(?![A-Za-z0-9_-])").match(self.text, self.at):
                    self.at += len(joiner)
                    self.space()
                    break
            else:
                joiner = "and"
            one = self.condition()
            made = one if made is None else ("op", "or" if joiner in ("or", "||") else "and", made, one)

    def condition(self):
        if self.peek() == "(":
            self.at += 1
            made = self.conditions()
            if self.peek() != ")":
                self.fail("syntax error")
            self.at += 1
            return made
        negated = self.peek() == "!"
        if negated:
            self.at += 1
            self.space()
            if self.peek() == "(":
                return ("op1", "!", self.condition())
        if self.peek() in '"$[':
            left = self.primary()
        else:
            found = re.compile(r"[A-Za-z.][A-Za-z0-9.-]*").match(self.text, self.at)
            if not found:
                self.fail("syntax error")
            self.at = found.end()
            left = ("prop", found[0])
        self.space()
        for sign in ("!=", "<=", ">=", "=", "<", ">", "~", "in "):
            if self.text.startswith(sign, self.at):
                self.at += len(sign)
                self.space()
                right = self.primary() if self.peek() in '"$[({' else ("unquoted", self._cut())
                made = ("test", sign.strip(), left, right)
                return ("op1", "!", made) if negated else made
        return ("op1", "!", ("has", left)) if negated else ("has", left)

    def _cut(self) -> str:
        """An unquoted value in `where` ends at a slash: the rest is lost, and nothing is found."""
        found = re.compile(r"[^\s;\[\]{}()\"$/]*").match(self.text, self.at)
        taken, self.at = found[0], found.end()
        if self.peek() == "/":
            self.at = re.compile(r"[^\s;\]})]*").match(self.text, self.at).end()
            return taken + "\0"
        return taken
