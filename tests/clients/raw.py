"""JSON-RPC written by hand to `stdio`: the five protocol versions, and every bad input the contract names.

`python3 raw.py READY.json`, standard library only.
"""

import json
import sys
import threading

import rig
from rig import expect

# Well past the 16 MiB that one line may have.
HUGE_LINE = 20_000_000
# JSON-RPC 2.0 section 5.1.
PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602
# MCP before 2026-07-28.
RESOURCE_NOT_FOUND = -32002


def session(site: dict) -> rig.Session:
    return rig.Session([site["command"], *site["args"]])


def error_of(result: dict) -> dict:
    """The `error` of a tool result that must be one, in the shape that docs://tools tells."""
    expect(result.get("isError") is True, f"not an error: {rig.short(result)}")
    error = result["structuredContent"]["error"]
    for key, kind in (("kind", str), ("message", str), ("retryable", bool), ("correlation_id", str)):
        expect(isinstance(error.get(key), kind), f"error.{key} is not {kind.__name__}: {rig.short(error)}")
    expect(error["message"] in result["content"][0]["text"], "the text block leaves the message out")
    return error


def bad_input(result: dict, named: str) -> None:
    """A `bad_input` result that names the argument at fault."""
    error = error_of(result)
    expect(error["kind"] == "bad_input", rig.short(error))
    expect(named in error["message"], f"does not name {named}: {rig.short(error)}")


def versions(tally: rig.Tally, site: dict) -> None:
    device = site["devices"][0]["name"]
    for version in (*rig.HANDSHAKES, rig.STATELESS):
        with tally.check(f"{version}: opens, lists and answers"), session(site) as mcp:
            hello = mcp.open(version)
            if version == rig.STATELESS:
                expect(version in hello["supportedVersions"], rig.short(hello))
            else:
                expect(hello["protocolVersion"] == version, hello["protocolVersion"])
            expect("tools" in hello["capabilities"], rig.short(hello["capabilities"]))
            expect(len(hello.get("instructions", "")) <= 4 * 300, "instructions above 300 tokens")
            names = [tool["name"] for tool in mcp.tools()]
            expect("system.get_overview" in names, names)
            result = mcp.call("system.get_overview", {"device": device})
            expect(not result.get("isError"), rig.short(result))
            text = result["content"][0]["text"]
            expect(text and not text.lstrip().startswith("{"), f"the text block repeats the JSON: {text[:80]}")
            if version >= "2025-06-18":
                expect(isinstance(result["structuredContent"]["identity"], str), rig.short(result))
            if version == rig.STATELESS:
                expect(result["resultType"] == "complete", rig.short(result))

    with tally.check("a version from the future gets one that we speak"), session(site) as mcp:
        offered = mcp.result("initialize", {"protocolVersion": "2999-01-01", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}})
        expect(offered["protocolVersion"] in rig.HANDSHAKES, offered["protocolVersion"])


def listing(tally: rig.Tally, site: dict) -> None:
    with session(site) as mcp:
        mcp.open()
        first = mcp.exchange("tools/list")
        with tally.check("tools/list is one page of at most 24 kB, and no tool is above 600 tokens"):
            page = json.loads(first)["result"]
            expect("nextCursor" not in page, "more than one page")
            expect(len(first) <= 24_000, f"{len(first)} bytes")
            sizes = {tool["name"]: len(json.dumps(tool, separators=(",", ":"))) for tool in page["tools"]}
            expect(max(sizes.values()) <= 4 * 600, rig.short({name: size for name, size in sizes.items() if size > 2400}))
        with tally.check("tools/list is the same bytes each time"):
            expect(json.loads(mcp.exchange("tools/list"))["result"] == page, "it differs")
        with tally.check("every tool says what it does to the world, and takes no unlisted argument"):
            for tool in page["tools"]:
                hints = set(tool["annotations"])
                expect({"readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"} <= hints, f"{tool['name']}: {hints}")
                schema = tool["inputSchema"]
                expect(schema.get("additionalProperties") is False, f"{tool['name']}: open inputSchema")
                expect(not {"anyOf", "oneOf", "allOf"} & set(schema), f"{tool['name']}: a combinator on top")
        with tally.check("every listed tool has arguments in the table"):
            missing = [tool["name"] for tool in page["tools"] if not _has_arguments(tool["name"])]
            expect(not missing, f"no arguments for {missing}")


def _has_arguments(tool: str) -> bool:
    try:
        rig.arguments_for(tool, "any")
    except rig.Failed:
        return False
    return True


def resources(tally: rig.Tally, site: dict) -> None:
    """What is there beside tools, in every version."""
    device = site["devices"][0]["name"]
    for version in (*rig.HANDSHAKES, rig.STATELESS):
        with session(site) as mcp:
            offered = mcp.open(version)["capabilities"]
            with tally.check(f"{version}: offers resources, prompts and completion, and each answers"):
                expect({"resources", "prompts", "completions"} <= set(offered), offered)
                expect(offered["resources"] == {"subscribe": True, "listChanged": True}, offered)
                page = mcp.result("resources/list")
                expect(len(page["resources"]) <= 100, f"{len(page['resources'])} on a page")
                for one in page["resources"]:
                    content = mcp.result("resources/read", {"uri": one["uri"]})["contents"][0]
                    expect(content["uri"] == one["uri"] and content["mimeType"] == one["mimeType"], rig.short(content))
                for prompt in mcp.result("prompts/list")["prompts"]:
                    given = rig.prompt_arguments([argument["name"] for argument in prompt["arguments"]], device)
                    expect(mcp.result("prompts/get", {"name": prompt["name"], "arguments": given})["messages"], prompt["name"])
            with tally.check(f"{version}: an unknown resource has the version's own code"):
                code = INVALID_PARAMS if version == rig.STATELESS else RESOURCE_NOT_FOUND
                for uri in ("nonsense", "device://no-such-device/health", "plan://1"):
                    error = mcp.request("resources/read", {"uri": uri}).get("error", {})
                    expect(error.get("code") == code, f"{uri}: {rig.short(error)}")


def truth(tally: rig.Tally, site: dict) -> None:
    """What the tools say against what the router's own REST says."""
    router = site["devices"][0]
    with session(site) as mcp:
        mcp.open()
        with tally.check("system.get_overview tells the router's identity, board and version"):
            said = mcp.rows("system.get_overview", {"device": router["name"]})
            resource = rig.ask_router(router, "/system/resource")
            expect(said["identity"] == rig.ask_router(router, "/system/identity")["name"], said["identity"])
            expect(said["board"] == resource["board-name"], said["board"])
            expect(resource["version"].startswith(said["version"]), said["version"])
            expect(said["memory_total_bytes"] == int(resource["total-memory"]), said["memory_total_bytes"])
        with tally.check("menu.read tells the router's addresses, without .id and with keys"):
            said = mcp.rows("menu.read", {"device": router["name"], "menu": "/ip/address", "limit": 500})
            true = sorted(row["address"] for row in rig.ask_router(router, "/ip/address"))
            expect(sorted(row["address"] for row in said["rows"]) == true, f"{rig.short(said)} is not {true}")
            expect(said["total"] == len(true), said["total"])
            expect(all(".id" not in row and "_key" in row for row in said["rows"]), rig.short(said["rows"]))
        with tally.check("the spelling with _ and the alias device_id are taken"):
            said = mcp.rows("system_get_overview", {"device_id": router["name"]})
            expect(said["identity"], rig.short(said))
        with tally.check("_meta of a device read says what it is about"):
            meta = mcp.call("system.get_overview", {"device": router["name"]})["_meta"]
            expect({"correlation_id", "estimated_tokens", "device_id", "read_at", "age_ms", "cached"} <= set(meta), list(meta))


def bad_calls(tally: rig.Tally, site: dict) -> None:
    device = site["devices"][0]["name"]
    with session(site) as mcp:
        mcp.open()
        with tally.check("an unknown tool is error -32602"):
            error = mcp.request("tools/call", {"name": "no.such_tool", "arguments": {}}).get("error", {})
            expect(error.get("code") == INVALID_PARAMS, rig.short(error))
        with tally.check("an unknown method is error -32601"):
            error = mcp.request("no/such").get("error", {})
            expect(error.get("code") == METHOD_NOT_FOUND, rig.short(error))
        with tally.check("an unknown argument is bad_input that names it"):
            bad_input(mcp.call("system.get_overview", {"device": device, "divice": "x"}), "divice")
        with tally.check("a missing argument is bad_input that names it"):
            bad_input(mcp.call("system.get_overview", {}), "device")
        with tally.check("a string where another type stands is bad_input that names it"):
            tool, argument, wrong = _typed(mcp.tools())
            good = rig.arguments_for(tool, device)[0]
            bad_input(mcp.call(tool, {**good, argument: wrong}), argument)
        with tally.check("a number out of its range is bad_input that names it"):
            bad_input(mcp.call("device.list", {"limit": 501}), "limit")
        with tally.check("an unknown device is not_found with a hint"):
            error = error_of(mcp.call("system.get_overview", {"device": "no-such-router"}))
            expect(error["kind"] == "not_found" and error.get("hint"), rig.short(error))
        with tally.check("a menu that the router lacks is an error of its kind"):
            error = error_of(mcp.call("menu.read", {"device": device, "menu": "/no/such/menu"}))
            expect(error["kind"] in ("not_found", "bad_input", "rejected"), rig.short(error))
        with tally.check("arguments that are no object are refused and the session goes on"):
            answer = mcp.request("tools/call", {"name": "device.list", "arguments": [1]})
            expect("error" in answer or answer["result"].get("isError"), rig.short(answer))
            expect(mcp.rows("device.list")["rows"], "no devices any more")


def _typed(tools: list[dict]) -> tuple[str, str, str]:
    """A listed tool with a boolean argument, else one with a number, and a string that looks like it."""
    for kind, wrong in (("boolean", "false"), ("integer", "5")):
        for tool in tools:
            for name, schema in tool["inputSchema"].get("properties", {}).items():
                kinds = schema.get("type")
                if kind == kinds or (isinstance(kinds, list) and kind in kinds):
                    return tool["name"], name, wrong
    raise rig.Failed("no listed tool takes a boolean or a number")


def bad_lines(tally: rig.Tally, site: dict) -> None:
    with session(site) as mcp:
        mcp.open()
        for claim, line in (
            ("broken JSON", b'{"jsonrpc":"2.0","id":1,"method":'),
            ("bytes that are no UTF-8", b'{"jsonrpc":"2.0","id":1,"method":"\xff\xfe"}'),
            ("JSON 100,000 levels deep", b'{"a":' * 100_000),
        ):
            with tally.check(f"{claim}: a JSON-RPC error, and the session goes on"):
                mcp.send(line)
                answer = json.loads(mcp.receive())
                expect(answer.get("error", {}).get("code") in (PARSE_ERROR, INVALID_REQUEST) and answer.get("id") is None, rig.short(answer))
                expect(mcp.rows("device.list")["rows"], "no devices any more")
        with tally.check("an empty line is passed over"):
            mcp.send(b"")
            expect(mcp.rows("device.list")["rows"], "no devices any more")
        with tally.check("a line of 20 MB: an error, little memory, and the session goes on"):
            before = _peak(mcp)
            padding = b" " * (HUGE_LINE - 100)
            writer = threading.Thread(target=mcp.send, args=(b'{"jsonrpc":"2.0","id":7,"method":"ping","params":{"x":"' + padding + b'"}}',))
            writer.start()
            answer = json.loads(mcp.receive())
            writer.join(rig.ANSWER)
            expect("error" in answer, rig.short(answer))
            expect(mcp.rows("device.list")["rows"], "no devices any more")
            grown = _peak(mcp) - before
            expect(grown <= 40_000_000, f"{grown} bytes more at its peak")


def _peak(mcp: rig.Session) -> int:
    """The most memory the child ever had, in bytes."""
    with open(f"/proc/{mcp.child.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def leaving(tally: rig.Tally, site: dict) -> None:
    """SIGTERM only once it answered: before that, no program has its handlers in place."""
    for claim, leave, idle in (
        ("EOF before the handshake", rig.Session.close, False),
        ("EOF when idle", rig.Session.close, True),
        ("SIGTERM when idle", rig.Session.terminate, True),
    ):
        with tally.check(f"{claim}: exit 0 within 1 s, and nothing more on stdout"), session(site) as mcp:
            if idle:
                mcp.open()
                mcp.rows("device.list")
            code, took = leave(mcp)
            expect(code == 0, f"exit code {code}; standard error: {mcp.said()}")
            expect(took <= rig.LEAVE, f"took {took:.2f} s")
            expect(mcp.lines.get(timeout=rig.ANSWER) is None, "more output")


def main() -> int:
    tally, site = rig.Tally("raw"), rig.site_file()
    for part in (versions, listing, resources, truth, bad_calls, bad_lines, leaving):
        with tally.check(f"{part.__name__}: came to its end"):
            part(tally, site)
    return tally.finish()


sys.exit(main())
