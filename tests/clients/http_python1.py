"""Python SDK `mcp` 1.x over HTTPS: our own certificate trusted from its file, tokens good and bad, roles, progress,
taking back, and word of a change.

Run by run.py with the SDK's own interpreter: `python http_python1.py READY.json`.
"""

import asyncio
import contextlib
import sys
import time

import certifi
import httpx
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CancelledNotification, CancelledNotificationParams, ClientNotification, ResourceUpdatedNotification
from pydantic import AnyUrl

import rig
import web


@contextlib.asynccontextmanager
async def session(site: dict, token: str, roots: str | None = None, on_message=None):
    """An initialized session as whoever has the token."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx.AsyncClient(headers=headers, verify=httpx.create_ssl_context(verify=roots or site["certificate"]), timeout=rig.ANSWER) as client,
        streamable_http_client(site["url"], http_client=client) as (reading, writing, _),
        ClientSession(reading, writing, message_handler=on_message) as opened,
    ):
        async with asyncio.timeout(rig.ANSWER):
            hello = await opened.initialize()
        rig.expect(hello.protocolVersion == rig.HANDSHAKES[-1], hello.protocolVersion)
        yield opened


async def refused(site: dict, token: str, word: str, roots: str | None = None) -> None:
    """No session comes about, and the fault says why."""
    try:
        async with session(site, token, roots):
            pass
    except BaseException as fault:
        rig.expect(word in whole(fault), whole(fault))
        return
    raise rig.Failed("a session was opened")


def whole(fault: BaseException) -> str:
    """A fault with all those in it: the SDK's come in groups."""
    inner = getattr(fault, "exceptions", ())
    return " | ".join([f"{type(fault).__name__}: {fault}", *map(whole, inner)])


async def calls(tally: rig.Tally, site: dict) -> None:
    quick, slow = (device["name"] for device in site["devices"])
    heard: asyncio.Queue = asyncio.Queue()

    async def on_message(message) -> None:
        message = getattr(message, "root", message)
        if isinstance(message, ResourceUpdatedNotification):
            heard.put_nowait(str(message.params.uri))

    async with session(site, site["tokens"]["ops"], on_message=on_message) as mcp:
        with tally.check("lists tools and calls some"):
            rig.expect(len((await mcp.list_tools()).tools) > 20, "a short list")
            for tool, arguments in (("device.list", {}), ("system.get_overview", {"device": quick}), ("menu.read", {"device": quick, "menu": "/ip/address"})):
                result = await mcp.call_tool(tool, arguments)
                rig.expect(not result.isError and result.structuredContent, result)
        with tally.check("hears of progress"):
            steps: list[float] = []

            async def on_progress(done: float, _total, _message) -> None:
                steps.append(done)

            await mcp.call_tool("diagnose.ping", {"device": slow, "address": "192.0.2.7", "count": 6}, progress_callback=on_progress)
            rig.expect(len(steps) >= 3 and steps == sorted(set(steps)), steps)
        with tally.check("hears of a change it subscribed to"):
            uri = f"device://{site['devices'][0]['id']}/capabilities"
            await mcp.subscribe_resource(AnyUrl(uri))
            rig.change(site, quick)
            rig.expect(await asyncio.wait_for(heard.get(), rig.ANSWER) == uri, "another address")
        with tally.check("takes a call back, and the router is free"):
            number = mcp._request_id  # the SDK gives no other way to know it
            call = asyncio.create_task(mcp.call_tool("diagnose.ping", {"device": slow, **web.LONG_PING}))
            await asyncio.sleep(1)
            back = CancelledNotification(params=CancelledNotificationParams(requestId=number, reason="enough"))
            await mcp.send_notification(ClientNotification(back))
            began = time.monotonic()
            while (await mcp.call_tool("diagnose.ping", {"device": slow, "address": "192.0.2.7", "count": 1})).isError:
                rig.expect(time.monotonic() - began < web.FREE, "it goes on")
            call.cancel()


async def main() -> int:
    tally, site = rig.Tally("http_python1"), rig.site_file()["web"]
    tokens = site["tokens"]
    with tally.check("connects, works and leaves"):
        await calls(tally, site)
    for kind in web.BAD:
        with tally.check(f"a token that is {kind} opens nothing"):
            await refused(site, tokens[kind], "401")
    with tally.check("a certificate that nobody vouches for is refused"):
        await refused(site, tokens["ops"], "CERTIFICATE_VERIFY_FAILED", certifi.where())
    with tally.check("a reader reads, and is told which scope writing takes"):
        try:
            async with session(site, tokens["reader"]) as mcp:
                rig.expect(not (await mcp.call_tool("device.list", {})).isError, "it cannot read")
                result = await asyncio.wait_for(mcp.call_tool("system.set_identity", {}), rig.ANSWER)
                rig.expect(result.isError, "it wrote")
        except BaseException as fault:
            rig.expect("403" in whole(fault) or "mcp:write" in whole(fault), whole(fault))
    return tally.finish()


sys.exit(asyncio.run(main()))
