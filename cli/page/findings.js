// What the check finds while somebody writes: squiggles in the editor and a list below it. Also the colors of words.

import { announce, byId, element, later } from "./dom.js";
import { failure } from "./notice.js";
import { inline, markdown } from "./markdown.js";
import { Gone, post, Refusal } from "./server.js";

/** Milliseconds without a key before the server is asked. */
const CHECK = 250;
const COLORS = 60;

const WORDS = { error: ["error", "errors"], warning: ["warning", "warnings"], note: ["note", "notes"] };

/** "1 error, 2 notes" */
function counted(findings) {
  const count = (severity) => findings.filter((f) => f.severity === severity).length;
  const parts = Object.entries(WORDS).map(([severity, [one, many]]) => {
    const n = count(severity);
    return n > 0 ? `${n} ${n === 1 ? one : many}` : "";
  });
  return parts.filter(Boolean).join(", ") || "none";
}

export class Findings {
  /**
   * @param {any} editor
   * @param {() => string} name of the file
   * @param {(checked: {presets: string[], landscape: boolean, errors: number}) => void} checked is called after each check
   */
  constructor(editor, name, checked) {
    this.editor = editor;
    this.name = name;
    this.checked = checked;
    this.checkLater = later(CHECK, () => this.check());
    this.colorLater = later(COLORS, () => this.color());
    byId("code-close").addEventListener("click", () => byId("code-dialog").close());
  }

  /** The text has changed. */
  changed() {
    this.colorLater();
    this.checkLater();
  }

  /** There is another text. */
  opened() {
    this.color();
    this.check();
  }

  async color() {
    const text = this.editor.text();
    this.coloring?.abort();
    const coloring = new AbortController();
    this.coloring = coloring;
    try {
      const { tokens } = await post("api/tokens", { text }, coloring.signal);
      if (this.editor.text() === text) this.editor.setTokens(tokens);
    } catch (why) {
      if (coloring.signal.aborted) return;
      // the check says that there is no server; a text without colors can be read
      if (!(why instanceof Gone)) console.warn(why.message);
    }
  }

  async check() {
    const text = this.editor.text();
    // of an older text nobody wants to know any more
    this.checking?.abort();
    const checking = new AbortController();
    this.checking = checking;
    try {
      const found = await post("api/check", { name: this.name(), text }, checking.signal);
      if (this.editor.text() !== text) return;
      this.editor.setFindings(found.findings);
      this.list(found.findings, text);
      const errors = found.findings.filter((f) => f.severity === "error").length;
      this.checked({ presets: found.presets, landscape: found.landscape, errors });
    } catch (why) {
      if (checking.signal.aborted) return;
      if (why instanceof Refusal && why.stale) this.checkLater();
      // that there is no server is said already
      else if (!(why instanceof Gone)) failure(why);
    }
  }

  list(findings, text) {
    const count = counted(findings);
    if (byId("findings-count").textContent !== count) byId("findings-count").textContent = count;
    byId("findings").replaceChildren(...findings.map((finding, i) => this.entry(finding, i, text)));
  }

  entry(finding, index, text) {
    const { line, column } = this.editor.position(finding.from);
    const goTo = () => {
      const place = this.editor.placeOf(index) ?? finding;
      this.editor.goTo(place.from, place.to);
    };
    const [first, ...more] = finding.message.split("\n");
    const children = [
      element(
        "button",
        { type: "button", class: "place", click: goTo },
        element("span", { class: "severity" }, WORDS[finding.severity]?.[0] ?? finding.severity),
        element("span", { class: "message" }, ...inline(first)),
        element("span", { class: "at" }, `line ${line}, column ${column}`),
      ),
      element(
        "button",
        { type: "button", class: "code", "aria-label": `What ${finding.code} means`, click: () => this.explain(finding.code) },
        finding.code,
      ),
    ];
    if (more.length > 0) children.push(element("p", { class: "more" }, ...inline(more.join("\n").trim())));
    if (finding.fix) {
      const fix = () => {
        if (this.editor.edit(finding.fix.edits, text)) this.editor.focus();
        else announce("The text has changed. Wait for the next check.");
      };
      const label = finding.fix.safe ? "Fix: " : "Possible fix: ";
      children.push(element("button", { type: "button", class: "fix", click: fix }, label, ...inline(finding.fix.title)));
    }
    return element("li", { "data-severity": finding.severity }, ...children);
  }

  /** Shows what a code means. @param {string} code */
  async explain(code) {
    try {
      const { text } = await post("api/code", { code });
      byId("code-title").textContent = code;
      const [title, ...rest] = text.split("\n");
      // the title without the code, which stands above it
      const found = title.match(/^\w+ [BWN]\d{4}: (.*)$/);
      byId("code-text").replaceChildren(
        ...(found ? [element("p", { class: "lead" }, found[1])] : []),
        markdown(found ? rest.join("\n") : text),
      );
      byId("code-dialog").showModal();
      byId("code-text").scrollTop = 0;
    } catch (why) {
      failure(why);
    }
  }
}
