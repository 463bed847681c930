// An update from a file, in a real browser over a real daemon that replaces itself: sent, tried out, confirmed by typing the
// version, switched to, and taken back because what was confirmed does not stand.
//
// node update.mjs PROGRAM SCREENSHOTS [BROWSER]: prints a line a claim and ends with "ui: N passed, M failed".

import { spawn, execFile } from "node:child_process";
import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { LOOKS, claim, finish, hold, start } from "./rig.mjs";

const [program, shots, browserPath = "/usr/bin/chromium"] = process.argv.slice(2);
const run = promisify(execFile);
const PASSWORD = "correct-horse-71";
// Not in /tmp, which may be RAM, where the store refuses to live.
const home = mkdtempSync(join(homedir(), ".routeros-mcp-ui-"));
const NEWER = "99.0.0";

// --- a release, signed as minisign does ---------------------------------------------------------------

const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const keyId = randomBytes(8);
const rawPublic = publicKey.export({ type: "spki", format: "der" }).subarray(-32);
const publicLine = Buffer.concat([Buffer.from("Ed"), keyId, rawPublic]).toString("base64");

function signature(bytes) {
  const one = sign(null, createHash("blake2b512").update(bytes).digest(), privateKey);
  const line = Buffer.concat([Buffer.from("ED"), keyId, one]).toString("base64");
  const all = sign(null, Buffer.concat([one, Buffer.from("a test")]), privateKey).toString("base64");
  return Buffer.from(`untrusted comment: a test\n${line}\ntrusted comment: a test\n${all}\n`);
}

function tar(files) {
  const parts = files.flatMap(([name, bytes]) => {
    const head = Buffer.alloc(512);
    head.write(name, 0);
    head.write("0000644\0", 100);
    head.write("0000000\0", 108);
    head.write("0000000\0", 116);
    head.write(`${bytes.length.toString(8).padStart(11, "0")}\0`, 124);
    head.write("00000000000\0", 136);
    head.write("        ", 148);
    head.write("0", 156);
    head.write("ustar\x0000", 257);
    head.write(`${head.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, "0")}\0 `, 148);
    return [head, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

function bundle(seq, script, target, spoil = (bytes) => bytes) {
  const artifact = gzipSync(script);
  const name = `routeros-mcp-${NEWER}.gz`;
  const manifest = Buffer.from(
    JSON.stringify({
      format: 1, product: "routeros-mcp", channel: "stable", seq, version: NEWER, released: "2026-11-20T10:00:00Z", stale_after: "2099-01-01T00:00:00Z",
      severity: "bugfix", notes: "Fixes a thing <b>boldly</b>.", notes_url: "https://example.net/notes", min_from_version: "0.0.1",
      schema: { store: 1, store_min_readable: 1, config: 1 },
      artifacts: [{ target, kind: "bin", url: name, size: artifact.length, unpacked_size: script.length, sha256: createHash("sha256").update(artifact).digest("hex") }],
    }),
  );
  const path = join(home, `bundle-${seq}-${randomBytes(3).toString("hex")}`);
  writeFileSync(path, tar([["latest.json", manifest], ["latest.json.minisig", signature(manifest)], [name, spoil(artifact)]]));
  return path;
}

// --- the appliance -----------------------------------------------------------------------------------

const lone = join(home, "bin", "routeros-mcp");
const other = join(home, "other", "routeros-mcp");
for (const place of [lone, other]) {
  mkdirSync(join(place, ".."), { recursive: true });
  copyFileSync(program, place);
  chmodSync(place, 0o755);
}
const config = join(home, "config.toml");
writeFileSync(config, `[mcp]\ntransport = "both"\nhttp_port = 0\n[update]\npublic_keys = ["${publicLine}"]\n`);
const dir = join(home, "state");
const env = { PATH: process.env.PATH, HOME: home, ROUTEROS_MCP_CONFIG_FILE: config };
const { target } = JSON.parse((await run(lone, ["version", "--json"], { env })).stdout);

// Started again whenever it ends, as any supervisor does. The port stays: browsers come back to it.
const port = await new Promise((resolve) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});
let child;
let over = false;
async function serve() {
  const words = ["-c", '"$0" "$@" 3>&1 >/dev/null 2>&1 | cat', lone, "--data-dir", dir, "serve", "--once-ready-fd", "3"];
  child = spawn("sh", words, { env: { ...env, ROUTEROS_MCP_MCP_HTTP_PORT: String(port) }, stdio: ["ignore", "pipe", "inherit"] });
  const ready = await new Promise((resolve, reject) => {
    child.stdout.once("data", (line) => resolve(JSON.parse(line)));
    child.once("exit", (code) => reject(new Error(`the daemon ended with ${code}`)));
  });
  child.once("exit", () => over || serve());
  return ready;
}
const { http: origin } = await serve();
writeFileSync(join(home, "password"), PASSWORD, { mode: 0o600 });
await run(lone, ["--data-dir", dir, "user", "add", "anna", "--role", "admin", "--password-file", join(home, "password")], { env });

const { browser, open, look, complaints } = await start(origin, shots, browserPath);
const page = await open();
async function signIn(page) {
  await page.goto(`${origin}/admin/sign-in?next=/admin/update`);
  await page.fill("[name=user]", "anna");
  await page.fill("[name=password]", PASSWORD);
  await Promise.all([page.waitForURL(/\/admin\/update/), page.click("main button")]);
}
await signIn(page);

async function send(path) {
  await page.goto(`${origin}/admin/update`);
  await page.click("summary:has-text('From a file')");
  await page.setInputFiles("[type=file]", path);
  await Promise.all([page.waitForNavigation(), page.click("[data-upload] button")]);
  return page.textContent("#main");
}

// It says what it would be, and passes its trial; started, it puts the version before back in its own place and becomes it, as
// somebody does by hand: so what runs is not what was confirmed.
const script = Buffer.from(
  `#!/bin/sh\ncase $1 in version) echo '{"version":"${NEWER}"}'; exit;; check) exit 0;; esac\n` +
    `cp ${other} "$0.back" && mv "$0.back" "$0" && exec "$0" "$@"\n`,
);

await claim("a bundle that was tampered with is refused in words, and nothing lies ready", async () => {
  const said = await send(bundle(1, script, target, (bytes) => Buffer.concat([bytes, Buffer.from("x")])));
  hold(said.includes("the update is refused"), said);
  hold(!said.includes("lies ready"), said);
});
await claim("a bundle for another machine is refused", async () => {
  const said = await send(bundle(2, script, "mips-unknown-linux-musl"));
  hold(said.includes("nothing for this machine"), said);
});
// A refused form is a page with a status that browsers put in their console.
complaints.length = 0;

await claim("a good bundle lies ready with what it says of itself, as text", async () => {
  const said = await send(bundle(3, script, target));
  hold(said.includes(`${NEWER} lies ready`) && said.includes("<b>boldly</b>"), said);
});
for (const [theme, options] of LOOKS) {
  await claim(`${theme}: the update page has no barrier that axe finds, and fits the width`, async () => {
    const seen = await open(options);
    await signIn(seen);
    await look(seen, `${theme}-update`);
    await seen.context().close();
  });
}
await claim("another version than the one that lies ready is not switched to", async () => {
  await page.goto(`${origin}/admin/update`);
  await page.fill("[name=version]", "99.0.1");
  await Promise.all([page.waitForNavigation(), page.click("form[action$=confirm] button")]);
  hold((await page.textContent("[role=alert]")).includes("another was typed"), await page.textContent("#main"));
  complaints.length = 0;
});
await claim("the typed version is switched to, and what does not stand is taken back by itself", async () => {
  await page.goto(`${origin}/admin/update`);
  await page.fill("[name=version]", NEWER);
  await Promise.all([page.waitForNavigation(), page.click("form[action$=confirm] button")]);
  let said = "";
  for (let at = 0; at < 60 && !said.includes("was taken back"); at += 1) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    // The store of before is in place again, and sessions with it void: whoever comes signs in anew.
    said = await signIn(page).then(() => page.textContent("#main"), () => "");
  }
  hold(said.includes("was taken back"), said || "it did not come back");
  hold(readFileSync(lone).equals(readFileSync(other)), "the version before is not in place");
});
await claim("the trail says who confirmed it, and that it was taken back", async () => {
  await page.goto(`${origin}/admin/audit`);
  const said = await page.textContent("#main");
  hold(said.includes("update.apply") && said.includes("update.taken_back"), said.slice(0, 600));
});
// While it restarts a browser finds nobody there.
const real = complaints.filter((one) => !/ERR_CONNECTION|Failed to load resource|NetworkError/.test(one));
await claim("no page broke its policy or asked anybody else", async () => hold(real.length === 0, real.slice(0, 3).join("; ")));

over = true;
await browser.close();
child.kill("SIGTERM");
await run("pkill", ["-f", dir]).catch(() => {});
rmSync(home, { recursive: true, force: true, maxRetries: 5 });
finish("ui");
