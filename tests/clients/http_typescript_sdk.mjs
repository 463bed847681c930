// TypeScript SDK 1.x (`@modelcontextprotocol/sdk`) over HTTPS.

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ResourceUpdatedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { finish } from "./common.mjs";
import { authorized, journey, refusals } from "./http_common.mjs";

const made = () => new Client({ name: "http_typescript_sdk", version: "1" });
const client = made();
const callTool = (params, options) => client.callTool(params, undefined, options);

async function subscribed(client, uri) {
  const heard = new Promise((resolve) =>
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => resolve(params.uri)));
  await client.subscribeResource({ uri });
  return { heard };
}

await journey("legacy", client, authorized(StreamableHTTPClientTransport, "ops"), { callTool, subscribed });
await refusals("legacy", {
  open: async (kind) => {
    const client = made();
    await client.connect(authorized(StreamableHTTPClientTransport, kind));
    return client;
  },
  callTool: (client, params, options) => client.callTool(params, undefined, options),
});
finish("http_typescript_sdk");
