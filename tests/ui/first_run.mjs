// From nothing to an assistant's first call, in a real browser over a real daemon; then people, switches and the trail.
//
// node first_run.mjs PROGRAM SCREENSHOTS [BROWSER]: prints a line a claim and ends with "ui: N passed, M failed".

import { spawn, execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { LOOKS, claim, finish, hold, start, tabTo } from "./rig.mjs";

const [program, shots, browserPath = "/usr/bin/chromium"] = process.argv.slice(2);
const run = promisify(execFile);
const PASSWORD = "correct-horse-71";
// Not in /tmp, which may be RAM, where the store refuses to live.
const home = mkdtempSync(join(homedir(), ".routeros-mcp-ui-"));
const env = { PATH: process.env.PATH, HOME: home, ROUTEROS_MCP_CONFIG_FILE: "", ROUTEROS_MCP_MCP_TRANSPORT: "both" };

// --- appliances --------------------------------------------------------------------------------------

// A daemon on a machine of its own: where it is, and how to ask its command line.
async function appliance(name) {
  const dir = join(home, name);
  // Through a pipe of the shell: what this program makes are sockets, which nobody opens a second time.
  const words = ["-c", '"$0" "$@" 3>&1 >/dev/null 2>&1 | cat', program, "--data-dir", dir, "serve", "--once-ready-fd", "3"];
  const child = spawn("sh", words, { env: { ...env, ROUTEROS_MCP_MCP_HTTP_PORT: "0" }, stdio: ["ignore", "pipe", "inherit"] });
  const ready = await new Promise((resolve, reject) => {
    child.stdout.once("data", (line) => resolve(JSON.parse(line)));
    child.once("exit", (code) => reject(new Error(`the daemon ended with ${code}`)));
  });
  const ask = async (...words) => JSON.parse((await run(program, ["--data-dir", dir, "--json", ...words], { env })).stdout);
  const end = async () => {
    process.kill(ready.pid, "SIGTERM");
    await new Promise((resolve) => child.once("exit", resolve));
  };
  return { http: ready.http, ask, end };
}

async function make(page, address, user) {
  await page.goto(address);
  await page.fill("[name=user]", user);
  await page.fill("[name=password]", PASSWORD);
  await Promise.all([page.waitForURL(/\/admin\/start/), page.click("main button")]);
}

// One message of an assistant.
async function say(url, token, message, session = {}) {
  const headers = { "Content-Type": "application/json", Accept: "application/json, text/event-stream", Authorization: `Bearer ${token}`, ...session };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify({ jsonrpc: "2.0", ...message }) });
  const text = await answer.text();
  const data = text.split("\n").findLast((line) => line.startsWith("data:") && line.length > 6);
  return { session: answer.headers.get("mcp-session-id"), message: text ? JSON.parse(data ? data.slice(5) : text) : null };
}

const main = await appliance("main");
const { browser, open, look, complaints } = await start(main.http, shots, browserPath);
const admin = `${main.http}/admin/`;

await claim("nobody is led to the first run, and a guessed token makes nobody", async () => {
  const page = await open();
  await page.goto(admin);
  hold(page.url() === `${admin}setup`, page.url());
  await page.fill("[name=token]", "aaaaaaaaaaaaaaaaaaaaaaaaaa");
  await page.fill("[name=user]", "eve");
  await page.fill("[name=password]", PASSWORD);
  await Promise.all([page.waitForNavigation(), page.click("main button")]);
  hold((await page.textContent("[role=alert]")).includes("setup token is wrong"), await page.textContent("#main"));
  await page.context().close();
});
// A refused form is a page with a status that browsers put in their console.
complaints.length = 0;

for (const [theme, options] of LOOKS) {
  await claim(`${theme}: the first run has no barrier that axe finds, and fits the width`, async () => {
    const page = await open(options);
    await page.goto(`${admin}setup`);
    await look(page, `${theme}-setup`);
    await page.context().close();
  });
}

const owner = await open();
let address;
await claim("from the printed address to an assistant's first call in at most 7 actions of a person, and the page says when it came", async () => {
  const page = owner;
  const actions = [];
  const act = async (said, work) => {
    actions.push(said);
    return work();
  };
  address = (await main.ask("setup-token")).address;
  await act("open the address", () => page.goto(address));
  hold((await page.inputValue("[name=token]")).length === 26, "the token is in its field");
  hold(!page.url().includes("#"), `the token stays in the history: ${page.url()}`);
  await act("type a name", () => page.fill("[name=user]", "anna"));
  await act("type a password", () => page.fill("[name=password]", PASSWORD));
  await act("make the administrator", () => Promise.all([page.waitForURL(/\/admin\/start/), page.click("main button")]));
  await act("make a token", () => Promise.all([page.waitForNavigation(), page.click("form[action='/admin/start'] button")]));
  const command = await page.textContent("details:first-of-type pre");
  const [, url, token] = /routeros (\S+) --header 'Authorization: Bearer (\S+)'/.exec(command) ?? [];
  hold(url === `${main.http}/mcp` && token.startsWith("rmcp_"), command);
  await page.evaluate(() => (window.same = true));
  let called;
  await act("paste it into the assistant, which calls", async () => {
    const info = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "a-real-assistant", version: "9.8" } };
    const { session } = await say(url, token, { id: 1, method: "initialize", params: info });
    const headers = { "Mcp-Session-Id": session, "MCP-Protocol-Version": "2025-11-25" };
    await say(url, token, { method: "notifications/initialized" }, headers);
    called = await say(url, token, { id: 2, method: "tools/call", params: { name: "device.list", arguments: {} } }, headers);
  });
  hold(called.message.result.isError === false, JSON.stringify(called));
  await page.waitForFunction(() => document.querySelector("#connected").textContent.includes("a-real-assistant 9.8"), null, { timeout: 15_000 });
  hold(await page.evaluate(() => window.same), "the page was loaded again");
  hold((await page.textContent("pre.copy")).includes(token), "what is to be pasted stayed");
  console.log(`       ${actions.length} actions: ${actions.join(", ")}`);
  hold(actions.length <= 7, actions.join(", "));
});

await claim("a token that was used makes nobody, whatever page it is brought to", async () => {
  const page = await open();
  await page.goto(address);
  hold((await page.textContent("#main")).includes("has been made"), await page.textContent("#main"));
  hold((await page.locator("form").count()) === 0, "there is a form");
  await page.context().close();
});

for (const [theme, options] of LOOKS) {
  const page = await open(options);
  await page.goto(`${admin}sign-in`);
  await page.fill("[name=user]", "anna");
  await page.fill("[name=password]", PASSWORD);
  await Promise.all([page.waitForURL((url) => !url.pathname.endsWith("/sign-in")), page.click("main button")]);
  for (const [name, path] of [["start", "start"], ["me", "me"], ["person", "people/anna"], ["settings", "settings"], ["trail", "audit?outcome=ok"]]) {
    await claim(`${theme}: ${name} has no barrier that axe finds, and fits the width`, async () => {
      await page.goto(admin + path);
      for (const one of await page.locator("details").all()) await one.evaluate((details) => (details.open = true));
      await look(page, `${theme}-${name}`);
    });
  }
  await page.context().close();
}

await claim("a kill switch is set with the keyboard alone, and every page says so", async () => {
  const page = owner;
  await page.goto(`${admin}settings`);
  await tabTo(page, "form[action$=read_only] [name=reason]");
  await page.keyboard.type("something is odd");
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  hold((await page.textContent("footer")).includes("read only"), await page.textContent("footer"));
  hold((await page.textContent("#main")).includes("something is odd"), "who set it, and why");
  await Promise.all([page.waitForNavigation(), page.click("form[action$=read_only] button")]);
  hold(!(await page.textContent("footer")).includes("read only"), "still read only");
});

await claim("the trail is looked through, and taken away as a file", async () => {
  const page = owner;
  await page.goto(`${admin}audit`);
  await Promise.all([page.waitForNavigation(), page.click("form[action$=verify] button")]);
  hold((await page.textContent("#chain")).includes("The trail was whole"), await page.textContent("#chain"));
  await page.fill("[name=tool]", "setup.*");
  await Promise.all([page.waitForNavigation(), page.click(".filter button")]);
  hold((await page.textContent("tbody")).includes("setup.administrator"), await page.textContent("#main"));
  const [file] = await Promise.all([page.waitForEvent("download"), page.click("a[href*='format=csv']")]);
  hold(file.suggestedFilename() === "audit.csv", file.suggestedFilename());
});

await claim("signing out everywhere ends the session of another browser at once", async () => {
  const other = await open();
  await other.goto(`${admin}sign-in`);
  await other.fill("[name=user]", "anna");
  await other.fill("[name=password]", PASSWORD);
  await Promise.all([other.waitForURL((url) => !url.pathname.endsWith("/sign-in")), other.click("main button")]);
  await owner.goto(`${admin}me`);
  await Promise.all([owner.waitForURL(/sign-in/), owner.click("form[action$=everywhere] button")]);
  await other.goto(admin);
  hold(other.url().includes("/sign-in"), other.url());
  await other.context().close();
});

await claim("no page broke its own policy, asked anybody else, or failed in its script", async () => hold(complaints.length === 0, complaints.join("; ")));
await owner.context().close();
await browser.close();
await main.end();

// --- others, each on a machine that is new ------------------------------------------------------------

await claim("the first run goes with the keyboard alone", async () => {
  const box = await appliance("keyboard");
  const { browser, open } = await start(box.http, shots, browserPath);
  const page = await open();
  await page.goto((await box.ask("setup-token")).address);
  await tabTo(page, "[name=user]");
  await page.keyboard.type("anna");
  await page.keyboard.press("Tab");
  await page.keyboard.type(PASSWORD);
  await Promise.all([page.waitForURL(/\/admin\/start/), page.keyboard.press("Enter")]);
  await tabTo(page, "form[action='/admin/start'] button");
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  hold((await page.textContent("pre.copy")).includes("rmcp_"), "no token");
  await browser.close();
  await box.end();
});

await claim("without a script the address is pasted, and the sign of the client is there after looking again", async () => {
  const box = await appliance("script");
  const { browser, open } = await start(box.http, shots, browserPath);
  const page = await open({ javaScriptEnabled: false });
  const address = (await box.ask("setup-token")).address;
  await page.goto(`${box.http}/admin/`);
  await page.fill("[name=token]", address);
  await page.fill("[name=user]", "anna");
  await page.fill("[name=password]", PASSWORD);
  await page.click("main button");
  hold(page.url().endsWith("/admin/start"), page.url());
  await page.click("form[action='/admin/start'] button");
  const [, token] = /Bearer (\S+)'/.exec(await page.textContent("details:first-of-type pre"));
  const info = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "plain-client", version: "1" } };
  const { session } = await say(`${box.http}/mcp`, token, { id: 1, method: "initialize", params: info });
  await say(`${box.http}/mcp`, token, { method: "notifications/initialized" }, { "Mcp-Session-Id": session, "MCP-Protocol-Version": "2025-11-25" });
  await page.click("#connected a");
  hold((await page.textContent("#connected")).includes("plain-client"), await page.textContent("#connected"));
  await browser.close();
  await box.end();
});

await claim("of two administrators at once one is made, and the other is told", async () => {
  const box = await appliance("two");
  const { browser, open } = await start(box.http, shots, browserPath);
  const address = (await box.ask("setup-token")).address;
  const pages = await Promise.all([open(), open()]);
  for (const [at, page] of pages.entries()) {
    await page.goto(address);
    await page.fill("[name=user]", ["anna", "bert"][at]);
    await page.fill("[name=password]", PASSWORD);
  }
  await Promise.all(pages.map((page) => Promise.all([page.waitForNavigation(), page.click("main button")])));
  const texts = await Promise.all(pages.map((page) => page.textContent("#main")));
  hold(texts.filter((text) => text.includes("Next steps")).length === 1, texts.join(" | "));
  hold(texts.filter((text) => text.includes("has been made")).length === 1, texts.join(" | "));
  hold((await box.ask("user", "list")).length === 1, "users");
  await browser.close();
  await box.end();
});

rmSync(home, { recursive: true, force: true });
finish("ui");
