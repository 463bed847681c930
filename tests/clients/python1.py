"""Python SDK `mcp` 1.x on the demo site: every listed tool, answers against their outputSchema; resources, prompts,
completion, and word of a change.

Run by run.py with the SDK's own interpreter: `python python1.py READY.json`.
"""

import asyncio
import datetime
import sys

import jsonschema
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.types import PaginatedRequestParams, PromptReference, ResourceTemplateReference, ResourceUpdatedNotification
from pydantic import AnyUrl

import rig

PATIENCE = datetime.timedelta(seconds=rig.ANSWER)


async def listed(session: ClientSession) -> list:
    """Every tool; `list_tools` gives one page, so the cursor is followed here."""
    tools, cursor = [], None
    while True:
        page = await session.list_tools(params=PaginatedRequestParams(cursor=cursor))
        tools += page.tools
        cursor = page.nextCursor
        if not cursor:
            return tools


async def call(session: ClientSession, tool, arguments: dict) -> None:
    """One call: the SDK validates as well, this states the claims in so many words."""
    result = await session.call_tool(tool.name, arguments, read_timeout_seconds=PATIENCE)
    rig.expect(not result.isError, [block.model_dump() for block in result.content])
    rig.expect(tool.outputSchema, "lists no outputSchema")
    jsonschema.Draft202012Validator(tool.outputSchema).validate(result.structuredContent)
    rig.expect([block.type for block in result.content] == ["text"], "its content is not one text block")


async def beside(tally: rig.Tally, session: ClientSession, site: dict, heard: asyncio.Queue) -> None:
    """What there is beside tools."""
    device = site["devices"][0]["name"]
    with tally.check("reads every resource of the first page"):
        page = await session.list_resources()
        rig.expect(page.resources, "an empty list")
        for one in page.resources:
            content = (await session.read_resource(one.uri)).contents[0]
            rig.expect(content.uri == one.uri and content.mimeType == one.mimeType, content)
    with tally.check("completes a template"):
        rig.expect((await session.list_resource_templates()).resourceTemplates, "no templates")
        ref = ResourceTemplateReference(type="ref/resource", uri="device://{id}/health")
        found = await session.complete(ref, {"name": "id", "value": device})
        rig.expect(device in found.completion.values, found)
    with tally.check("gets every prompt, filled in"):
        for prompt in (await session.list_prompts()).prompts:
            names = [argument.name for argument in prompt.arguments or []]
            got = await session.get_prompt(prompt.name, rig.prompt_arguments(names, device))
            rig.expect(got.messages[0].content.type == "text", prompt.name)
            if "device" in names:
                found = await session.complete(PromptReference(type="ref/prompt", name=prompt.name), {"name": "device", "value": device})
                rig.expect(device in found.completion.values, found)
    with tally.check("hears of a change"):
        other = site["devices"][-1]
        uri = AnyUrl(f"device://{other['id']}/capabilities")
        await session.subscribe_resource(uri)
        rig.change(site, other["name"])
        rig.expect(await asyncio.wait_for(heard.get(), rig.ANSWER) == uri, "another address")


async def journey(tally: rig.Tally, site: dict) -> None:
    server = StdioServerParameters(command=site["command"], args=site["args"])
    tools = []
    heard: asyncio.Queue = asyncio.Queue()

    async def on_message(message) -> None:
        message = getattr(message, "root", message)
        if isinstance(message, ResourceUpdatedNotification):
            heard.put_nowait(message.params.uri)

    async with stdio_client(server) as (reading, writing), ClientSession(reading, writing, message_handler=on_message) as session:
        with tally.check(f"speaks {rig.HANDSHAKES[-1]}"):
            hello = await session.initialize()
            rig.expect(hello.protocolVersion == rig.HANDSHAKES[-1], hello.protocolVersion)
        with tally.check("lists its tools"):
            tools = await listed(session)
            rig.expect(tools, "an empty list")
        for tool in tools:
            with tally.check(f"{tool.name} answers by its outputSchema"):
                for arguments in rig.arguments_for(tool.name, site["devices"][0]["name"]):
                    await call(session, tool, arguments)
        await beside(tally, session, site, heard)


async def main() -> int:
    tally, site = rig.Tally("python1"), rig.site_file()
    with tally.check("connects, works and leaves"):
        await journey(tally, site)
    return tally.finish()


sys.exit(asyncio.run(main()))
