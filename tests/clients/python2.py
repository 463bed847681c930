"""Python SDK `mcp` 2.x on the demo site: both eras, every listed tool, answers against their outputSchema.

Run by run.py with the SDK's own interpreter: `python python2.py READY.json`.
"""

import asyncio
import sys

import jsonschema
from mcp import Client, StdioServerParameters

import rig


async def listed(client: Client) -> list:
    """Every tool; `list_tools` gives one page, so the cursor is followed here."""
    tools, cursor = [], None
    while True:
        page = await client.list_tools(cursor=cursor)
        tools += page.tools
        cursor = page.next_cursor
        if not cursor:
            return tools


def whole_schemas(site: dict) -> dict[str, dict]:
    """outputSchema by tool from `catalog`: the listed ones may stop at the top-level keys."""
    said = rig.cli(site["data_dir"], "catalog").json()
    tools = said["tools"] if isinstance(said, dict) else said
    return {tool["name"]: tool["outputSchema"] for tool in tools}


async def call(client: Client, tool, arguments: dict, whole: dict) -> None:
    """One call: the SDK validates as well, this states the claims in so many words."""
    result = await client.call_tool(tool.name, arguments, read_timeout_seconds=rig.ANSWER)
    rig.expect(not result.is_error, [block.model_dump() for block in result.content])
    rig.expect(tool.output_schema, "lists no outputSchema")
    jsonschema.Draft202012Validator(tool.output_schema).validate(result.structured_content)
    jsonschema.Draft202012Validator(whole[tool.name]).validate(result.structured_content)
    rig.expect([block.type for block in result.content] == ["text"], "its content is not one text block")


async def journey(tally: rig.Tally, site: dict, mode: str, version: str, whole: dict) -> None:
    server = StdioServerParameters(command=site["command"], args=site["args"])
    tools = []
    async with Client(server, mode=mode) as client:
        with tally.check(f"{mode}: speaks {version}"):
            rig.expect(client.protocol_version == version, client.protocol_version)
        with tally.check(f"{mode}: lists its tools"):
            tools = await listed(client)
            rig.expect(tools, "an empty list")
        for tool in tools:
            with tally.check(f"{mode}: {tool.name} answers by its outputSchema"):
                for arguments in rig.arguments_for(tool.name, site["devices"][0]["name"]):
                    await call(client, tool, arguments, whole)


async def main() -> int:
    tally, site = rig.Tally("python2"), rig.site_file()
    whole: dict = {}
    with tally.check("catalog tells every tool's whole outputSchema"):
        whole = whole_schemas(site)
    for mode, version in (("auto", rig.STATELESS), ("legacy", rig.HANDSHAKES[-1])):
        with tally.check(f"{mode}: connects, works and leaves"):
            await journey(tally, site, mode, version, whole)
    return tally.finish()


sys.exit(asyncio.run(main()))
