// TypeScript client 2.x (`@modelcontextprotocol/client`) on the demo site, both eras.

import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { finish, journey, site } from "./common.mjs";

for (const [mode, version] of [["auto", "2026-07-28"], ["legacy", "2025-11-25"]]) {
  const transport = new StdioClientTransport({ command: site.command, args: site.args, stderr: "ignore" });
  const client = new Client({ name: "typescript_client", version: "1" }, { versionNegotiation: { mode } });
  const spoken = () => client.getNegotiatedProtocolVersion();
  const callTool = (params, options) => client.callTool(params, options);
  await journey(mode, client, transport, { version, spoken, callTool });
}
finish("typescript_client");
