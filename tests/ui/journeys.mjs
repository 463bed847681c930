// People in the admin pages, in a real browser over a real appliance with simulated routers.
//
// node journeys.mjs PROGRAM SCREENSHOTS [BROWSER]: prints a line a claim, keeps a picture of every page in both themes and
// at 320 px, and ends with "ui: N passed, M failed". Needs playwright-core and axe-core beside it.

import { spawn, execFile } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { chromium } from "playwright-core";
import onboard from "./onboard.mjs";

const [program, shots, browserPath = "/usr/bin/chromium"] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const run = promisify(execFile);
let passed = 0;
let failed = 0;

async function claim(name, work) {
  try {
    await work();
    passed += 1;
    console.log(`  ok   ${name}`);
  } catch (fault) {
    failed += 1;
    console.log(`  FAIL ${name}: ${String(fault.message ?? fault).split("\n").slice(0, 6).join(" | ")}`);
  }
}

function hold(is, said) {
  if (!is) throw new Error(said);
}

// --- the appliance -----------------------------------------------------------------------------------

const demo = spawn(program, ["demo", "--devices", "4", "--json"], { stdio: ["ignore", "pipe", "inherit"] });
const site = await new Promise((resolve, reject) => {
  createInterface({ input: demo.stdout }).once("line", (line) => resolve(JSON.parse(line)));
  demo.once("exit", (code) => reject(new Error(`the demo ended with ${code}`)));
});
const admin = `${site.http}/admin/`;

// A tool call by the local assistant.
async function call(tool, args) {
  const { stdout } = await run(program, ["--data-dir", site.data_dir, "--json", "tool", "call", tool, "--args", JSON.stringify(args)]);
  return JSON.parse(stdout).structuredContent;
}

// An assistant's plan that takes an approval; it does not touch our own way in.
async function plan(reason) {
  const edit = { menu: "/ip/firewall/filter", op: "add", values: { chain: "input", action: "drop", "src-address": "198.51.100.0/24", comment: reason } };
  return call("plan.create", { devices: [site.devices[0].name], edits: [edit], reason });
}

// --- the browser -------------------------------------------------------------------------------------

mkdirSync(shots, { recursive: true });
const browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
const complaints = [];

async function open(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
  const page = await context.newPage();
  page.on("console", (message) => message.type() === "error" && complaints.push(`${page.url()}: ${message.text()}`));
  page.on("pageerror", (fault) => complaints.push(`${page.url()}: ${fault.message}`));
  page.on("request", (request) => new URL(request.url()).origin === site.http || complaints.push(`asked elsewhere: ${request.url()}`));
  return page;
}

async function signIn(page, next = "") {
  await page.goto(`${admin}sign-in${next ? `?next=${encodeURIComponent(next)}` : ""}`);
  await page.fill("[name=user]", site.user);
  await page.fill("[name=password]", site.password);
  await Promise.all([page.waitForURL((url) => !url.pathname.endsWith("/sign-in")), page.click("main button")]);
}

// The first look at a configuration keeps it.
await call("config.get_drift", { device: site.devices[0].name });
const first = await plan("close a door for the pictures");
const PAGES = [
  ["fleet", ""],
  ["device", `devices/${site.devices[0].id}`],
  ["changes", `devices/${site.devices[0].id}/diff?from=baseline`],
  ["plans", "plans"],
  ["plan", `plans/${first.id}`],
  ["audit", "audit"],
  ["people", "people"],
  ["help", "docs"],
  ["prove", "prove?next=/admin/people"],
  ["no-such-page", "nothing"],
];

for (const [theme, options] of [
  ["light", { colorScheme: "light" }],
  ["dark", { colorScheme: "dark" }],
  ["narrow", { viewport: { width: 320, height: 720 } }],
]) {
  const page = await open(options);
  await page.goto(`${admin}sign-in`);
  await page.screenshot({ path: `${shots}/${theme}-sign-in.png`, fullPage: true });
  await signIn(page);
  for (const [name, path] of PAGES) {
    await claim(`${theme}: ${name} has no barrier that axe finds, and fits the width`, async () => {
      await page.goto(admin + path);
      await page.screenshot({ path: `${shots}/${theme}-${name}.png`, fullPage: true });
      const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      hold(over <= 0, `${over} px wider than the window`);
      // Through the debugger: the policy of the page would not let a script of others in.
      await page.evaluate(axe);
      const found = await page.evaluate(() => window.axe.run());
      hold(found.violations.length === 0, found.violations.map((one) => `${one.id} ${one.nodes.map((node) => node.target).join(" ")}`).join("; "));
    });
  }
  await page.context().close();
}
await claim("the fleet is there within 300 ms, all pages within 60 kB", async () => {
  const page = await open();
  await signIn(page);
  let bytes = 0;
  page.on("response", async (response) => (bytes += (await response.body().catch(() => Buffer.alloc(0))).length));
  const began = Date.now();
  await page.goto(admin);
  const took = Date.now() - began;
  for (const [, path] of PAGES) await page.goto(admin + path);
  hold(took <= 300, `${took} ms`);
  hold(bytes > 10_000 && bytes <= 60 * 1024, `${bytes} bytes`);
  await page.context().close();
});

await claim("a plan is approved and refused with the keyboard alone", async () => {
  const page = await open();
  await signIn(page);
  const made = await plan("approved with the keyboard");
  await page.goto(`${admin}plans/${made.id}`);
  const to = async (selector) => {
    for (let at = 0; at < 80; at += 1) {
      await page.keyboard.press("Tab");
      if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return;
    }
    throw new Error(`Tab does not reach ${selector}`);
  };
  await to("[name=digest]");
  await page.keyboard.type(made.short_digest);
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  hold((await page.textContent("#main")).includes("1 of 1 approval"), await page.textContent("#main"));
  await to("[name=reason]");
  await page.keyboard.type("on second thoughts");
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  hold((await page.textContent("#main")).includes("refused"), await page.textContent("#main"));
  await page.context().close();
});

await claim("signing in, looking, approving and refusing work without a script", async () => {
  const page = await open({ javaScriptEnabled: false });
  await signIn(page);
  const made = await plan("approved without a script");
  await page.goto(`${admin}plans/${made.id}`);
  await page.fill("[name=digest]", made.short_digest);
  await page.click("form[action$=approve] button");
  hold((await page.textContent("#main")).includes("1 of 1 approval"), "not approved");
  await page.fill("[name=reason]", "enough");
  await page.click("form[action$=refuse] button");
  hold((await page.textContent("#main")).includes("refused"), "not refused");
  await page.context().close();
});

await claim("a plan is approved, applied and seen to be kept", async () => {
  const page = await open();
  await signIn(page);
  const made = await plan("from a draft to a change that stays");
  await page.goto(`${admin}plans/${made.id}`);
  await page.fill("[name=digest]", made.short_digest);
  await Promise.all([page.waitForNavigation(), page.click("form[action$=approve] button")]);
  await Promise.all([page.waitForNavigation(), page.click("form[action$=apply] button")]);
  await page.waitForFunction(() => document.querySelector("#main").textContent.includes("confirmed"), null, { timeout: 30_000 });
  await page.context().close();
});

await claim("a page follows what happens without being loaded again", async () => {
  const page = await open();
  await signIn(page, "/admin/plans");
  await page.evaluate(() => (window.same = true));
  const made = await plan("seen as it comes");
  await page.waitForFunction((id) => document.body.innerHTML.includes(id), made.id, { timeout: 15_000 });
  hold(await page.evaluate(() => window.same), "the page was loaded again");
  await page.context().close();
});

await claim("a stolen cookie is worth nothing once its person has signed out", async () => {
  const page = await open();
  await signIn(page);
  const cookies = await page.context().cookies();
  hold(cookies.every((one) => one.httpOnly && one.sameSite === "Strict"), JSON.stringify(cookies));
  await Promise.all([page.waitForURL(/sign-in/), page.click(".who button")]);
  const thief = await open();
  await thief.context().addCookies(cookies);
  await thief.goto(admin);
  hold(thief.url().includes("/sign-in"), thief.url());
  await thief.context().close();
  await page.context().close();
});

await onboard({ claim, hold, open, signIn, call, admin, site, axe, shots });

// Pages that are not there are answered with a status that browsers put in their console.
for (let at = complaints.length - 1; at >= 0; at -= 1) {
  if (/status of 404/.test(complaints[at]) && complaints[at].includes("/admin/nothing")) complaints.splice(at, 1);
}

await claim("no page broke its own policy, asked anybody else, or failed in its script", async () => hold(complaints.length === 0, complaints.join("; ")));

await browser.close();
demo.kill("SIGTERM");
await new Promise((resolve) => demo.once("exit", resolve));
console.log(`ui: ${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
