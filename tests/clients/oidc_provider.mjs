// A certified OpenID provider for the tests: JWT access tokens by client credentials, and sign-in of people with its development
// pages. New keys at each start. `node oidc_provider.mjs PACKAGES PORT REDIRECT_URI`; says "ready" once it listens.

import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [, , packages, port, redirect] = process.argv;
const found = createRequire(`${packages}/`).resolve("oidc-provider");
const { default: Provider } = await import(pathToFileURL(found).href);

const issuer = `http://127.0.0.1:${port}`;
const ours = "https://box.example/mcp";
const start = randomBytes(3).toString("hex");
const jwk = (type, options, alg, name) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: "jwk" }),
  kid: `${name}-${start}`,
  use: "sig",
  ...(alg && { alg }), // without one, an RSA key signs RS256 and PS256
});

const ALGS = ["RS256", "PS256", "ES256", "EdDSA"];
const roles = { reader: ["viewers"], anna: ["admins"], bert: ["ops"], carl: ["strangers"], dora: ["sign-off"], vera: ["viewers"], wrong: ["ops"] };
for (const alg of ALGS) roles[alg] = ["ops"];
const program = (id) => ({
  client_id: id,
  client_secret: "a-secret-of-the-tests",
  grant_types: ["client_credentials"],
  redirect_uris: [],
  response_types: [],
});

const provider = new Provider(issuer, {
  jwks: {
    keys: [
      jwk("rsa", { modulusLength: 2048 }, undefined, "rsa"),
      jwk("ec", { namedCurve: "P-256" }, "ES256", "ec"),
      jwk("ed25519", {}, "EdDSA", "ed"),
    ],
  },
  cookies: { keys: [randomBytes(16).toString("hex")] },
  clients: [
    ...ALGS.map(program),
    program("reader"),
    program("wrong"),
    {
      client_id: "rmcp-ui",
      client_secret: "a-secret-of-the-ui",
      application_type: "native", // plain http on loopback
      redirect_uris: [redirect],
      grant_types: ["authorization_code"],
      response_types: ["code"],
      require_auth_time: true,
    },
  ],
  pkce: { required: () => true },
  scopes: ["openid", "profile", "email", "mcp:read", "mcp:plan"],
  claims: { openid: ["sub"], profile: ["name", "roles"], email: ["email"] },
  conformIdTokenClaims: false,
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, name: `${id} of the tests`, roles: roles[id] ?? [] }) }),
  extraTokenClaims: (_, token) => ({ roles: roles[token.accountId ?? token.clientId] ?? [] }),
  features: {
    devInteractions: { enabled: true },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      // People who sign in want no access token for us; programs do.
      defaultResource: (_, client) => (client.clientId === "rmcp-ui" ? undefined : client.clientId === "wrong" ? "https://other.example" : ours),
      useGrantedResource: () => true,
      getResourceServerInfo: (_, audience, client) => ({
        scope: "mcp:read mcp:plan",
        audience,
        accessTokenTTL: 300,
        accessTokenFormat: "jwt",
        jwt: { sign: { alg: ALGS.includes(client.clientId) ? client.clientId : "RS256" } },
      }),
    },
  },
  ttl: { ClientCredentials: 300, AccessToken: 300, IdToken: 300, Interaction: 300, Session: 300, Grant: 300 },
});

// Dora signed in this morning, unless she is asked to do so now.
const finished = provider.interactionFinished.bind(provider);
provider.interactionFinished = async (request, response, result, options) => {
  const { params } = await provider.interactionDetails(request, response);
  if (result.login?.accountId === "dora" && params.prompt !== "login") result.login.ts = Math.floor(Date.now() / 1_000) - 600;
  return finished(request, response, result, options);
};
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
