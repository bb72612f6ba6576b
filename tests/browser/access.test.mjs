// Who may use the page, and how: tokens and origins, the keyboard, screen readers, narrow windows, a server that has gone.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ENDLESS, SMALL, ask, ended, open, part, picture, run, serve, staged, state, textOf, write } from "./page.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const MISTAKE = SMALL.replace("minimize", "minimise");

const stage = staged({ "a.blo": SMALL });

test("a wrong token, a foreign origin and a foreign host are refused", async () => {
  const { origin, host, pathname } = new URL(stage.server.address);
  const json = { "Content-Type": "application/json" };
  const check = { method: "POST", body: JSON.stringify({ name: "a.blo", text: SMALL }) };
  const api = `${stage.server.address}api/check`;
  assert.equal(await ask(stage.server.address), 200);
  assert.equal(await ask(api, { ...check, headers: { ...json, Origin: origin } }), 200);
  const last = pathname.at(-2) === "0" ? "1" : "0";
  assert.equal(await ask(`${origin}${pathname.slice(0, -2)}${last}/`), 403, "another token");
  assert.equal(await ask(`${origin}/`), 403, "no token");
  assert.equal(await ask(`${origin}/api/start`), 403, "no token");
  for (const foreign of ["http://evil.example", "null", `http://${host}.evil.example`, `https://${host}`]) {
    assert.equal(await ask(api, { ...check, headers: { ...json, Origin: foreign } }), 403, `origin ${foreign}`);
  }
  for (const foreign of ["evil.example", `evil.example:${new URL(origin).port}`, "127.0.0.1"]) {
    assert.equal(await ask(stage.server.address, { headers: { Host: foreign } }), 403, `host ${foreign}`);
  }
  assert.equal(await ask(api, { ...check, headers: { "Content-Type": "text/plain", Origin: origin } }), 415);
});

test("the page of another origin cannot read or start anything", async () => {
  const other = await serve(stage.files.place);
  const { page, context } = await open(stage.browser, other.address);
  const result = await page.evaluate(async (address) => {
    const tell = (promise) => promise.then((r) => `answer ${r.status}`, () => "refused");
    return tell(fetch(`${address}api/start`, { mode: "cors" }));
  }, stage.server.address);
  assert.equal(result, "refused");
  await context.close();
  await other.stop();
});

test("two pages share one run at a time", async () => {
  const [first, second] = [await open(stage.browser, stage.server.address), await open(stage.browser, stage.server.address)];
  await write(first.page, ENDLESS);
  await first.page.selectOption("#method", "f2sa");
  await first.page.locator("#run").click();
  await picture(first.page, "curves");
  const refused = await run(second.page);
  assert.equal(refused.tone, "failed");
  assert.match(refused.said, /another run/i);
  // who closes the page ends its run
  await first.close();
  await second.page.waitForFunction(
    () => {
      const tone = document.getElementById("state").dataset.tone;
      if (tone === "failed") document.getElementById("run").click();
      return tone === "done";
    },
    null,
    { polling: 200, timeout: 60_000 },
  );
  await second.close(/409/);
});

test("a server that has gone is told, and the text stays", async () => {
  const short = await serve(stage.files.place);
  const { page, close } = await open(stage.browser, short.address);
  await write(page, SMALL);
  await short.stop();
  await page.keyboard.press("ControlOrMeta+End");
  await page.keyboard.type("# more");
  await page.getByRole("alert").filter({ hasText: "does not answer" }).waitFor();
  const { tone, said } = await run(page);
  assert.equal(tone, "failed");
  assert.match(said, /does not answer/);
  await page.locator("#save").click();
  await page.locator("#save-form button[type=submit]").click();
  await page.locator("#save-error", { hasText: "does not answer" }).waitFor();
  assert.equal(await textOf(page), `${SMALL}# more`);
  await close(/ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/);
});

/** Presses Tab until the focus is where it should be. */
async function tabTo(page, selector) {
  for (let n = 0; n < 80; n++) {
    const is = await page.evaluate((s) => document.activeElement?.matches(s) ?? false, selector);
    if (is) {
      const seen = await page.evaluate(() => {
        const of = (e) => getComputedStyle(e).outlineStyle !== "none";
        return of(document.activeElement) || of(document.activeElement.closest(".editor") ?? document.activeElement);
      });
      assert.ok(seen, `the focus on ${selector} can be seen`);
      return;
    }
    await page.keyboard.press("Tab");
  }
  assert.fail(`Tab does not reach ${selector}`);
}

test("everything works with the keyboard alone", async () => {
  const { page, close } = await open(stage.browser, stage.server.address);
  await page.keyboard.press("Tab");
  assert.match(await page.evaluate(() => document.activeElement.textContent), /Skip/);
  await tabTo(page, "#file");
  await page.keyboard.type("a.blo");
  await page.locator("#name", { hasText: "a.blo" }).waitFor();
  for (const button of ["#save", "#format", "#share"]) await tabTo(page, button);
  await tabTo(page, ".cm-content");
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.insertText(MISTAKE);
  await page.locator("#findings li").waitFor();
  // Tab leaves the editor and changes nothing
  await page.keyboard.press("Tab");
  assert.ok(await page.evaluate(() => !document.activeElement.matches(".cm-content")));
  assert.equal(await textOf(page), MISTAKE);
  await tabTo(page, "#findings .place");
  await page.keyboard.press("Enter");
  assert.ok(await page.evaluate(() => document.activeElement.matches(".cm-content")));
  await tabTo(page, "#findings .code");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "B0104" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  assert.ok(await page.evaluate(() => document.activeElement.matches("#findings .code")), "the focus comes back");
  await tabTo(page, "#findings .fix");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.getElementById("findings-count").textContent === "none");
  await page.keyboard.press("ControlOrMeta+Enter");
  assert.equal((await ended(page)).tone, "done");
  assert.equal(await textOf(page), SMALL, "Ctrl+Enter runs and writes nothing");

  await tabTo(page, "#tab-curves");
  await page.keyboard.press("ArrowRight");
  assert.ok(await page.locator("#report").isVisible());
  assert.equal(await page.evaluate(() => document.activeElement.id), "tab-report");
  await page.keyboard.press("End");
  assert.ok(await page.locator("#explain-panel").isVisible());
  await page.keyboard.press("ArrowRight");
  assert.ok(await page.locator("#curves").isVisible(), "arrows go round");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.id), "curves");

  await page.keyboard.press("Shift+Tab");
  for (const id of ["compare-box", "landscape", "explain", "run", "method"]) {
    await page.keyboard.press("Shift+Tab");
    const at = await page.evaluate(() => document.activeElement.id || document.activeElement.parentElement.id);
    assert.equal(at, id);
  }
  await page.keyboard.type("cg");
  assert.equal(await page.locator("#method").inputValue(), "cg");
  await tabTo(page, "#run");
  await page.keyboard.press("Enter");
  assert.match((await ended(page)).said, /cg/);
  await tabTo(page, "#compare-box summary");
  await page.keyboard.press("Enter");
  await tabTo(page, '#compare-methods input[value="rhg"]');
  await page.keyboard.press("Space");
  await tabTo(page, "#compare");
  await page.keyboard.press("Enter");
  assert.equal((await ended(page)).tone, "done");
  assert.ok(await page.evaluate(() => document.activeElement.matches("#compare-box summary")), "the focus is not lost");
  assert.match(await part(page, "table"), /^rhg /m);
  await close();
});

test("a run is cancelled from the keyboard, and the focus is not lost", async () => {
  const { page, close } = await open(stage.browser, stage.server.address);
  await write(page, ENDLESS);
  await page.selectOption("#method", "f2sa");
  await page.keyboard.press("ControlOrMeta+Enter");
  await picture(page, "curves");
  await page.locator("#run").focus();
  await page.keyboard.press("ControlOrMeta+.");
  assert.equal((await ended(page)).tone, "stopped");
  await page.keyboard.press("Enter");
  await page.locator("#cancel").waitFor();
  await tabTo(page, "#cancel");
  await page.keyboard.press("Enter");
  assert.equal((await ended(page)).tone, "stopped");
  assert.equal(await page.evaluate(() => document.activeElement.id), "run");
  await close();
});

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing serious (${colorScheme})`, async () => {
    // the policy of the page would not let axe in
    const { page, close } = await open(stage.browser, stage.server.address, { colorScheme, bypassCSP: true });
    const audit = async (where) => {
      await page.evaluate(AXE);
      const { violations, passes } = await page.evaluate(() => window.axe.run(document));
      assert.ok(passes.length > 20, "axe has looked");
      const told = violations.map((v) => `${where}: ${v.impact} ${v.id}: ${v.nodes.map((n) => n.html).join(" | ")}`);
      assert.deepEqual(told, []);
    };
    await audit("at the start");
    await write(page, MISTAKE);
    await audit("with a mistake");
    await page.locator("#findings .code").click();
    await page.getByRole("dialog").waitFor();
    await audit("with a dialog");
    await page.keyboard.press("Escape");
    await write(page, ENDLESS);
    await page.locator("#compare-box summary").click();
    await page.selectOption("#method", "f2sa");
    await page.locator("#run").click();
    await picture(page, "curves");
    await audit("while it runs");
    await page.locator("#cancel").click();
    await ended(page);
    await page.getByRole("tab", { name: "Report" }).click();
    await audit("with a report");
    await page.locator("#share").click();
    await page.locator("#link").waitFor();
    await page.locator("#save").click();
    await audit("with a link and a name to type");
    await close();
  });
}

for (const width of [320, 400, 700, 960, 1600]) {
  test(`nothing is cut off at ${width} px`, async () => {
    const { page, close } = await open(stage.browser, stage.server.address, { viewport: { width, height: 900 } });
    const look = async (where) => {
      const found = await page.evaluate(() => {
        const end = document.documentElement.clientWidth;
        const controls = [...document.querySelectorAll("button, select, input, summary, h1, h2, img, .said")];
        const seen = controls.filter((c) => c.checkVisibility() && !c.closest(".unseen, .skip, .cm-editor"));
        const name = (c) => c.id || c.textContent || c.tagName;
        const cut = seen.filter((c) => {
          const { left, right } = c.getBoundingClientRect();
          return left < 0 || right > end + 0.5 || (c.matches("button, summary") && c.scrollWidth > c.clientWidth + 1);
        });
        return { cut: cut.map(name), seen: seen.length, wide: document.documentElement.scrollWidth - end };
      });
      assert.ok(found.seen > 12, where);
      assert.deepEqual([found.cut, found.wide], [[], 0], where);
    };
    await look("at the start");
    await write(page, `${MISTAKE}# ${"a long comment ".repeat(20)}\n`);
    await page.locator("#compare-box summary").click();
    await look("with a mistake");
    await write(page, ENDLESS);
    await page.selectOption("#method", "f2sa");
    await page.locator("#run").click();
    await picture(page, "curves");
    await look("while it runs");
    await page.locator("#cancel").click();
    await ended(page);
    await page.getByRole("tab", { name: "Report" }).click();
    await look("with a report");
    await page.locator("#share").click();
    await page.locator("#link").waitFor();
    await look("with a link");
    await close();
  });
}

test("nothing moves where somebody wants that", async () => {
  const { page, close } = await open(stage.browser, stage.server.address, { reducedMotion: "reduce" });
  await write(page, ENDLESS);
  await page.selectOption("#method", "f2sa");
  await page.locator("#run").click();
  await picture(page, "curves");
  assert.equal((await state(page)).tone, "running");
  const moving = await page.evaluate(() => document.getAnimations().filter((a) => a.effect.target.closest("main .results")).length);
  assert.equal(moving, 0);
  await page.locator("#cancel").click();
  await ended(page);
  await close();
});
