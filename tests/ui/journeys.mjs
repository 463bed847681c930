// People in the admin pages, in a real browser over a real appliance with simulated routers.
//
// node journeys.mjs PROGRAM SCREENSHOTS [BROWSER]: prints a line a claim, keeps a picture of every page in both themes and
// at 320 px, and ends with "ui: N passed, M failed". Needs playwright-core and axe-core beside it.

import { spawn, execFile } from "node:child_process";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import onboard from "./onboard.mjs";
import { LOOKS, claim, finish, hold, start, tabTo } from "./rig.mjs";

const [program, shots, browserPath = "/usr/bin/chromium"] = process.argv.slice(2);
const run = promisify(execFile);

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

const { browser, open, look, complaints } = await start(site.http, shots, browserPath);

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
  ["alerts", "alerts"],
  ["audit", "audit"],
  ["backup", "backup"],
  ["people", "people"],
  ["help", "docs"],
  ["prove", "prove?next=/admin/people"],
  ["no-such-page", "nothing"],
];

for (const [theme, options] of LOOKS) {
  const page = await open(options);
  await page.goto(`${admin}sign-in`);
  await page.screenshot({ path: `${shots}/${theme}-sign-in.png`, fullPage: true });
  await signIn(page);
  for (const [name, path] of PAGES) {
    await claim(`${theme}: ${name} has no barrier that axe finds, and fits the width`, async () => {
      await page.goto(admin + path);
      await look(page, `${theme}-${name}`);
    });
  }
  await page.context().close();
}
await claim("the fleet is there within 300 ms, all pages within 60 kB", async () => {
  const page = await open();
  // Each address once, as it came over the wire: files come out of the browser's cache afterwards.
  const sizes = new Map();
  page.on("requestfinished", (request) => sizes.has(request.url()) || sizes.set(request.url(), request.sizes()));
  await signIn(page);
  const began = Date.now();
  await page.goto(admin);
  const took = Date.now() - began;
  await Promise.all(sizes.values());
  for (const [, path] of PAGES) {
    await page.goto(admin + path);
    await Promise.all(sizes.values());
  }
  const bytes = (await Promise.all(sizes.values())).reduce((sum, size) => sum + size.responseBodySize, 0);
  hold(took <= 300, `${took} ms`);
  hold(sizes.size >= PAGES.length, `only ${sizes.size} addresses`);
  hold(bytes > 10_000 && bytes <= 60 * 1024, `${bytes} bytes`);
  await page.context().close();
});

await claim("a plan is approved and refused with the keyboard alone", async () => {
  const page = await open();
  await signIn(page);
  const made = await plan("approved with the keyboard");
  await page.goto(`${admin}plans/${made.id}`);
  const to = (selector) => tabTo(page, selector);
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

await onboard({ open, look, signIn, call, admin, site });

// Pages that are not there are answered with a status that browsers put in their console.
for (let at = complaints.length - 1; at >= 0; at -= 1) {
  if (/status of 404/.test(complaints[at]) && complaints[at].includes("/admin/nothing")) complaints.splice(at, 1);
}

await claim("no page broke its own policy, asked anybody else, or failed in its script", async () => hold(complaints.length === 0, complaints.join("; ")));

await browser.close();
demo.kill("SIGTERM");
await new Promise((resolve) => demo.once("exit", resolve));
finish("ui");
