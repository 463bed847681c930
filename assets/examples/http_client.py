"""Asks routeros-mcp over HTTP with the Python SDK (`pip install 'mcp>=2.3,<3'`): the routers, and how each is.

    export ROUTEROS_MCP_URL=https://mcp.example.com/mcp ROUTEROS_MCP_TOKEN=rmcp_…
    python http_client.py

A certificate that the system does not trust: export SSL_CERT_FILE=/path/to/certificate.pem
"""

import asyncio
import os
import ssl
import sys

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client


async def rows(client: Client, tool: str, **arguments):
    """Every row of a list, page by page."""
    cursor = {}
    while True:
        answer = await client.call_tool(tool, {**arguments, **cursor})
        if answer.is_error:
            raise SystemExit(f"{tool}: {answer.structured_content['error']['message']}")
        for row in answer.structured_content["rows"]:
            yield row
        if not (following := answer.structured_content.get("next_cursor")):
            return
        cursor = {"cursor": following}


async def main() -> None:
    headers = {"Authorization": f"Bearer {os.environ['ROUTEROS_MCP_TOKEN']}"}
    trust = ssl.create_default_context()
    async with httpx2.AsyncClient(headers=headers, verify=trust, timeout=60) as http:
        async with Client(streamable_http_client(os.environ["ROUTEROS_MCP_URL"], http_client=http)) as client:
            async for device in rows(client, "device.list", fields=["name", "status"]):
                health = await client.call_tool("system.get_health", {"device": device["name"]})
                said = health.structured_content
                # A router that does not answer is news, not a reason to stop.
                score = said["error"]["kind"] if health.is_error else said.get("score")
                print(f"{device['name']:24} {device['status']:12} {score}")


if __name__ == "__main__":
    missing = [name for name in ("ROUTEROS_MCP_URL", "ROUTEROS_MCP_TOKEN") if not os.environ.get(name)]
    if missing:
        sys.exit(f"set {' and '.join(missing)}")
    asyncio.run(main())
