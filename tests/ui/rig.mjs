// What all journeys in a real browser share: claims and their count, pages that complain, pictures, and barriers.

import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
let passed = 0;
let failed = 0;

export async function claim(name, work) {
  try {
    await work();
    passed += 1;
    console.log(`  ok   ${name}`);
  } catch (fault) {
    failed += 1;
    console.log(`  FAIL ${name}: ${String(fault.message ?? fault).split("\n").slice(0, 6).join(" | ")}`);
  }
}

export function hold(is, said) {
  if (!is) throw new Error(said);
}

// The last line, and the exit code.
export function finish(name) {
  console.log(`${name}: ${passed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}

// A browser whose pages may ask nobody but `origin`, and keep their pictures in `shots`.
export async function start(origin, shots, executablePath) {
  mkdirSync(shots, { recursive: true });
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
  const complaints = [];

  async function open(options = {}) {
    const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
    const page = await context.newPage();
    page.on("console", (message) => message.type() === "error" && complaints.push(`${page.url()}: ${message.text()}`));
    page.on("pageerror", (fault) => complaints.push(`${page.url()}: ${fault.message}`));
    page.on("request", (request) => new URL(request.url()).origin === origin || complaints.push(`asked elsewhere: ${request.url()}`));
    return page;
  }

  // A picture, and whether anything is in anybody's way.
  async function look(page, name) {
    await page.screenshot({ path: `${shots}/${name}.png`, fullPage: true });
    const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    hold(over <= 0, `${over} px wider than the window`);
    // Through the debugger: the policy of the page would not let a script of others in.
    await page.evaluate(axe);
    const found = await page.evaluate(() => window.axe.run());
    hold(found.violations.length === 0, found.violations.map((one) => `${one.id} ${one.nodes.map((node) => node.target).join(" ")}`).join("; "));
  }

  return { browser, open, look, complaints };
}

// Tab until that is reached; not at all where the page begins there.
export async function tabTo(page, selector) {
  for (let at = 0; at < 80; at += 1) {
    if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not reach ${selector}`);
}

// The looks that every page is seen in.
export const LOOKS = [
  ["light", { colorScheme: "light" }],
  ["dark", { colorScheme: "dark" }],
  ["narrow", { viewport: { width: 320, height: 720 } }],
];
