// What the two TypeScript drivers share: the demo site, the table of arguments, the tally, and the journey itself.
// run.py copies these files beside their packages and runs them: `node typescript_sdk.mjs READY.json ARGUMENTS.json`.

import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const PATIENCE = { timeout: 30_000 }; // milliseconds; a hang fails, slowness on two cores does not
const [, , siteFile, argumentsFile] = process.argv;
export const site = JSON.parse(readFileSync(siteFile, "utf8"));
const table = JSON.parse(readFileSync(argumentsFile, "utf8"));
const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default ? addFormats.default(ajv) : addFormats(ajv);

let passed = 0;
let failed = 0;

export function expect(claim, why) {
  if (!claim) throw new Error(typeof why === "string" ? why : JSON.stringify(why));
}

/** One claim. Whatever goes wrong inside counts against it, and the run goes on. */
export async function check(claim, body) {
  const began = performance.now();
  try {
    await body();
    passed += 1;
    console.log(`  ok   ${claim} (${Math.round(performance.now() - began)} ms)`);
  } catch (fault) {
    failed += 1;
    console.log(`  FAIL ${claim}: ${String(fault.message ?? fault).slice(0, 1500)}`);
  }
}

/** The closing line and the exit code. No check at all is a failure. */
export function finish(name) {
  if (passed + failed === 0) failed = 1;
  console.log(`${name}: ${passed} passed, ${failed} failed`);
  process.exitCode = failed ? 1 : 0;
}

function argumentsFor(tool) {
  expect(tool in table, `no arguments for tool ${tool}: add it to tests/clients/arguments.json`);
  const fill = ([key, value]) => [key, value === "$device" ? site.devices[0].name : value];
  return table[tool].map((one) => Object.fromEntries(Object.entries(one).map(fill)));
}

async function listed(client) {
  const tools = [];
  let cursor;
  do {
    const page = await client.listTools(cursor ? { cursor } : undefined, PATIENCE);
    tools.push(...page.tools);
    cursor = page.nextCursor;
  } while (cursor);
  return tools;
}

async function call(callTool, tool, args) {
  const result = await callTool({ name: tool.name, arguments: args }, PATIENCE);
  expect(!result.isError, result.content);
  expect(tool.outputSchema, "lists no outputSchema");
  const fits = ajv.compile(tool.outputSchema);
  expect(fits(result.structuredContent), ajv.errorsText(fits.errors));
  expect(result.content.length === 1 && result.content[0].type === "text", "its content is not one text block");
}

/** Every listed resource and prompt, and completion. The two SDKs agree on these. */
async function beside(label, client) {
  const device = site.devices[0].name;
  await check(`${label}: reads every listed resource`, async () => {
    let cursor;
    let read = 0;
    do {
      const page = await client.listResources(cursor ? { cursor } : undefined, PATIENCE);
      for (const one of page.resources) {
        const { contents } = await client.readResource({ uri: one.uri }, PATIENCE);
        expect(contents[0].uri === one.uri && contents[0].mimeType === one.mimeType, contents[0]);
        read += 1;
      }
      cursor = page.nextCursor;
    } while (cursor);
    expect(read > 10, `only ${read} resources`);
  });
  await check(`${label}: lists and completes templates`, async () => {
    const { resourceTemplates } = await client.listResourceTemplates(undefined, PATIENCE);
    expect(resourceTemplates.length > 0, "no templates");
    const ref = { type: "ref/resource", uri: "device://{id}/health" };
    const { completion } = await client.complete({ ref, argument: { name: "id", value: device } }, PATIENCE);
    expect(completion.values.includes(device), completion);
  });
  await check(`${label}: gets every prompt, filled in`, async () => {
    const { prompts } = await client.listPrompts(undefined, PATIENCE);
    expect(prompts.length === 10, `${prompts.length} prompts`);
    const known = { device, environment: "lab" };
    for (const prompt of prompts) {
      const given = (prompt.arguments ?? []).map(({ name }) => [name, known[name] ?? "what the person says"]);
      const { messages } = await client.getPrompt({ name: prompt.name, arguments: Object.fromEntries(given) }, PATIENCE);
      expect(messages[0].content.type === "text", messages[0]);
    }
  });
}

/** Connects, checks the version, calls every listed tool, closes. The two SDKs differ in how they say `spoken` and `callTool`. */
export async function journey(label, client, transport, { version, spoken, callTool }) {
  await check(`${label}: connects, works and leaves`, async () => {
    await client.connect(transport, PATIENCE);
    await check(`${label}: speaks ${version}`, () => expect(spoken() === version, String(spoken())));
    let tools = [];
    await check(`${label}: lists its tools`, async () => {
      tools = await listed(client);
      expect(tools.length > 0, "an empty list");
    });
    for (const tool of tools) {
      await check(`${label}: ${tool.name} answers by its outputSchema`, async () => {
        for (const args of argumentsFor(tool.name)) await call(callTool, tool, args);
      });
    }
    await beside(label, client);
    await client.close();
  });
}
