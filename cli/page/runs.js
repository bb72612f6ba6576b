// The bar above the results: methods, what to run, the state of the run that goes on.

import { byId, element, enable } from "./dom.js";
import { post, stream } from "./server.js";

/** Methods that are chosen for a comparison at the start, where they are there. */
const CHOSEN = ["auto", "meha"];

const BEGUN = {
  solve: (methods) => `Running ${methods[0]}`,
  compare: (methods) => `Comparing ${methods.join(", ")}`,
  explain: () => "Reading the problem",
  landscape: (methods) => `Running ${methods[0]} for the landscape`,
};

/** How the end of a run is shown. */
const TONES = { done: "done", unsolved: "unsolved", cancelled: "stopped", limit: "stopped", failed: "failed", refused: "failed" };

const NO_LANDSCAPE = "A landscape needs a problem with one number x and one number y.";
const MISTAKES = "A landscape needs a program without errors.";

/** @param {string} said */
const sentence = (said) => {
  const text = said.trim();
  const whole = /[.!?]$/.test(text) ? text : `${text}.`;
  return whole.charAt(0).toUpperCase() + whole.slice(1);
};

export class Runs {
  /**
   * @param {any} start what the server has said at the start
   * @param {import("./results.js").Results} results
   * @param {() => {name: string, text: string}} program
   */
  constructor(start, results, program) {
    this.start = start;
    this.results = results;
    this.program = program;
    this.running = false;
    this.presets = null;
    this.landscape = true;
    this.buttons = ["run", "explain", "landscape", "compare"].map(byId);
    byId("run").addEventListener("click", () => this.run("solve"));
    byId("explain").addEventListener("click", () => this.run("explain"));
    byId("landscape").addEventListener("click", () => this.run("landscape"));
    byId("compare").addEventListener("click", () => this.compare());
    byId("cancel").addEventListener("click", () => this.cancel());
    byId("method").addEventListener("change", () => this.about());
    byId("compare-methods").addEventListener("change", () => this.chosen());
    this.offer({ presets: [], landscape: true, errors: 0 });
  }

  /** @param {{presets: string[], landscape: boolean, errors: number}} found by the check */
  offer({ presets, landscape, errors }) {
    this.landscape = landscape;
    this.noLandscape = landscape ? "" : errors > 0 ? MISTAKES : NO_LANDSCAPE;
    enable(byId("landscape"), landscape && !this.running);
    byId("landscape-why").textContent = this.noLandscape;
    byId("landscape").title = this.noLandscape;
    if (this.presets && presets.join() === this.presets.join()) return;
    const [method, checked] = [byId("method").value, this.checked()];
    const isFirst = this.presets === null;
    this.presets = presets;
    const names = this.start.methods.map((m) => m.name);
    // a method stands with its presets, and those that the program knows come first
    const family = (name) => [name, ...presets.filter((preset) => preset.split(":")[0] === name)];
    const [first, ...others] = names.map(family);
    const known = others.filter((all) => all.length > 1).flat();
    const rest = others.filter((all) => all.length === 1).flat();
    const options = (all) => all.map((name) => element("option", { value: name }, name));
    const group = (label, all) => (all.length > 0 ? [element("optgroup", { label }, ...options(all))] : []);
    const select = byId("method");
    select.replaceChildren(...options(first), ...group("With options in this program", known));
    select.append(...group(known.length > 0 ? "Other methods" : "Methods", rest));
    const all = [...first, ...known, ...rest];
    select.value = all.includes(method) ? method : names[0];
    const wanted = isFirst ? CHOSEN : checked;
    const box = (name) =>
      element("label", {}, element("input", { type: "checkbox", value: name, checked: wanted.includes(name) }), name);
    byId("compare-methods").replaceChildren(...all.map(box));
    this.about();
    this.chosen();
  }

  about() {
    const name = byId("method").value;
    const of = name.split(":")[0];
    const method = this.start.methods.find((m) => m.name === of);
    const whose = name.endsWith(":auto") ? `${of} without the options of the program` : `options of the program for ${of}`;
    const preset = name === of ? "" : `${whose}: `;
    byId("about").textContent = method ? sentence(preset + method.about) : "";
  }

  /** @returns {string[]} */
  checked() {
    return [...byId("compare-methods").querySelectorAll("input:checked")].map((box) => box.value);
  }

  chosen() {
    const checked = this.checked();
    byId("compare-chosen").textContent = checked.join(", ") || "none";
    byId("compare").textContent = checked.length === 1 ? "Compare 1 method" : `Compare ${checked.length} methods`;
    enable(byId("compare"), checked.length > 0 && !this.running);
  }

  compare() {
    const methods = this.checked();
    if (methods.length === 0) return this.say("idle", "Choose methods to compare.");
    if (this.running) return this.run("compare");
    byId("compare-box").open = false;
    byId("compare-box").querySelector("summary").focus();
    this.run("compare", methods);
  }

  /** @param {"solve"|"compare"|"explain"|"landscape"} what @param {string[]} [methods] */
  async run(what, methods = [byId("method").value]) {
    if (this.running) return this.say("running", "One run at a time: cancel this one, or wait for its end.");
    if (what === "landscape" && !this.landscape) return this.say("idle", this.noLandscape);
    const { name, text } = this.program();
    const from = document.activeElement;
    this.begin(what, methods);
    let end = null;
    try {
      for await (const event of stream("api/run", { name, text, what, methods })) {
        if (event.kind === "end") end = event;
        else this.show(event, name);
      }
      end ??= { how: "failed", message: "the server has ended the run without a word" };
    } catch (why) {
      end = { how: "failed", message: why.message };
    }
    this.end(end, from);
  }

  show(event, name) {
    if (event.kind === "row") this.results.row(event.text);
    else if (event.kind === "text") this.results.text(event.part, event.text);
    else if (event.kind === "picture") this.results.picture(event.which, event.svg, event.alt, name);
  }

  begin(what, methods) {
    this.running = true;
    this.results.begin(what);
    for (const button of this.buttons) enable(button, false);
    const limit = this.start.limits.seconds;
    const begun = performance.now();
    const tick = () => {
      const seconds = (performance.now() - begun) / 1000;
      byId("elapsed").textContent = `${seconds.toFixed(1)} s of ${limit} s`;
      byId("progress").value = Math.min(seconds, limit);
    };
    byId("progress").max = limit;
    byId("going").hidden = false;
    tick();
    this.timer = setInterval(tick, 100);
    this.say("running", `${BEGUN[what](methods)}…`);
  }

  end({ how, message }, from) {
    this.running = false;
    clearInterval(this.timer);
    // the button that is hidden now may have the focus
    if (document.activeElement === byId("cancel")) (from instanceof HTMLElement ? from : byId("run")).focus();
    byId("going").hidden = true;
    for (const button of this.buttons) enable(button, true);
    enable(byId("landscape"), this.landscape);
    this.chosen();
    this.say(TONES[how] ?? "failed", sentence(message));
    this.results.end();
  }

  /** Says the state of the run: failures at once, everything else when there is a pause. */
  say(tone, said) {
    const isFailure = tone === "failed";
    byId("state").dataset.tone = tone;
    byId("status").textContent = isFailure ? "" : said;
    byId("alert").textContent = isFailure ? said : "";
  }

  async cancel() {
    if (!this.running) return;
    this.say("running", "Cancelling…");
    try {
      await post("api/cancel", {});
    } catch (why) {
      this.say("failed", `The run could not be cancelled: ${why.message}`);
    }
  }
}
