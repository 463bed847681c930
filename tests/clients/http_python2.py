"""Python SDK `mcp` 2.x over HTTPS, in both eras: our own certificate trusted from its file, tokens good and bad, roles,
progress, taking back, and word of a change.

Run by run.py with the SDK's own interpreter: `python http_python2.py READY.json`.
"""

import asyncio
import contextlib
import ssl
import sys
import time

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import ResourceUpdatedNotification

import rig
import web


@contextlib.asynccontextmanager
async def opened(site: dict, mode: str, token: str, trust: ssl.SSLContext | None = None, **more):
    """A client as whoever has the token."""
    trust = trust or ssl.create_default_context(cafile=site["certificate"])
    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, verify=trust, timeout=rig.ANSWER) as http:
        async with Client(streamable_http_client(site["url"], http_client=http), mode=mode, **more) as client:
            yield client


def whole(fault: BaseException) -> str:
    """A fault with all those in it and behind it: the SDK's come in groups."""
    inner = [*getattr(fault, "exceptions", ()), *filter(None, [fault.__cause__])]
    return " | ".join([f"{type(fault).__name__}: {fault}", *map(whole, inner)])


async def refused(word: str, entering) -> None:
    """Nothing can be listed, and the fault says why."""
    try:
        async with asyncio.timeout(rig.ANSWER), entering as client:
            await client.list_tools()
    except BaseException as fault:
        rig.expect(word in whole(fault), whole(fault))
        return
    raise rig.Failed("it was let in")


async def calls(tally: rig.Tally, site: dict, mode: str, version: str) -> None:
    quick, slow = (device["name"] for device in site["devices"])
    heard: asyncio.Queue = asyncio.Queue()

    async def on_message(message) -> None:
        message = getattr(message, "root", message)
        if isinstance(message, ResourceUpdatedNotification):
            heard.put_nowait(message.params.uri)

    async with opened(site, mode, site["tokens"]["ops"], message_handler=on_message) as client:
        with tally.check(f"{mode}: speaks {version}, lists tools and calls some"):
            rig.expect(client.protocol_version == version, client.protocol_version)
            rig.expect(len((await client.list_tools()).tools) > 20, "a short list")
            for tool, arguments in (("device.list", {}), ("system.get_overview", {"device": quick}), ("menu.read", {"device": quick, "menu": "/ip/address"})):
                result = await client.call_tool(tool, arguments)
                rig.expect(not result.is_error and result.structured_content, result)
        with tally.check(f"{mode}: hears of progress"):
            steps: list[float] = []

            async def on_progress(done: float, _total, _message) -> None:
                steps.append(done)

            await client.call_tool("diagnose.ping", {"device": slow, "address": "192.0.2.7", "count": 6}, progress_callback=on_progress)
            rig.expect(len(steps) >= 3 and steps == sorted(set(steps)), steps)
        with tally.check(f"{mode}: hears of a change it subscribed to"):
            uri = f"device://{site['devices'][0]['id']}/capabilities"
            if mode == "legacy":
                await client.subscribe_resource(uri)
                rig.change(site, quick)
                rig.expect(str(await asyncio.wait_for(heard.get(), rig.ANSWER)) == uri, "another address")
            else:
                async with client.listen(resource_subscriptions=[uri]) as stream:
                    rig.change(site, quick)
                    rig.expect(uri in str(await asyncio.wait_for(anext(aiter(stream)), rig.ANSWER)), "another address")
        with tally.check(f"{mode}: takes a call back, and the router is free"):
            call = asyncio.create_task(client.call_tool("diagnose.ping", {"device": slow, **web.LONG_PING}))
            await asyncio.sleep(1)
            # The SDK says so: by a notification in a session, by hanging up without one.
            call.cancel()
            began = time.monotonic()
            while (await client.call_tool("diagnose.ping", {"device": slow, "address": "192.0.2.7", "count": 1})).is_error:
                rig.expect(time.monotonic() - began < web.FREE, "it goes on")


async def main() -> int:
    tally, site = rig.Tally("http_python2"), rig.site_file()["web"]
    tokens = site["tokens"]
    for mode, version in (("auto", rig.STATELESS), ("legacy", rig.HANDSHAKES[-1])):
        with tally.check(f"{mode}: connects, works and leaves"):
            await calls(tally, site, mode, version)
        for kind in web.BAD:
            with tally.check(f"{mode}: a token that is {kind} opens nothing"):
                await refused("a valid token is needed", opened(site, mode, tokens[kind]))
        with tally.check(f"{mode}: a certificate that nobody vouches for is refused"):
            await refused("CERTIFICATE_VERIFY_FAILED", opened(site, mode, tokens["ops"], ssl.create_default_context()))
        with tally.check(f"{mode}: a reader reads, and is told which scope writing takes"):
            try:
                async with opened(site, mode, tokens["reader"]) as client:
                    rig.expect(not (await client.call_tool("device.list", {})).is_error, "it cannot read")
                    result = await asyncio.wait_for(client.call_tool("system.set_identity", {}), rig.ANSWER)
                    rig.expect(result.is_error, "it wrote")
            except BaseException as fault:
                rig.expect("mcp:write" in whole(fault), whole(fault))
    return tally.finish()


sys.exit(asyncio.run(main()))
