// The server and the browser of the tests, and what tests do with the page. Every test waits for conditions, never for a time.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, afterEach, before } from "node:test";
import { chromium } from "playwright-core";

const BLO = process.env.BLO;
const CHROMIUM = process.env.CHROMIUM;
assert.ok(BLO && CHROMIUM, "run .ci/browser: it sets BLO and CHROMIUM");

/** x = y = 1/2, where both objectives are 1/2 and 0. */
export const SMALL = `# a leader and a follower
upper { var x in [-2, 2]   minimize (x - 1)^2 + y^2 }
lower { var y   minimize (y - x)^2 }
`;

/** Goes on for ever: no step reaches the tolerance. Two lower variables, so it has no landscape. */
export const ENDLESS = `upper { var x in [-1, 1]   minimize (x - 1)^2 + normsq(y) }
lower { var y[2]   minimize normsq(y) - x*sum(y) }
option tol = 0
option max_iter = 1000000000
method f2sa { alpha = 1e-9;  gamma = 1e-9 }
`;

/** A folder with files, which goes after the tests. @param {Record<string, string>} files */
function folder(files) {
  const place = mkdtempSync(join(tmpdir(), "blo-play-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(place, name), text);
  return { place, remove: () => rmSync(place, { recursive: true, force: true }) };
}

/** Starts `blo play`. @param {...string} args @returns {Promise<{address: string, stop: () => Promise<void>}>} */
export async function serve(...args) {
  const server = spawn(BLO, ["play", "--port", "0", "--no-open", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  server.stderr.on("data", (data) => (said += data));
  const over = new Promise((resolve) => server.once("exit", resolve));
  const lines = createInterface({ input: server.stdout });
  const address = await Promise.race([
    new Promise((resolve) => lines.once("line", resolve)),
    over.then(() => assert.fail(`blo play has ended: ${said}`)),
  ]);
  assert.match(address, /^http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{16,}\/$/);
  let stopped = false;
  server.once("exit", (code, signal) => {
    if (!stopped) console.error(`blo play has ended, ${signal ?? code}: ${said}`);
  });
  const stop = async () => {
    stopped = true;
    server.kill();
    await over;
  };
  return { address, stop };
}

/** Nothing but this machine has an address in this browser. */
const launch = () =>
  chromium.launch({
    executablePath: CHROMIUM,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ],
  });

/** Contexts that a test has not closed. */
const contexts = new Set();

/** Closes what a test that has failed leaves open, and with it the runs of its pages. */
async function closeAll() {
  for (const context of contexts) await context.close();
  contexts.clear();
}

/**
 * A browser, a folder with files, and a server on it, for all tests of a file; they are there when the first one begins.
 * @param {Record<string, string>} programs
 * @returns {{browser: any, files: {place: string}, server: {address: string}}}
 */
export function staged(programs) {
  const stage = {};
  before(async () => {
    stage.browser = await launch();
    stage.files = folder(programs);
    stage.server = await serve(stage.files.place);
  });
  afterEach(closeAll);
  after(async () => {
    await stage.browser?.close();
    await stage.server?.stop();
    stage.files?.remove();
  });
  return stage;
}

/**
 * Opens the page and watches it: errors in its console, refusals of its policy, and where its requests go.
 * @param {import("playwright-core").Browser} browser @param {string} address
 * @param {object} [options] of the browser's context
 */
export async function open(browser, address, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  contexts.add(context);
  const page = await context.newPage();
  const errors = [];
  const foreign = [];
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && errors.push(m.text()));
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("request", (r) => {
    const url = new URL(r.url());
    const isOurs = url.protocol === "blob:" || url.protocol === "data:" || url.origin === new URL(address).origin;
    if (!isOurs) foreign.push(r.url());
  });
  await page.goto(address);
  await page.locator(".cm-content").waitFor();
  await checked(page);
  /** Ends the page: it must have been without errors, but for those of these kinds. @param {...RegExp} expected */
  const close = async (...expected) => {
    const others = errors.filter((error) => !expected.some((e) => e.test(error)));
    assert.deepEqual(others, []);
    assert.deepEqual(foreign, [], "requests to others");
    await context.close();
    contexts.delete(context);
  };
  return { page, context, close, errors };
}

/** Waits until the findings are those of the text that is there. */
export async function checked(page) {
  await page.waitForFunction(() => document.getElementById("findings-count")?.textContent);
}

/** The text in the editor, also the lines that are out of view. */
export const textOf = (page) =>
  page.evaluate(() => {
    const kept = JSON.parse(sessionStorage.getItem("blo play"));
    return kept.texts[kept.current].text;
  });

/** Puts another text into the editor, as somebody who selects all and pastes, and waits for its check. */
export async function write(page, text) {
  await page.locator(".cm-content").click();
  await page.keyboard.press("ControlOrMeta+a");
  const answer = page.waitForResponse((r) => r.url().endsWith("/api/check") && r.request().postDataJSON().text === text);
  await page.keyboard.insertText(text);
  const found = await (await answer).json();
  await page.waitForFunction((n) => document.querySelectorAll("#findings li").length === n, found.findings.length);
  return found.findings;
}

/** The state of the run: its tone, and what it says. */
export async function state(page) {
  const tone = await page.locator("#state").getAttribute("data-tone");
  const said = `${await page.locator("#status").textContent()}${await page.locator("#alert").textContent()}`;
  return { tone, said };
}

/** Waits for the end of a run. */
export async function ended(page) {
  await page.waitForFunction(() => !["running", "idle"].includes(document.getElementById("state").dataset.tone), null, {
    timeout: 120_000,
  });
  return state(page);
}

/** Runs and waits for the end. @param {string} button its id */
export async function run(page, button = "run") {
  await page.locator(`#${button}`).click();
  return ended(page);
}

/** The text of a part of the report. @param {"rows"|"report"|"table"|"findings"} part */
export const part = (page, part) => page.locator(`[data-part="${part}"] pre`).textContent();

/** The picture in a tab, when it can be seen. @param {string} panel */
export async function picture(page, panel) {
  const image = page.locator(`#${panel} img`);
  await image.waitFor();
  const size = await image.evaluate((img) => [img.naturalWidth, img.naturalHeight]);
  return { alt: await image.getAttribute("alt"), src: await image.getAttribute("src"), size };
}

/** The status of a request with headers that no browser would send. */
export const ask = (address, { method = "GET", headers = {}, body = "" } = {}) =>
  new Promise((resolve, reject) => {
    const asked = request(address, { method, headers }, (answer) => {
      answer.resume();
      answer.on("end", () => resolve(answer.statusCode));
    });
    asked.on("error", reject);
    asked.end(body);
  });
