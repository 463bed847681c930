"""Python SDK `mcp` 1.x on the demo site: every listed tool, answers against their outputSchema.

Run by run.py with the SDK's own interpreter: `python python1.py READY.json`.
"""

import asyncio
import datetime
import sys

import jsonschema
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.types import PaginatedRequestParams

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


async def journey(tally: rig.Tally, site: dict) -> None:
    server = StdioServerParameters(command=site["command"], args=site["args"])
    tools = []
    async with stdio_client(server) as (reading, writing), ClientSession(reading, writing) as session:
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


async def main() -> int:
    tally, site = rig.Tally("python1"), rig.site_file()
    with tally.check("connects, works and leaves"):
        await journey(tally, site)
    return tally.finish()


sys.exit(asyncio.run(main()))
