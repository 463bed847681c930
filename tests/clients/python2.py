"""Python SDK `mcp` 2.x on the demo site: both eras, every listed tool, answers against their outputSchema; every listed
resource and prompt, completion, and word of a change.

Run by run.py with the SDK's own interpreter: `python python2.py READY.json`.
"""

import asyncio
import json
import sys

import jsonschema
from mcp import Client, StdioServerParameters
from mcp.types import PromptReference, ResourceTemplateReference, ResourceUpdatedNotification

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


async def resources(tally: rig.Tally, client: Client, mode: str) -> None:
    """Every listed resource, all pages, and what the templates are completed to."""
    found, cursor = [], None
    with tally.check(f"{mode}: lists resources, page by page"):
        while True:
            page = await client.list_resources(cursor=cursor)
            found += page.resources
            cursor = page.next_cursor
            if not cursor:
                break
        rig.expect({"fleet://summary", "audit://recent"} <= {one.uri for one in found}, [one.uri for one in found])
    with tally.check(f"{mode}: reads every one of {len(found)} resources"):
        for one in found:
            content = (await client.read_resource(one.uri)).contents[0]
            rig.expect(content.uri == one.uri and content.mime_type == one.mime_type, content)
            if one.mime_type == "application/json":
                rig.expect(isinstance(json.loads(content.text), dict), one.uri)
    with tally.check(f"{mode}: every template completes"):
        templates = (await client.list_resource_templates()).resource_templates
        rig.expect(templates, "no templates")
        for template in templates:
            name = template.uri_template.split("{")[1].split("}")[0]
            ref = ResourceTemplateReference(type="ref/resource", uri=template.uri_template)
            values = (await client.complete(ref, {"name": name, "value": ""})).completion.values
            # The demo has no snapshots and no plans of its own.
            has_some = not template.uri_template.startswith(("snapshot://", "plan://"))
            rig.expect(values or not has_some, template.uri_template)
    with tally.check(f"{mode}: an unknown resource is an error"):
        try:
            await client.read_resource("device://no-such-device/overview")
        except Exception as error:
            rig.expect("no device" in str(error), error)
        else:
            raise rig.Failed("it was read")


async def prompts(tally: rig.Tally, client: Client, mode: str, device: str) -> None:
    with tally.check(f"{mode}: gets every prompt, filled in"):
        listed = (await client.list_prompts()).prompts
        rig.expect(len(listed) == 10, len(listed))
        for prompt in listed:
            names = [argument.name for argument in prompt.arguments or []]
            got = await client.get_prompt(prompt.name, rig.prompt_arguments(names, device))
            rig.expect([m.content.type for m in got.messages][:1] == ["text"], prompt.name)
            if "device" in names:
                found = await client.complete(PromptReference(type="ref/prompt", name=prompt.name), {"name": "device", "value": device})
                rig.expect(device in found.completion.values, found)


async def changes(tally: rig.Tally, client: Client, mode: str, site: dict, heard: asyncio.Queue) -> None:
    """A change of a device's record reaches whoever subscribed to the device."""
    device = site["devices"][-1]
    uri = f"device://{device['id']}/capabilities"
    with tally.check(f"{mode}: hears of a change"):
        if mode == "legacy":
            await client.subscribe_resource(uri)
            rig.change(site, device["name"])
            rig.expect(str(await asyncio.wait_for(heard.get(), rig.ANSWER)) == uri, "another address")
            await client.unsubscribe_resource(uri)
        else:
            async with client.listen(resource_subscriptions=[uri]) as stream:
                rig.change(site, device["name"])
                said = await asyncio.wait_for(anext(aiter(stream)), rig.ANSWER)
                rig.expect(uri in str(said), said)


async def journey(tally: rig.Tally, site: dict, mode: str, version: str, whole: dict) -> None:
    server = StdioServerParameters(command=site["command"], args=site["args"])
    tools = []
    heard: asyncio.Queue = asyncio.Queue()

    async def on_message(message) -> None:
        message = getattr(message, "root", message)
        if isinstance(message, ResourceUpdatedNotification):
            heard.put_nowait(message.params.uri)

    async with Client(server, mode=mode, message_handler=on_message) as client:
        with tally.check(f"{mode}: speaks {version}"):
            rig.expect(client.protocol_version == version, client.protocol_version)
        with tally.check(f"{mode}: lists its tools"):
            tools = await listed(client)
            rig.expect(tools, "an empty list")
        for tool in tools:
            with tally.check(f"{mode}: {tool.name} answers by its outputSchema"):
                for arguments in rig.arguments_for(tool.name, site["devices"][0]["name"]):
                    await call(client, tool, arguments, whole)
        await resources(tally, client, mode)
        await prompts(tally, client, mode, site["devices"][0]["name"])
        await changes(tally, client, mode, site, heard)


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
