// Signing in through an organisation's provider, in a real browser: over a real daemon, and npm's `oidc-provider`, a certified one.
//
// node sign_in.mjs PROGRAM SCREENSHOTS [BROWSER]: prints a line a claim and ends with "ui: N passed, M failed". Needs
// `oidc_provider.mjs` of tests/clients beside it, and the provider's packages in ../oidc.

import { spawn, execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { LOOKS, claim, finish, hold, start } from "./rig.mjs";

const [program, shots, browserPath = "/usr/bin/chromium"] = process.argv.slice(2);
const run = promisify(execFile);
const here = import.meta.dirname;
// Not in /tmp, which may be RAM, where the store refuses to live.
const home = mkdtempSync(join(homedir(), ".routeros-mcp-ui-"));

// --- routers, the provider, and the appliance that trusts it -------------------------------------------

// The first line of a program.
const first = (child, name) =>
  new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once("line", resolve);
    child.once("exit", (code) => reject(new Error(`${name} ended with ${code}`)));
  });
const ended = async (child, work) => {
  const over = new Promise((resolve) => child.once("exit", resolve));
  work();
  await over;
};

// Each learns the other's address before it starts: both ports are known first.
const port = await new Promise((resolve) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});
const issuer = `http://127.0.0.1:${port}`;

const demo = spawn(program, ["demo", "--devices", "1", "--json"], { stdio: ["ignore", "pipe", "inherit"] });
const router = JSON.parse(await first(demo, "the demo")).devices[0];

const env = {
  PATH: process.env.PATH,
  HOME: home,
  ROUTEROS_MCP_CONFIG_FILE: "",
  ROUTEROS_MCP_MCP_TRANSPORT: "both",
  ROUTEROS_MCP_MCP_HTTP_PORT: "0",
  ROUTEROS_MCP_OIDC_ENABLED: "true",
  ROUTEROS_MCP_OIDC_PROVIDER_URL: issuer,
  ROUTEROS_MCP_OIDC_CLIENT_ID: "rmcp-ui",
  ROUTEROS_MCP_OIDC_CLIENT_SECRET: "a-secret-of-the-ui",
  ROUTEROS_MCP_OIDC_AUDIENCE: "https://box.example/mcp",
  ROUTEROS_MCP_OIDC_ROLE_MAP: "viewers=read_only,ops=ops_rw,sign-off=approver,admins=admin",
};
// Through a pipe of the shell: what this program makes are sockets, which nobody opens a second time.
const words = ["-c", '"$0" "$@" 3>&1 >/dev/null 2>&1 | cat', program, "--data-dir", join(home, "state"), "serve", "--once-ready-fd", "3"];
const daemon = spawn("sh", words, { env, stdio: ["ignore", "pipe", "inherit"] });
const ready = JSON.parse(await first(daemon, "the daemon"));
const admin = `${ready.http}/admin/`;
const ask = async (...words) => JSON.parse((await run(program, ["--data-dir", join(home, "state"), "--json", ...words], { env })).stdout);

let idp;
async function provide() {
  const words = [join(here, "oidc_provider.mjs"), join(here, "../oidc"), String(port), `${admin}api/v1/session/oidc/callback`];
  idp = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "ignore"] });
  hold((await first(idp, "the provider")) === "ready", "the provider does not start");
}
await provide();
for (let at = 0; (await (await fetch(`${ready.http}/health`)).json()).oidc !== "configured"; at += 1) {
  hold(at < 300, "the daemon does not find the provider within 30 s");
  await new Promise((resolve) => setTimeout(resolve, 100));
}

const secret = join(home, "router.pass");
writeFileSync(secret, `${router.password}\n`, { mode: 0o600 });
const adding = ["device", "add", "--name", router.name, "--address", router.address, "--rest-port", String(router.rest_port)];
const may = ["writes", "professional", "firewall"].flatMap((name) => ["--capability", name]);
await ask(...adding, "--ssh-port", String(router.ssh_port), "--username", router.username, "--password-file", secret, ...may, "--yes");

// An assistant's plan that takes an approval; it does not touch our own way in.
async function plan(reason) {
  const edit = { menu: "/ip/firewall/filter", op: "add", values: { chain: "input", action: "drop", "src-address": "198.51.100.0/24", comment: reason } };
  const args = JSON.stringify({ devices: [router.name], edits: [edit], reason });
  return (await ask("tool", "call", "plan.create", "--args", args)).structuredContent;
}

// --- people --------------------------------------------------------------------------------------------

const { browser, open: opened, look, complaints } = await start(ready.http, shots, browserPath);

// A browser of somebody new to both. The provider's pages would ask another site for a font.
async function open(options) {
  const page = await opened(options);
  await page.context().route((url) => ![ready.http, issuer].includes(url.origin), (route) => route.abort());
  return page;
}

const ours = (url) => url.origin === ready.http && !url.pathname.includes("/session/oidc/");
// What the provider asks for until it sends the browser back; how often that was a password.
async function through(page, user) {
  let asked = 0;
  await page.waitForURL((url) => url.origin === issuer || ours(url));
  for (let step = 0; step < 4 && new URL(page.url()).origin === issuer; step += 1) {
    if (await page.locator("[name=login]").count()) {
      asked += 1;
      await page.fill("[name=login]", user);
      await page.fill("[name=password]", "whatever they have there");
    }
    await Promise.all([page.waitForNavigation(), page.click("[type=submit]")]);
  }
  return asked;
}

async function signIn(page, user, next = "/admin/") {
  await page.goto(`${admin}sign-in?next=${encodeURIComponent(next)}`);
  await page.click("main a[href*='oidc/start']");
  const asked = await through(page, user);
  await page.waitForURL((url) => ours(url));
  return asked;
}

for (const [theme, options] of LOOKS) {
  await claim(`${theme}: a sign-in beside a provider, and what follows it, have no barrier that axe finds, and fit the width`, async () => {
    const page = await open(options);
    await page.goto(`${admin}sign-in`);
    hold((await page.textContent("#main")).includes("organisation's sign-in"), await page.textContent("#main"));
    await look(page, `${theme}-oidc-sign-in`);
    await signIn(page, "dora", "/admin/me");
    await look(page, `${theme}-oidc-me`);
    await page.goto(`${admin}prove?next=/admin/plans`);
    await look(page, `${theme}-oidc-prove`);
    await page.context().close();
  });
}

for (const [user, role, script] of [["anna", "admin", true], ["bert", "ops_rw", false], ["dora", "approver", true], ["vera", "read_only", true]]) {
  await claim(`${user} comes back from the provider ${script ? "" : "without a script "}to the page that was asked for, as ${role}`, async () => {
    const page = await open({ javaScriptEnabled: script });
    hold((await signIn(page, user, "/admin/plans")) === 1, "a password is asked for once");
    hold(page.url() === `${admin}plans`, page.url());
    hold((await page.textContent(".who")).includes(`${user} of the tests`), await page.textContent(".who"));
    hold((await page.textContent(".who small")) === role, await page.textContent(".who small"));
    const cookies = (await page.context().cookies(ready.http)).filter((one) => one.name.startsWith("rmcp"));
    hold(cookies.length === 1 && cookies[0].httpOnly && cookies[0].sameSite === "Strict", JSON.stringify(cookies));
    hold((await page.goto(`${admin}people`)).status() === (role === "admin" ? 200 : 403), `people are shown to ${role}, or kept from it`);
    await page.context().close();
  });
}
// Those answers are meant, and browsers put them in their console.
const meant = (status) => {
  for (let at = complaints.length - 1; at >= 0; at -= 1) {
    if (complaints[at].includes(`status of ${status}`)) complaints.splice(at, 1);
  }
};
meant(403);

await claim("somebody whom the provider knows and no role is mapped to is told so, and is nobody here", async () => {
  const page = await open();
  await page.goto(`${admin}sign-in`);
  await page.click("main a[href*='oidc/start']");
  await through(page, "carl");
  hold((await page.textContent("#main")).includes("no role here"), await page.textContent("#main"));
  await page.goto(admin);
  hold(page.url().includes("/sign-in"), page.url());
  await page.context().close();
});
meant(403);

const dora = await open();
await claim("who signed in at the provider this morning proves it again there before a plan is approved", async () => {
  const page = dora;
  await signIn(page, "dora");
  const made = await plan("approved after a proof");
  const approve = async () => {
    await page.goto(`${admin}plans/${made.id}`);
    hold((await page.locator("[name=proof]").count()) === 0, "a password is asked for that nobody has here");
    await page.fill("[name=digest]", made.short_digest);
    await Promise.all([page.waitForNavigation(), page.click("form[action$=approve] button")]);
  };
  await approve();
  hold(page.url().startsWith(`${admin}prove`), page.url());
  hold((await ask("plan", "show", made.id)).state === "draft", "nothing is approved yet");
  const sent = page.waitForRequest((request) => request.url().startsWith(`${issuer}/auth?`));
  await page.click("main a.button");
  const asked = new URL((await sent).url()).searchParams;
  hold(asked.get("prompt") === "login" && Number(asked.get("max_age")) === 300, String(asked));
  hold((await through(page, "dora")) === 1, "the provider, which knows her, asks for the password once more");
  await page.waitForURL(`${admin}plans/${made.id}`);
  await approve();
  hold((await page.textContent("#main")).includes("1 of 1 approval"), await page.textContent("#main"));
  const shown = await ask("plan", "show", made.id);
  hold(shown.state === "approved" && JSON.stringify(shown.approvals).includes("dora"), JSON.stringify(shown.approvals));
});

await claim("another person's proof is not taken for hers, and approves nothing", async () => {
  const page = await open();
  await signIn(page, "dora");
  const made = await plan("approved by somebody else at her desk");
  await page.goto(`${admin}prove?next=/admin/plans/${made.id}`);
  await page.click("main a.button");
  await through(page, "anna");
  hold((await page.textContent("h1")).includes("Not signed in"), await page.textContent("#main"));
  hold((await ask("plan", "show", made.id)).state === "draft", "it is approved");
  await page.context().close();
});
meant(403);

await claim("who says no at the provider stays signed out, and is told", async () => {
  const page = await open();
  await page.goto(`${admin}sign-in`);
  await page.click("main a[href*='oidc/start']");
  await page.click("a[href$=abort]");
  hold((await page.textContent("#main")).includes("access_denied"), await page.textContent("#main"));
  await page.context().close();
});
meant(401);

await claim("signing out ends the session here, and its cookie is worth nothing", async () => {
  const page = dora;
  await page.goto(admin);
  const cookies = await page.context().cookies(ready.http);
  await Promise.all([page.waitForURL(/sign-in/), page.click(".who button")]);
  const thief = await open();
  await thief.context().addCookies(cookies);
  await thief.goto(admin);
  hold(thief.url().includes("/sign-in"), thief.url());
  await thief.context().close();
});

await claim("signing in again takes a click of hers, and no password while the provider knows her", async () => {
  const page = dora;
  await page.goto(admin);
  hold(page.url().includes("/sign-in"), "nobody is sent off to the provider by themselves");
  hold((await signIn(page, "dora")) === 0, "a password is asked for");
  hold((await page.textContent(".who")).includes("dora"), await page.textContent(".who"));
  await page.context().close();
});

await claim("while the provider is away a local user gets in beside it, which is written down, as her proofs are", async () => {
  const secret = join(home, "local.pass");
  writeFileSync(secret, "correct-horse-71\n", { mode: 0o600 });
  await ask("user", "add", "emil", "--role", "admin", "--password-file", secret);
  await ended(idp, () => idp.kill("SIGKILL"));
  const page = await open();
  await page.goto(`${admin}sign-in`);
  await page.fill("[name=user]", "emil");
  await page.fill("[name=password]", "correct-horse-71");
  await Promise.all([page.waitForURL((url) => !url.pathname.endsWith("/sign-in")), page.click("main button")]);
  hold((await page.textContent(".who small")) === "admin", await page.textContent(".who"));
  await page.goto(`${admin}audit?tool=session.break_glass`);
  hold((await page.textContent("tbody")).includes("emil"), await page.textContent("#main"));
  await page.goto(`${admin}audit?tool=session.reauthenticate`);
  hold((await page.textContent("tbody")).includes("dora"), await page.textContent("#main"));
  await page.context().close();
});

// People are sent to the provider; what its pages do, and the font that they ask another site for, is its own affair.
const own = complaints.filter((said) => !said.startsWith(issuer) && !new RegExp(`^asked elsewhere: (${issuer}|https://fonts.googleapis.com)/`).test(said));
await claim("no page broke its own policy, asked anybody else, or failed in its script", async () => hold(own.length === 0, own.join("; ")));

await browser.close();
await ended(daemon, () => process.kill(ready.pid, "SIGTERM"));
await ended(demo, () => demo.kill("SIGTERM"));
rmSync(home, { recursive: true, force: true });
finish("ui");
