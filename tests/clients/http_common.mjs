// What the two TypeScript drivers over HTTPS share: the site, and the journey. NODE_EXTRA_CA_CERTS, set by run.py, names
// the daemon's certificate.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { check, expect } from "./common.mjs";

export const web = JSON.parse(readFileSync(process.argv[2], "utf8")).web;
const PATIENCE = { timeout: 30_000 };
const [quick, slow] = web.devices.map((device) => device.name);

/** A change of a device's record, which subscribers hear of. */
export function change() {
  const binary = process.env.RMCP_BIN;
  const args = ["--json", "--data-dir", web.data_dir, "device", "update", quick, "--tag", `round=${process.hrtime.bigint()}`];
  const done = spawnSync(binary, args, { stdio: ["ignore", "ignore", "pipe"] });
  expect(done.status === 0, `device update: ${done.stderr}`);
}

/** A transport with the token of that kind. */
export function authorized(Transport, kind) {
  const requestInit = { headers: { Authorization: `Bearer ${web.tokens[kind]}` } };
  return new Transport(new URL(web.url), { requestInit });
}

/**
 * Lists, calls, progress and taking back. `subscribed(client, uri)` subscribes and gives `heard`, a promise of
 * the address that is heard of.
 */
export async function journey(label, client, transport, { callTool, subscribed }) {
  await check(`${label}: connects, works and leaves`, async () => {
    await client.connect(transport, PATIENCE);
    await check(`${label}: lists tools and calls some`, async () => {
      const { tools } = await client.listTools(undefined, PATIENCE);
      expect(tools.length > 20, "a short list");
      const calls = [["device.list", {}], ["system.get_overview", { device: quick }], ["menu.read", { device: quick, menu: "/ip/address" }]];
      for (const [name, args] of calls) {
        const result = await callTool({ name, arguments: args }, PATIENCE);
        expect(!result.isError && result.structuredContent, result);
      }
    });
    await check(`${label}: hears of progress`, async () => {
      const steps = [];
      const onprogress = ({ progress }) => steps.push(progress);
      const ping = { name: "diagnose.ping", arguments: { device: slow, address: "192.0.2.7", count: 6 } };
      await callTool(ping, { ...PATIENCE, onprogress });
      expect(steps.length >= 3 && steps.every((step, at) => at === 0 || step > steps[at - 1]), steps);
    });
    await check(`${label}: hears of a change it subscribed to`, async () => {
      const uri = `device://${web.devices[0].id}/capabilities`;
      const { heard } = await subscribed(client, uri);
      change();
      const late = new Promise((_, reject) => setTimeout(() => reject(new Error("nothing was heard")), PATIENCE.timeout).unref());
      expect((await Promise.race([heard, late])) === uri, "another address");
    });
    await check(`${label}: takes a call back, and the router is free`, async () => {
      const stop = new AbortController();
      const ping = (count) => ({ name: "diagnose.ping", arguments: { device: slow, address: "192.0.2.7", count } });
      const call = callTool(ping(20), { ...PATIENCE, signal: stop.signal }).then(() => "answered", () => "taken back");
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      stop.abort("enough");
      expect((await call) === "taken back", "it was answered");
      const began = performance.now();
      while ((await callTool(ping(1), PATIENCE)).isError) expect(performance.now() - began < 2_500, "it goes on");
    });
    await client.close();
  });
}

/** What a client is told that may not come in, or not so far. `open(kind)` connects as whoever has that token. */
export async function refusals(label, { open, callTool }) {
  const fails = async (words, body) => {
    let said;
    try {
      await body();
    } catch (fault) {
      said = [fault, fault.cause].map((one) => `${one?.code ?? ""} ${one?.message ?? ""} ${one?.status ?? ""}`).join(" ");
    }
    expect(said !== undefined, "it was let in");
    expect(words.some((word) => said.includes(word)), said);
  };
  for (const kind of ["expired", "revoked", "unknown"]) {
    await check(`${label}: a token that is ${kind} opens nothing`, () =>
      fails(["401", "a valid token is needed"], async () => (await open(kind)).listTools(undefined, PATIENCE)));
  }
  await check(`${label}: a reader reads, and is told which scope writing takes`, async () => {
    const client = await open("reader");
    expect(!(await callTool(client, { name: "device.list", arguments: {} }, PATIENCE)).isError, "it cannot read");
    await fails(["mcp:write"], () => callTool(client, { name: "system.set_identity", arguments: {} }, PATIENCE));
    await client.close();
  });
  await check(`${label}: a certificate that nobody vouches for is refused`, () => {
    const env = { ...process.env };
    delete env.NODE_EXTRA_CA_CERTS;
    const alone = `fetch(${JSON.stringify(web.url)}).then(() => process.exit(0), (fault) => process.exit(String(fault.cause?.code).includes("CERT") ? 7 : 1))`;
    const done = spawnSync(process.execPath, ["-e", alone], { env, cwd: fileURLToPath(new URL(".", import.meta.url)) });
    expect(done.status === 7, `exit code ${done.status}: ${done.stderr}`);
  });
}
