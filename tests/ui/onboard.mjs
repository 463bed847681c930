// Adding routers, in a real browser: the pages of it, and a router taken in without a script.
//
// Called by journeys.mjs with its rig.

import { gzipSync } from "node:zlib";
import { LOOKS, claim, hold } from "./rig.mjs";

export default async function onboard({ open, look, signIn, call, admin, site }) {
  const device = await call("device.get", { device: site.devices[0].name });
  const manage = `devices/${device.id}/manage`;
  const pages = [
    ["discovery", "discovery"],
    ["add", "add?address=192.0.2.7&name=edge-7"],
    ["registrations", "registrations"],
    ["import", "import"],
    ["manage", manage],
  ];
  const looked = async (page) => {
    await page.goto(`${admin}add`);
    await page.fill("[name=address] >> visible=true", device.address);
    await page.fill("[name=name] >> visible=true", "once-more");
    await page.click("summary");
    await page.fill("[name=rest_port]", String(device.rest_port));
    await page.fill("[name=ssh_port]", String(device.ssh_port));
    await Promise.all([page.waitForNavigation(), page.click("form[action$=look] button")]);
  };
  for (const [theme, options] of LOOKS) {
    const page = await open(options);
    await signIn(page);
    for (const [name, path] of pages) {
      await claim(`${theme}: ${name} has no barrier that axe finds, and fits the width`, async () => {
        await page.goto(admin + path);
        await look(page, `${theme}-${name}`);
      });
    }
    await claim(`${theme}: fingerprints, a script and fingerprints side by side are shown without a barrier`, async () => {
      await looked(page);
      await look(page, `${theme}-trust`);
      await page.goto(admin + manage);
      await Promise.all([page.waitForNavigation(), page.click("form[action$=present] button")]);
      await look(page, `${theme}-pins`);
      await page.goto(`${admin}registrations`);
      await page.fill("form[action='/admin/registrations'] [name=name]", `late-${theme}`);
      await Promise.all([page.waitForNavigation(), page.click("form[action='/admin/registrations'] button")]);
      hold(/\n *\/tool\/fetch /.test(await page.textContent("pre")), "no script, or none of lines");
      await look(page, `${theme}-registered`);
    });
    await page.context().close();
  }

  await claim("the pages of on-boarding are within 20 kB over a link that compresses", async () => {
    const page = await open();
    await signIn(page);
    let bytes = 0;
    for (const [, path] of pages) bytes += gzipSync(await (await page.goto(admin + path)).body()).length;
    hold(bytes <= 20 * 1024, `${bytes} bytes`);
    await page.context().close();
  });

  await claim("a router is added without a script: its fingerprints first, then the password", async () => {
    const page = await open({ javaScriptEnabled: false });
    await signIn(page);
    await looked(page);
    hold((await page.textContent("#main")).includes(device.pins.tls), "the certificate that is pinned already is not shown");
    await page.fill("[name=username]", "mcp");
    await page.fill("[name=password]", "sim-mcp-pass");
    await page.check("[name=trusted]");
    await page.check("[name=cap_writes]");
    await Promise.all([page.waitForNavigation(), page.click("form[action$=confirm] button")]);
    const said = await page.textContent("#main");
    hold(said.includes("once-more is added") && said.includes("What was found"), said);
    await page.fill("form[action$=remove] [name=name]", "once-more");
    await Promise.all([page.waitForNavigation(), page.click("form[action$=remove] button")]);
    hold(!(await page.textContent("#main")).includes("once-more"), "it is still there");
    await page.context().close();
  });
}
