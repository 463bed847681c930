"""REST over HTTPS: one request at a time, answers as the web server of RouterOS writes them."""

from __future__ import annotations

import base64
import json
import re
import ssl
import threading
import time

import evaluate
import language
import menus as m
import values as v
from values import Refused

MESSAGES = {400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 415: "Unsupported Media Type", 500: "Internal Server Error", 501: "Not Implemented", 503: "Service Unavailable"}


class Rest:
    """The web server of one router."""

    def __init__(self, router) -> None:
        self.router, self.tables, self.console = router, router.tables, router.console
        self.requests: list[dict] = []
        self.faults: list[dict] = []
        self.commands: dict = {}
        self.hooks: list = []  # called with each request before it is done
        self.queues: dict[str, threading.Lock] = {}
        self.logins: dict[tuple[str, str], tuple[float, set[str]]] = {}
        self.contexts: dict[str, ssl.SSLContext] = {}
        router.rest = self
        router.doors.serve("www-ssl", self.serve)

    # --- connections ---------------------------------------------------------------------------

    def context(self) -> ssl.SSLContext | None:
        """TLS with the certificate that the service has now."""
        row = self.tables.find("/ip/service", name="www-ssl")
        certificate = self.tables.find("/certificate", name=row.get("certificate", "none"))
        if certificate is None or certificate.get("private-key") != "true":
            return None
        held = self.contexts.get(certificate["name"])
        if held is None:
            held = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            held.maximum_version = ssl.TLSVersion.TLSv1_2
            held.load_cert_chain(certificate["_file"])
            self.contexts[certificate["name"]] = held
        return held

    def serve(self, plain, record: dict) -> None:
        """One connection, request after request."""
        context = self.context()
        if context is None:
            return
        plain.settimeout(20)
        made = context.wrap_socket(plain, server_side=True)
        made.settimeout(120)
        held = b""
        while True:
            while b"\r\n\r\n" not in held:
                more = made.recv(65536)
                if not more:
                    return
                held += more
            head, _, body = held.partition(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
            length = int(headers.get("content-length", "0"))
            while len(body) < length:
                more = made.recv(65536)
                if not more:
                    return
                body += more
            body, held = body[:length], b""  # what comes in the same read is dropped
            method, target, _ = lines[0].split(" ", 2)
            if not self.wait_open(record):
                return
            answer = self.answer(method, target, headers, body, record)
            if answer is None:
                return
            if not self.router.doors.open_for(record) and (self.router.options.get("lost_when_cut") or not self.wait_open(record, 0.3)):
                time.sleep(1)
                self.wait_open(record, 20)
                return
            made.sendall(answer)
            if headers.get("connection", "").lower() == "close":
                return

    def wait_open(self, record: dict, seconds: float = 25) -> bool:
        """Packets of an open connection that are dropped are sent again until somebody gives up."""
        ends = time.monotonic() + seconds
        while not self.router.doors.open_for(record):
            if time.monotonic() > ends or record["boots"] != self.router.boots:
                return False
            time.sleep(0.1)
        return True

    # --- requests ------------------------------------------------------------------------------

    def answer(self, method: str, target: str, headers: dict, body: bytes, record: dict) -> bytes | None:
        """The bytes that answer a request, or None where the connection ends without any."""
        noted = {"at": time.monotonic(), "method": method, "target": target, "body": body.decode(errors="replace")}
        self.requests.append(noted)
        fault = next((one for one in self.faults if one.get("times", 1) > 0 and one["when"](method, target, noted["body"])), None)
        if fault:
            fault["times"] = fault.get("times", 1) - 1
        kind = fault["do"] if fault else ""
        noted["fault"] = kind
        for hook in list(self.hooks):
            hook("before", noted)
        if kind == "close":
            return None
        if kind == "refuse":
            return frame(400, {"detail": "failure: try again", "error": 400, "message": MESSAGES[400]})
        if kind == "ignored":
            return frame_raw(204, b"", "")
        code, made, extra = self.judged(method, target, headers, body, record, float(kind[5:]) if kind.startswith("slow:") else 0)
        noted["code"], noted["answer"] = code, made
        for hook in list(self.hooks):
            hook("after", noted)
        if kind == "lose_answer":
            return None
        if kind == "hang":
            time.sleep(30)
            return None
        if kind == "400_applied":
            return frame(400, {"detail": "failure: something went wrong", "error": 400, "message": MESSAGES[400]})
        if kind == "truncate":
            whole = frame(code, made, extra)
            return whole[: len(whole) - max(3, len(whole) // 4)] if False else frame_raw(code, dumped(made)[: max(1, len(dumped(made)) // 2)], extra)
        if kind == "web_page":
            return frame_raw(502, b"<html><body>Bad gateway</body></html>", "")
        if kind == "other_body":
            return frame(code, {"uptime": "3s", "version": "7.23.2 (stable)"}, extra)
        return frame(code, made, extra)

    def judged(self, method: str, target: str, headers: dict, body: bytes, record: dict, slow: float = 0) -> tuple[int, object, str]:
        """What comes of a request. Those of one user wait for each other, also for one whose client has long gone."""
        try:
            user, may = self.login(headers, record)
            record["user"], record["group"] = user["name"], user["group"]
            with self.queues.setdefault(user["name"], threading.Lock()):
                time.sleep(slow)
                return self.routed(method, target, headers, body, user["name"], may)
        except Refused as fault:
            made = {"error": fault.code, "message": MESSAGES.get(fault.code, "Bad Request")}
            if fault.code not in (401, 404):
                made["detail"] = fault.text
            return fault.code, made, 'WWW-Authenticate: Basic realm="MikroTik"\r\n' if fault.code == 401 else ""

    def login(self, headers: dict, record: dict) -> tuple[dict, set[str]]:
        """Who asks, and what he may. Policies of a login are kept for a while; the rest counts at once."""
        kind, _, coded = headers.get("authorization", "").partition(" ")
        name, _, password = base64.b64decode(coded).decode(errors="replace").partition(":") if kind.lower() == "basic" else ("", "", "")
        user = self.tables.find("/user", name=name)
        good = user and user.get("disabled") != "true" and user["password"] == password and v.allowed(user.get("address", ""), record["remote"])
        if not good:
            self.router.log("system,error,critical", f"login failure for user {name} from {record['remote']} via rest-api")
            raise Refused("", 401)
        key = (name, record["remote"])
        since, may = self.logins.get(key, (0.0, set()))
        if key not in self.logins or (time.monotonic() - since) * self.router.speed > self.router.options.get("policy_cache", 600):
            group = self.tables.find("/user/group", name=user["group"])
            may = {one for one in group["policy"].split(",") if not one.startswith("!")}
            if "rest-api" not in may:
                raise Refused("", 401)
            self.logins[key] = (time.monotonic(), may)
        if "api" not in may:
            raise Refused("std failure: not allowed (9)", 500)
        return user, may

    def routed(self, method: str, target: str, headers: dict, body: bytes, user: str, may: set[str]) -> tuple[int, object, str]:
        if method == "OPTIONS":
            raise Refused("", 503)
        if method not in ("GET", "PUT", "PATCH", "DELETE", "POST"):
            raise Refused("", 501)
        web = self.tables.one("/ip/service/webserver")
        if web.get("rest-secure") == "false":
            return 403, "<html>Forbidden</html>", ""
        path, _, query = target.partition("?")
        given = {}
        if body:
            if not headers.get("content-type", "").startswith("application/json"):
                raise Refused("", 415)
            try:
                given = json.loads(body)
            except ValueError:
                raise Refused("Failed to parse json") from None
        if not path.startswith("/rest"):
            return 404, {"error": 404, "message": "Not Found"}, ""
        parts = [decode(part) for part in path.removeprefix("/rest").strip("/").split("/") if part]
        menu = ""
        while parts and self.tables.menus.exists(menu + "/" + parts[0]):
            menu += "/" + parts.pop(0)
        run = evaluate.Run(self.router, user, may)
        if method == "POST":
            return self.post(run, menu, parts, given)
        if len(parts) > 1 or (not parts and menu not in self.tables.menus.menus):
            raise Refused(f"no such command or directory ({parts[0] if parts else menu.rpartition('/')[2]})")
        item = parts[0] if parts else ""
        if item and item.startswith("%2A"):
            raise Refused("no such command prefix")
        if method == "GET":
            return 200, self.get(run, menu, item, query), ""
        if method == "PUT":
            if item:
                raise Refused("no such command or directory (add)")
            return self.put(run, menu, given)
        if not item or self.tables.menus.singleton(menu):
            raise Refused("missing or invalid resource identifier")
        verb = "set" if method == "PATCH" else "remove"
        try:
            self.console.permit(may, menu, verb)
        except Refused:
            if method == "PATCH" and "write" not in may:
                raise Refused("missing or invalid resource identifier") from None
            raise
        if menu == "/system/script/job":
            self.console.remove_jobs([item])
        elif menu == "/file":
            self.router.files[:] = [row for row in self.router.files if item not in (row[".id"], row["name"])]
        else:
            if method == "PATCH" and not item.startswith("*") and set(given) - self.tables.menus.arguments(menu, "set"):
                raise Refused("missing or invalid resource identifier")
            self.console.change_one(menu, verb, item, {key: "" if value is None else value for key, value in given.items()}, user)
            self.console.noted(run, f"{menu} {verb}")
        if method == "DELETE" and self.router.options.get("old_codes"):
            return 200, [], ""
        if method == "DELETE":
            return 204, None, ""
        return 200, self.shown(run, menu, item), ""

    def shown(self, run, menu: str, item: str) -> dict:
        """One row as it is read."""
        for row in self.console.rows(menu, run.may):
            if row[".id"] == item or (not item.startswith("*") and row.get("name") == item and row.get("connection") != "true"):
                return row
        if menu == "/interface" and not item.startswith("*"):
            raise Refused(f"no such command or directory ({item})")  # a folder of a package that is not there
        raise Refused("no such item", 404) if item.startswith("*") else Refused("no such command prefix" if menu not in m.NAMED else "missing or invalid resource identifier")

    def get(self, run, menu: str, item: str, query: str) -> object:
        if item and item in self.tables.menus.commands(menu):
            raise Refused("no such command")
        if item and menu not in self.tables.menus.menus:
            raise Refused(f"no such command or directory ({item})")
        self.console.permit(run.may, menu, "print")
        if self.tables.menus.singleton(menu):
            if item:
                raise Refused(f"no such command or directory ({item})")
            return self.console.one(menu)
        if item:
            return self.shown(run, menu, item)
        rows, wanted = self.console.rows(menu, run.may), None
        for part in filter(None, query.split("&")):
            name, _, value = part.partition("=")
            name, value = decode(name), decode(value).replace("%2A", "*").replace("+", " ")
            if name == ".proplist":
                wanted = value.split(",")
            else:
                rows = [row for row in rows if equal(row, name, value)]
        return [{key: value for key, value in row.items() if wanted is None or key in wanted or key == ".id"} for row in rows]

    def put(self, run, menu: str, given: dict) -> tuple[int, object, str]:
        self.console.permit(run.may, menu, "add")
        if menu == "/file":
            row = {".id": self.tables.fresh_id("/file"), "name": given["name"], "contents": given.get("contents", ""), "size": str(len(given.get("contents", ""))), "type": ".txt file", "last-modified": self.router.stamp()}
            self.router.files.append(row)
            return 201, row, ""
        if menu == "/system/scheduler":
            self.console.gate()
        made = self.tables.add(menu, self.console.with_policy(run, menu, given), run.user)
        self.console.noted(run, f"{menu} add")
        return (200 if self.router.options.get("old_codes") else 201), self.shown(run, menu, made[".id"]), f"Location: /rest{menu}/{made['.id']}\r\n"

    def post(self, run, menu: str, parts: list[str], given: dict) -> tuple[int, object, str]:
        item = ""
        if len(parts) == 2:
            item, *parts = parts
        if len(parts) != 1:
            raise Refused("no such command" if menu in self.tables.menus.menus else f"no such command or directory ({menu.rpartition('/')[2]})")
        verb = parts[0]
        if (menu, verb) == ("", "execute"):
            return self.execute(run, given)
        if (menu, verb) == ("", "password"):
            return self.own_password(run, given)
        if (menu, verb) == ("/console", "inspect"):
            return 200, inspect(self.tables.menus, given, self.tables), ""
        if (menu, verb) == ("", "export"):
            raise Refused("missing =file=") if "file" not in given else Refused("not enough permissions (9)", 500)
        if (menu, verb) == ("", "ping") or (menu, verb) == ("/tool", "ping"):
            self.console.permit(run.may, menu, "ping")
            return 200, [{"avg-rtt": "551us", "host": given.get("address", ""), "max-rtt": "551us", "min-rtt": "551us", "packet-loss": "0", "received": str(at + 1), "sent": str(at + 1), "seq": str(at), "size": "56", "time": "551us", "ttl": "64"} for at in range(int(given.get("count", "4")))], ""
        if verb in self.commands:
            return 200, self.commands[verb](menu) or [], ""
        if verb not in self.tables.menus.commands(menu) | {"print", "reboot"} or (not self.tables.menus.exists(menu)):
            raise Refused(f"no such command or directory ({verb})")
        if (menu, verb) == ("/system", "reboot"):
            self.console.permit(run.may, menu, verb)
            threading.Thread(target=self.router.reboot, daemon=True).start()
            return 200, [], ""
        if verb == "print":
            return 200, self.print(run, menu, given), ""
        if (menu, verb) == ("/system/script", "run"):
            self.console.permit(run.may, menu, verb)
            name = self.console.name_of(menu, str(given.get(".id", given.get("number", ""))))
            self.router.run_script(name, run.may, run.user)
            self.router.sleep(0.1, lambda: None)
            return 200, [], ""
        self.console.permit(run.may, menu, verb)
        if self.tables.menus.singleton(menu):
            if verb == "set":
                self.tables.set_one(menu, given)
                self.console.noted(run, f"{menu} set")
            return 200, [], ""
        if verb == "add":
            made = self.put(run, menu, given)[1]
            return 200, {"ret": made[".id"]}, ""
        if verb == "monitor-traffic":
            return 200, [{"name": given.get("interface", ""), "rx-bits-per-second": "1000", "tx-bits-per-second": "2000", "rx-packets-per-second": "1", "tx-packets-per-second": "2"}], ""
        numbers = item or given.pop(".id", given.pop("numbers", ""))
        ids = [one for one in str(numbers).split(",") if one]
        if not ids:
            raise Refused("missing =.id=")
        if verb == "move":
            self.tables.move(menu, ids, given.get("destination"))
        elif menu == "/system/script/job" and verb == "remove":
            self.console.remove_jobs(ids)
        else:
            for one in ids:
                self.console.change_one(menu, verb, one, given, run.user)
        self.console.noted(run, f"{menu} {verb}")
        return 200, [], ""

    def own_password(self, run, given: dict) -> tuple[int, object, str]:
        """A user's own password, by the old one."""
        if "password" not in run.may:
            raise Refused("not enough permissions (9)", 500)
        row = self.tables.find("/user", name=run.user)
        for name in ("old-password", "new-password", "confirm-new-password"):
            if name not in given:
                raise Refused(f"missing ={name}=")
        if row["password"] != given["old-password"]:
            raise Refused("failure: incorrect password")
        if given["new-password"] != given["confirm-new-password"]:
            raise Refused("failure: passwords do not match")
        row["password"] = given["new-password"]
        return 200, [], ""

    def execute(self, run, given: dict) -> tuple[int, object, str]:
        self.console.permit(run.may, "", "execute")
        text = given.get("script", "")
        if "as-string" not in given:
            return 200, {"ret": self.router.execute(text, run.user, run.may)[".id"]}, ""
        try:
            language.Parser(text, self.tables.menus).script()
        except language.Syntax as fault:
            return 200, {"ret": str(fault) + "\r\n"}, ""
        job = self.router.execute(text, run.user, run.may, wait=True)
        return 200, {"ret": job["_output"] + (job["_error"] + "\r\n" if "_error" in job else "")}, ""

    def print(self, run, menu: str, given: dict) -> object:
        self.console.permit(run.may, menu, "print")
        if self.tables.menus.singleton(menu):
            made = self.console.one(menu)
            wanted = listed(given.get(".proplist"))
            return [{key: value for key, value in made.items() if wanted is None or key in wanted}]
        rows = [row for row in self.console.rows(menu, run.may) if queried(row, given.get(".query", []))]
        if "count-only" in given:
            return {"ret": str(len(rows))}
        wanted = listed(given.get(".proplist"))
        return [{key: value for key, value in row.items() if wanted is None or key in wanted} for row in rows]


def listed(held) -> list[str] | None:
    """A property list in either spelling."""
    return held if held is None or isinstance(held, list) else held.split(",")


def decode(text: str) -> str:
    """Percent signs of a path: all but the star."""
    raw = re.sub(rb"%(?!2[Aa])([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), text.encode())
    return raw.decode(errors="surrogateescape")


def equal(row: dict, name: str, value: str) -> bool:
    """Whether a row has this value; a truth may be asked for as `yes` too. What a row does not have equals nothing."""
    other = {"yes": "true", "no": "false"}.get(value, value) if name not in ("comment", "name") else value
    return name in row and row[name] in (value, other)


def queried(row: dict, query) -> bool:
    """The words of a query, a stack."""
    stack: list[bool] = []
    for one in [query] if isinstance(query, str) else query:
        if one.startswith("#"):
            for sign in one[1:]:
                if sign == "!":
                    stack.append(not stack.pop())
                elif sign in "&|":
                    two, first = stack.pop(), stack.pop()
                    stack.append((first and two) if sign == "&" else (first or two))
                elif sign == ".":
                    stack.append(stack[-1])
            continue
        if one.startswith("-"):
            stack.append(one[1:] not in row)
            continue
        sign = one[0] if one[0] in "<>" else "="
        name, has, value = one.lstrip("<>=").partition("=")
        if not has:
            stack.append(name in row)
        elif sign == "=":
            stack.append(equal(row, name, value))
        else:
            stack.append(name in row and (row[name] < value if sign == "<" else row[name] > value))
    return all(stack)


def inspect(menus: m.Menus, given: dict, tables) -> list[dict]:
    """`/console/inspect`: what can stand at a place of a command line."""
    path = [part for part in str(given.get("path", "")).split(",") if part]
    menu = ""
    while path and menus.exists(f"{menu}/{path[0]}"):
        menu += "/" + path.pop(0)
    request = given.get("request", "child")
    held = menus.menus.get(menu, {})
    if request == "child":
        if not path:
            children = sorted({other[len(menu) + 1:].split("/")[0] for other in menus.menus if other.startswith(menu + "/")})
            made = [{"name": name, "node-type": "path" if menus.exists(f"{menu}/{name}") else "dir", "type": "child"} for name in children]
            return sorted(made + [{"name": name, "node-type": "cmd", "type": "child"} for name in menus.commands(menu)], key=lambda one: one["name"])
        verb = path[0]
        if verb not in menus.commands(menu):
            return []
        names = menus.arguments(menu, verb) if verb in ("add", "set") else set(held.get("commands", {}).get(verb, [])) | ({"numbers"} if verb in ("remove", "enable", "disable") else set())
        names |= {"numbers"} if verb == "set" and not menus.singleton(menu) else set()
        names |= {"copy-from"} if verb == "add" else set()
        names |= {"place-before"} if verb == "add" and menu in m.ORDERED else set()
        names |= {"number", "value-name"} if verb == "get" else set()
        names |= {"numbers", "destination"} if verb == "move" else set()
        names |= {"as-value", "detail", "count-only", "proplist", "where", "without-paging", "terse", "follow", "interval", "file", "append"} if verb == "print" else set()
        return [{"name": name, "node-type": "arg", "type": "child"} for name in sorted(names)]
    if request == "syntax":
        verb, name = (path + ["", ""])[:2]
        told = held.get("types", {}).get(name, "")
        if menus.checker(menu, name) is v.boolean:
            told = "yes | no"
        elif not told and isinstance(held.get("enums", {}).get(name), list):
            told = " | ".join(word for word in held["enums"][name] if word != "!")
        return [{"nested": "0", "nonorm": "true", "symbol": name, "symbol-type": "definition", "text": told or "string value", "type": "syntax"}]
    if request == "completion":
        text = given.get("input", "")
        found = re.search(r"([a-z0-9.-]+)=[^ ]*$", text)
        where = re.match(r"/?([a-z0-9/ -]*?)[/ ](add|set|get|print|find)\b", text)
        if where:
            menu = "/" + where[1].strip("/ ").replace(" ", "/")
        elif path:
            pass
        name = found[1] if found else (path[1] if len(path) > 1 else "")
        held = menus.menus.get(menu, {})
        if re.search(r"(value-name=|proplist=)$", text) or name in ("value-name", "proplist"):
            words = sorted(menus.readable(menu) | {".id"})
        else:
            words = held.get("enums", {}).get(name, [])
            words = ["no", "yes"] if words == "bool" or menus.checker(menu, name) is v.boolean else list(words)
            if name in m.INTERFACE_ARGS:
                words = [row["name"] for row in tables.stored("/interface")]
            if name == "group":
                words = [row["name"] for row in tables.stored("/user/group")]
        return [{"completion": word, "offset": str(len(text)), "preference": "96", "show": "true", "style": "none", "text": "", "type": "completion"} for word in words if word != "!"]
    return []


def dumped(made: object) -> bytes:
    """JSON as it goes out: keys in order; control characters of some values raw, as the router leaves them."""
    text = json.dumps(made, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    if "debug-info" in text:
        text = text.replace(" prio 0x80 num 1\\n role", " prio 0x80 num 1\n role")
    return text.encode("utf-8", "surrogateescape")


def frame(code: int, made: object, extra: str = "") -> bytes:
    """A whole answer."""
    return frame_raw(code, b"" if made is None else made.encode() if isinstance(made, str) else dumped(made), extra)


def frame_raw(code: int, body: bytes, extra: str = "") -> bytes:
    """An answer around a body."""
    reason = MESSAGES.get(code, {200: "OK", 201: "Created", 204: "No Content"}.get(code, "Error"))
    length = "" if code == 204 else f"Content-Length: {len(body)}\r\n"
    return f"HTTP/1.1 {code} {reason}\r\nCache-Control: no-cache\r\nConnection: keep-alive\r\n{length}Content-Type: application/json\r\n{extra}\r\n".encode() + (b"" if code == 204 else body)
