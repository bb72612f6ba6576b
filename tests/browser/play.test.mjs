// What somebody does on the page of `blo play`: writing, running, looking, sharing.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ENDLESS, SMALL, ended, open, part, picture, run, serve, staged, state, textOf, write } from "./page.mjs";

const stage = staged({ "a.blo": SMALL, "crlf.blo": SMALL.replaceAll("\n", "\r\n") });

test("a mistake is underlined and listed, its code has a page, and its fix mends it", async () => {
  const { page, close } = await open(stage.browser, stage.server.address);
  await write(page, SMALL.replace("minimize", "minimise"));
  const squiggle = page.locator(".cm-lintRange-error");
  assert.equal(await squiggle.textContent(), "minimise");
  await page.locator(".cm-lint-marker-error").waitFor();
  const entry = page.locator("#findings li");
  assert.equal(await entry.count(), 1);
  assert.match(await entry.textContent(), /error.*minimise.*line 2, column 28/s);
  await entry.getByRole("button", { name: "What B0104 means" }).click();
  const dialog = page.getByRole("dialog", { name: "B0104" });
  assert.match(await dialog.textContent(), /keyword/);
  assert.ok((await dialog.locator("pre").count()) >= 2, "a wrong and a right program");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  await entry.getByRole("button", { name: /minimise.*line 2/ }).click();
  assert.equal(await page.evaluate(() => getSelection().toString()), "minimise");
  await entry.getByRole("button", { name: /^Fix: / }).click();
  await page.waitForFunction(() => document.getElementById("findings-count").textContent === "none");
  assert.equal(await squiggle.count(), 0);
  assert.equal(await textOf(page), SMALL);
  await page.keyboard.press("ControlOrMeta+z");
  await squiggle.waitFor();
  await close();
});

test("words are completed, explained and colored", async () => {
  const { page, close } = await open(stage.browser, stage.server.address);
  await write(page, SMALL);
  await page.locator(".tok-keyword", { hasText: "lower" }).waitFor();
  const color = (kind) => page.locator(`.tok-${kind}`).first().evaluate((word) => getComputedStyle(word).color);
  assert.notEqual(await color("keyword"), await color("number"));
  await page.keyboard.press("ControlOrMeta+End");
  await page.keyboard.type("metr");
  await page.keyboard.press("Control+Space");
  // Enter would do the same, but an offer that has just come does not take it yet
  await page.locator(".cm-tooltip-autocomplete li[aria-selected]", { hasText: "metric" }).click();
  await page.locator(".cm-line", { hasText: /^metric$/ }).waitFor();
  await page.keyboard.press("ControlOrMeta+i");
  const shown = page.locator(".doc-tooltip");
  await shown.waitFor();
  assert.match(await shown.textContent(), /metric/);
  await page.locator("#said", { hasText: "metric" }).waitFor({ state: "attached" });
  await page.keyboard.press("Escape");
  await shown.waitFor({ state: "detached" });
  await page.locator(".tok-keyword", { hasText: "upper" }).hover();
  await shown.waitFor();
  assert.match(await shown.textContent(), /upper/);
  await close();
});

test("a run shows its curves and its report, with the right optimum", async () => {
  const { page, close } = await open(stage.browser, stage.server.address);
  await page.selectOption("#file", "gallery:bda_eq5");
  await page.locator("#name", { hasText: "bda_eq5" }).waitFor();
  const { tone, said } = await run(page);
  assert.equal(tone, "done");
  assert.match(said, /converged after \d+ iterations/i);
  const curves = await picture(page, "curves");
  assert.match(curves.alt, /residuals over \d+ iterations/i);
  assert.ok(curves.size[0] > 300 && curves.size[1] > 300, `a picture of ${curves.size}`);
  await page.getByRole("tab", { name: "Report" }).click();
  assert.match(await part(page, "rows"), /^ *iter +upper +lower.*\n +0 /);
  const report = await part(page, "report");
  const [, x, y1, y2] = report.match(/x = ([-\d.e]+), y = \[([-\d.e]+), ([-\d.e]+)\]/);
  for (const value of [x, y1, y2]) assert.ok(Math.abs(value - 1) < 1e-4, report);
  await close();
});

test("curves and rows grow while a run goes on, which can be cancelled, and another one begins", async () => {
  const { page, close } = await open(stage.browser, stage.server.address);
  await write(page, ENDLESS);
  await page.selectOption("#method", "f2sa");
  await page.locator("#run").click();
  const first = await picture(page, "curves");
  await page.waitForFunction((src) => document.querySelector("#curves img").src !== src, first.src);
  const rows = () => page.evaluate(() => document.querySelector('[data-part="rows"] pre').textContent.split("\n").length);
  const few = await rows();
  await page.waitForFunction(
    (few) => document.querySelector('[data-part="rows"] pre').textContent.split("\n").length > few,
    few,
  );
  assert.equal((await state(page)).tone, "running");
  assert.match(await page.locator("#elapsed").textContent(), /^\d+\.\d s of 60 s$/);
  // what cannot be pressed says why
  await page.locator("#explain").click({ force: true });
  assert.match((await state(page)).said, /one run at a time/i);
  await page.locator("#cancel").click();
  const { tone, said } = await ended(page);
  assert.equal(tone, "stopped");
  assert.match(said, /cancel/i);
  assert.ok(await page.locator("#cancel").isHidden());
  assert.match(await part(page, "report"), /status/);
  await write(page, SMALL);
  await page.selectOption("#method", "auto");
  assert.equal((await run(page)).tone, "done");
  assert.match(await part(page, "report"), /x = 0\.(5|4999|5000)/);
  await close();
});

test("an end that solves nothing is not shown as a success, and methods stand with their presets", async () => {
  const { page, close } = await open(stage.browser, stage.server.address);
  await write(page, `${SMALL}method rhg { max_iter = 1 }\nmethod cg short { max_iter = 2 }\n`);
  const options = page.locator('#method optgroup[label="With options in this program"] option');
  await options.first().waitFor({ state: "attached" });
  const names = await options.allTextContents();
  const ofCg = names.filter((name) => name.split(":")[0] === "cg");
  assert.deepEqual([ofCg[0], ofCg.includes("cg:short")], ["cg", true]);
  assert.deepEqual(names.slice(names.indexOf("cg")).slice(0, ofCg.length), ofCg);
  await page.selectOption("#method", "rhg");
  const { tone, said } = await run(page);
  assert.equal(tone, "unsolved");
  assert.match(said, /after 1 iteration.*upper .*lower /i);
  await close();
});

test("a run past its limit says so", async () => {
  const short = await serve("--max-time", "2s", stage.files.place);
  const { page, close } = await open(stage.browser, short.address);
  await write(page, ENDLESS);
  await page.selectOption("#method", "f2sa");
  const { tone, said } = await run(page);
  assert.equal(tone, "stopped");
  assert.match(said, /2 s.*limit/);
  await picture(page, "curves");
  await close();
  await short.stop();
});

test("methods are compared, presets of the program among them", async () => {
  const { page, close } = await open(stage.browser, stage.server.address);
  await write(page, `${SMALL}method rhg long { K = 64 }\n`);
  await page.locator("#compare-box summary").click();
  const boxes = page.locator("#compare-methods input:checked");
  while ((await boxes.count()) > 0) await boxes.first().uncheck();
  await page.locator("#compare").click({ force: true });
  assert.match((await state(page)).said, /choose methods/i);
  await page.getByRole("checkbox", { name: "meha", exact: true }).check();
  await page.getByRole("checkbox", { name: "rhg:long", exact: true }).check();
  await page.getByRole("button", { name: "Compare 2 methods" }).click();
  const { tone, said } = await ended(page);
  assert.deepEqual([tone, said], ["done", "Compared 2 methods."]);
  const table = await part(page, "table");
  for (const row of [/^method +status/, /^meha +converged/m, /^rhg:long +converged/m]) assert.match(table, row);
  const { alt } = await picture(page, "curves");
  assert.match(alt, /meha/);
  assert.match(alt, /rhg:long/);
  await close();
});

test("a program is explained", async () => {
  const { page, close } = await open(stage.browser, stage.server.address);
  await write(page, SMALL);
  assert.equal((await run(page, "explain")).tone, "done");
  assert.equal(await page.getByRole("tab", { name: "Explain" }).getAttribute("aria-selected"), "true");
  const text = await page.locator("#explain-panel pre").textContent();
  assert.match(text, /upper level[\s\S]*lower level[\s\S]*strongly convex +proved/);
  await close();
});

test("a problem with one x and one y has a landscape; others say why they have none", async () => {
  const { page, close } = await open(stage.browser, stage.server.address);
  await write(page, SMALL);
  assert.equal((await run(page, "landscape")).tone, "done");
  assert.equal(await page.getByRole("tab", { name: "Landscape" }).getAttribute("aria-selected"), "true");
  const { alt, size } = await picture(page, "landscape-panel");
  assert.match(alt, /x = 0\.5.*y = 0\.5/);
  assert.ok(size[0] > 300 && size[1] > 300);
  await write(page, ENDLESS);
  const button = page.getByRole("button", { name: "Landscape" });
  await page.waitForFunction(() => document.getElementById("landscape").getAttribute("aria-disabled") === "true");
  await button.click({ force: true });
  assert.match((await state(page)).said, /one number x and one number y/);
  assert.notEqual((await state(page)).tone, "running");
  await close();
});

test("a program with mistakes does not run, and the report says why", async () => {
  const { page, close } = await open(stage.browser, stage.server.address);
  await write(page, SMALL.replace("y^2", "z^2"));
  const { tone, said } = await run(page);
  assert.equal(tone, "failed");
  assert.match(said, /mistakes/);
  assert.equal(await page.getByRole("tab", { name: "Report" }).getAttribute("aria-selected"), "true");
  assert.match(await part(page, "findings"), /error\[B0\d{3}\][\s\S]*z/);
  await close();
});

test("a shared link brings the text, on the page and on the command line", async () => {
  const permissions = ["clipboard-read", "clipboard-write"];
  const { page, close } = await open(stage.browser, stage.server.address, { permissions });
  const text = `${SMALL}# ü α 🦀 'quoted' ${"long ".repeat(300)}\n`;
  await write(page, text);
  await page.locator("#share").click();
  await page.locator("#notice", { hasText: "blo play 'LINK'" }).waitFor();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  const origin = new URL(stage.server.address).origin;
  assert.ok(link.startsWith(`${origin}/#blo1=`), "the link is without the token");
  assert.ok(link.length < text.length, "the text is packed");
  const fragment = new URL(link).hash;
  assert.equal(await page.evaluate(() => location.hash), fragment);
  await page.reload();
  await page.locator(".cm-content").waitFor();
  assert.equal(await textOf(page), text);
  // the same link while the page is open, after changes
  await write(page, SMALL);
  await page.reload();
  await page.locator(".cm-content").waitFor();
  assert.equal(await textOf(page), SMALL, "a reload keeps what was written after sharing");
  await close();

  const other = await open(stage.browser, stage.server.address + fragment);
  assert.equal(await textOf(other.page), text);
  await other.page.evaluate(() => (location.hash = "#blo1=AAAA"));
  await other.page.locator("#notice", { hasText: "does not hold a whole program" }).waitFor();
  assert.equal(await textOf(other.page), text);
  await other.close();

  const second = await serve(link);
  const third = await open(stage.browser, second.address);
  assert.equal(await textOf(third.page), text);
  await third.close();
  await second.stop();
});

test("files are opened, changed, saved, and not overwritten when somebody else has changed them", async () => {
  const { page, close } = await open(stage.browser, stage.server.address);
  const onDisk = (name) => readFileSync(join(stage.files.place, name), "utf8");
  await page.selectOption("#file", "file:a.blo");
  await page.locator("#name", { hasText: "a.blo" }).waitFor();
  const changed = `${SMALL}# changed\n`;
  await write(page, changed);
  await page.locator("#unsaved").waitFor();
  // another one, and back: nothing is lost
  await page.selectOption("#file", "new:");
  await page.locator("#name", { hasText: "new program" }).waitFor();
  await page.selectOption("#file", "file:a.blo");
  await page.waitForFunction(() => document.querySelector(".cm-content").textContent.includes("# changed"));
  // leaving asks
  const asked = new Promise((resolve) => page.once("dialog", (dialog) => dialog.dismiss().then(() => resolve(dialog.type()))));
  await page.close({ runBeforeUnload: true });
  assert.equal(await asked, "beforeunload");
  await page.keyboard.press("ControlOrMeta+s");
  await page.locator("#notice", { hasText: "Saved a.blo" }).waitFor();
  assert.equal(onDisk("a.blo"), changed);
  assert.ok(await page.locator("#unsaved").isHidden());

  writeFileSync(join(stage.files.place, "a.blo"), `${SMALL}# of somebody else\n`);
  await write(page, `${SMALL}# mine\n`);
  await page.locator("#save").click();
  await page.locator("#notice[data-tone=error]", { hasText: "changed" }).waitFor();
  assert.equal(onDisk("a.blo"), `${SMALL}# of somebody else\n`);
  await page.getByRole("button", { name: "Save under another name" }).click();
  await page.getByLabel(/^File in/).fill("crlf");
  await page.keyboard.press("Enter");
  await page.locator("#save-error", { hasText: "there is such a file already" }).waitFor();
  await page.getByLabel(/^File in/).fill("mine");
  await page.keyboard.press("Enter");
  await page.locator("#notice", { hasText: "Saved mine.blo" }).waitFor();
  assert.equal(onDisk("mine.blo"), `${SMALL}# mine\n`);
  assert.equal(await page.locator("#file").inputValue(), "file:mine.blo");

  await page.selectOption("#file", "file:crlf.blo");
  await page.locator("#name", { hasText: "crlf.blo" }).waitFor();
  assert.ok(await page.locator("#unsaved").isHidden());
  await write(page, `${SMALL}# more\n`);
  await page.locator("#save").click();
  await page.locator("#notice", { hasText: "Saved crlf.blo" }).waitFor();
  assert.equal(onDisk("crlf.blo"), `${SMALL}# more\n`.replaceAll("\n", "\r\n"));
  await close(/409/);
});

test("a text that is not saved survives a reload; Format and Revert can be undone", async () => {
  const { page, close } = await open(stage.browser, stage.server.address);
  const loose = "upper {var x in [-2,2]   minimize (x-1)^2+y^2}\nlower {var y   minimize (y-x)^2}\n";
  await write(page, loose);
  await page.reload();
  await page.locator(".cm-content", { hasText: "minimize (x-1)^2+y^2" }).waitFor();
  assert.equal(await textOf(page), loose);
  await page.locator("#format").click();
  await page.locator("#notice", { hasText: "Formatted" }).waitFor();
  const laidOut = await textOf(page);
  assert.match(laidOut, /\(x - 1\)\^2 \+ y\^2/);
  await page.locator("#revert").click();
  assert.notEqual(await textOf(page), laidOut);
  await page.locator(".cm-content").click();
  await page.keyboard.press("ControlOrMeta+z");
  assert.equal(await textOf(page), laidOut);
  await page.keyboard.press("ControlOrMeta+z");
  assert.equal(await textOf(page), loose);
  await write(page, "upper {");
  await page.locator("#format").click();
  await page.locator("#notice[data-tone=error]", { hasText: "syntax" }).waitFor();
  await close();
});
