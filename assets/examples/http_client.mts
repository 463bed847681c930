// Asks routeros-mcp over HTTP with the TypeScript SDK (npm install @modelcontextprotocol/sdk@1): the routers, and how each is.
//
//   export ROUTEROS_MCP_URL=https://mcp.example.com/mcp ROUTEROS_MCP_TOKEN=rmcp_…
//   node http_client.mts                  (Node 22.18 or newer reads TypeScript)
//
// A certificate that the system does not trust: export NODE_EXTRA_CA_CERTS=/path/to/certificate.pem

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

type Row = Record<string, unknown>;
type Answer = { isError?: boolean; structuredContent?: { rows?: Row[]; next_cursor?: string; score?: number; error?: { kind: string; message: string } } };

const { ROUTEROS_MCP_URL: url, ROUTEROS_MCP_TOKEN: token } = process.env;
if (!url || !token) {
  console.error("set ROUTEROS_MCP_URL and ROUTEROS_MCP_TOKEN");
  process.exit(1);
}

const client = new Client({ name: "http_client", version: "1" });
const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: { Authorization: `Bearer ${token}` } } });
await client.connect(transport);

const call = async (name: string, args: Row): Promise<Answer> => (await client.callTool({ name, arguments: args })) as Answer;

// Every row of a list, page by page.
async function* rows(tool: string, args: Row): AsyncGenerator<Row> {
  let cursor: string | undefined;
  do {
    const answer = await call(tool, cursor ? { ...args, cursor } : args);
    if (answer.isError) throw new Error(`${tool}: ${answer.structuredContent?.error?.message}`);
    yield* answer.structuredContent?.rows ?? [];
    cursor = answer.structuredContent?.next_cursor;
  } while (cursor);
}

for await (const device of rows("device.list", { fields: ["name", "status"] })) {
  const health = await call("system.get_health", { device: device.name });
  // A router that does not answer is news, not a reason to stop.
  const score = health.isError ? health.structuredContent?.error?.kind : health.structuredContent?.score;
  console.log(`${String(device.name).padEnd(24)} ${String(device.status).padEnd(12)} ${score}`);
}

// Ends the session at the other end too.
await transport.terminateSession();
await client.close();
