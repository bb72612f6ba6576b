// Tabs with what a run says: pictures, tables, texts.

import { byId, element } from "./dom.js";

const TABS = ["curves", "report", "landscape", "explain"];
const panelOf = (tab) => byId(tab === "landscape" || tab === "explain" ? `${tab}-panel` : tab);
const tabOf = (tab) => byId(`tab-${tab}`);

const EMPTY = {
  curves: "Run draws the residuals here while the method iterates; Compare draws a curve for each method.",
  report: "Run prints the table of iterations and the report here.",
  landscape: "Landscape draws the lower objective over x and y, the lower solutions, and the way of the iterates.",
  explain: "Explain says how the problem is understood: levels, terms, what is proved of them, and which methods assume what.",
};

/** How near to its end, in pixels, a text is followed as it grows. */
const NEAR = 40;

/** Texts of the report, in this order: what a run comes to stands above how it came there. */
const PARTS = { report: "Result", table: "Comparison", findings: "Messages", rows: "Iterations" };

export class Results {
  constructor() {
    /** Addresses of the pictures that are shown. */
    this.shown = new Map();
    /** The newest picture of a tab, while one is being decoded. */
    this.newest = new Map();
    /** Counts the runs with pictures. */
    this.begun = 0;
    for (const tab of TABS) {
      tabOf(tab).addEventListener("click", () => this.select(tab));
      tabOf(tab).addEventListener("keydown", (event) => this.key(event, tab));
      this.clear(tab);
    }
    this.select("curves");
  }

  key(event, tab) {
    const at = TABS.indexOf(tab);
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: TABS.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const chosen = TABS[(next + TABS.length) % TABS.length];
    this.select(chosen);
    tabOf(chosen).focus();
  }

  /** Shows a tab. @param {string} chosen */
  select(chosen) {
    this.selected = chosen;
    for (const tab of TABS) {
      const is = tab === chosen;
      tabOf(tab).setAttribute("aria-selected", String(is));
      tabOf(tab).tabIndex = is ? 0 : -1;
      panelOf(tab).hidden = !is;
    }
  }

  /** Nothing is in a tab. */
  clear(tab) {
    panelOf(tab).replaceChildren(element("p", { class: "empty" }, EMPTY[tab]));
    this.forget(tab);
  }

  forget(tab) {
    const address = this.shown.get(tab);
    if (address) URL.revokeObjectURL(address);
    this.shown.delete(tab);
  }

  /** A run begins: what it will say again goes. @param {string} what */
  begin(what) {
    if (what === "explain") {
      this.clear("explain");
      this.select("explain");
      return;
    }
    // a picture that is still being decoded comes too late
    this.begun++;
    this.newest.clear();
    this.clear("curves");
    this.clear("report");
    this.clear("landscape");
    if (what === "landscape") this.select("landscape");
    else if (this.selected !== "report") this.select("curves");
  }

  /** A run has ended: the tab in view has something in it, if any has. */
  end() {
    panelOf("report").scrollTop = 0;
    const isEmpty = (tab) => panelOf(tab).querySelector(".empty") !== null && !this.newest.has(tab);
    if (!isEmpty(this.selected)) return;
    if (!isEmpty("report")) this.select("report");
  }

  /**
   * Shows a picture when it is decoded. Of several that come meanwhile, the last one follows.
   * @param {"curves"|"landscape"} which @param {string} svg @param {string} alt @param {string} name of the file
   */
  async picture(which, svg, alt, name) {
    const isBusy = this.newest.has(which);
    const wanted = { svg, alt, name };
    this.newest.set(which, wanted);
    if (isBusy) return;
    const run = this.begun;
    let next = wanted;
    for (;;) {
      await this.draw(which, next, run);
      if (this.begun !== run) return;
      const newest = this.newest.get(which);
      if (newest === next) break;
      next = newest;
    }
    this.newest.delete(which);
  }

  async draw(which, wanted, run) {
    const address = URL.createObjectURL(new Blob([wanted.svg], { type: "image/svg+xml" }));
    const image = element("img", { src: address, alt: wanted.alt });
    // the one before stays until this one can be drawn
    await image.decode().catch(() => {});
    if (this.begun !== run) return URL.revokeObjectURL(address);
    this.forget(which);
    this.shown.set(which, address);
    const panel = panelOf(which);
    const figure = panel.querySelector("figure");
    // the link keeps the focus while pictures come
    if (figure) {
      figure.querySelector("img").replaceWith(image);
      figure.querySelector("a").href = address;
      return;
    }
    const file = `${wanted.name.replace(/^.*\//, "").replace(/\.blo$/, "")}_${which}.svg`;
    const link = element("a", { href: address, download: file, class: "download" }, "Save as SVG");
    panel.replaceChildren(element("figure", {}, image, element("figcaption", {}, link)));
  }

  /** The place of a part of the report, made where it is not there yet. */
  part(part) {
    const panel = panelOf("report");
    const made = panel.querySelector(`[data-part="${part}"] pre`);
    if (made) return made;
    panel.querySelector(".empty")?.remove();
    const pre = element("pre", { tabindex: 0, role: "region", "aria-label": PARTS[part] });
    const section = element("section", { "data-part": part }, element("h3", {}, PARTS[part]), pre);
    const order = Object.keys(PARTS);
    const after = [...panel.children].find((c) => order.indexOf(c.dataset.part) > order.indexOf(part));
    panel.insertBefore(section, after ?? null);
    return pre;
  }

  /** A line of the table of iterations. */
  row(text) {
    const pre = this.part("rows");
    // in a narrow window the table scrolls, in a wide one the panel
    const isAtEnd = (e) => e.scrollHeight - e.scrollTop - e.clientHeight < NEAR;
    const followed = [pre, panelOf("report")].filter(isAtEnd);
    pre.append(`${text.trimEnd()}\n`);
    for (const e of followed) e.scrollTop = e.scrollHeight;
  }

  /** @param {string} part @param {string} text */
  text(part, text) {
    if (part === "explain") {
      const pre = element("pre", { tabindex: 0, role: "region", "aria-label": "Explanation" }, text.trimEnd());
      panelOf("explain").replaceChildren(pre);
      return;
    }
    const pre = this.part(part in PARTS ? part : "report");
    // messages add up; a table or a report takes the place of the one before
    pre.textContent = part === "findings" ? `${pre.textContent}${text.trimEnd()}\n` : text.trimEnd();
  }
}
