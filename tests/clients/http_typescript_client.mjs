// TypeScript client 2.x (`@modelcontextprotocol/client`) over HTTPS, both eras.

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { finish } from "./common.mjs";
import { authorized, journey, refusals } from "./http_common.mjs";

async function subscribed(client, uri) {
  const heard = new Promise((resolve) => client.setNotificationHandler("notifications/resources/updated", ({ params }) => resolve(params.uri)));
  if (client.getNegotiatedProtocolVersion() >= "2026-07-28") await client.listen({ resourceSubscriptions: [uri] });
  else await client.subscribeResource({ uri });
  return { heard };
}

for (const mode of ["auto", "legacy"]) {
  const made = () => new Client({ name: "http_typescript_client", version: "1" }, { versionNegotiation: { mode } });
  const client = made();
  const callTool = (params, options) => client.callTool(params, options);
  await journey(mode, client, authorized(StreamableHTTPClientTransport, "ops"), { callTool, subscribed });
  await refusals(mode, {
    open: async (kind) => {
      const client = made();
      await client.connect(authorized(StreamableHTTPClientTransport, kind));
      return client;
    },
    callTool: (client, params, options) => client.callTool(params, options),
  });
}
finish("http_typescript_client");
