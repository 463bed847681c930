// TypeScript SDK 1.x (`@modelcontextprotocol/sdk`) on the demo site.

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { finish, journey, site } from "./common.mjs";

const transport = new StdioClientTransport({ command: site.command, args: site.args, stderr: "ignore" });
// 1.x tells the negotiated version to the transport, and to nobody else.
let spoken;
transport.setProtocolVersion = (version) => (spoken = version);
const client = new Client({ name: "typescript_sdk", version: "1" });
const callTool = (params, options) => client.callTool(params, undefined, options);
await journey("legacy", client, transport, { version: "2025-11-25", spoken: () => spoken, callTool });
finish("typescript_sdk");
