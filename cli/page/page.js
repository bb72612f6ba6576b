// The page of `blo play`: an editor, runs of its program, and what they say. This file puts the parts together.

import { announce, byId, element } from "./dom.js";
import { createEditor } from "./editor.js";
import { Files } from "./files.js";
import { Findings } from "./findings.js";
import { markdown } from "./markdown.js";
import { failure } from "./notice.js";
import { Results } from "./results.js";
import { Runs } from "./runs.js";
import { get, post } from "./server.js";
import { Texts } from "./texts.js";

const isMac = /Mac|iPhone|iPad/.test(navigator.platform);
const control = isMac ? "⌘" : "Ctrl";

/** What an editor asks beside checks. An answer that does not come is none: the check says when there is no server. */
async function ask(path, asked, none) {
  try {
    return await post(path, asked);
  } catch {
    return none;
  }
}

async function begin() {
  let start;
  try {
    start = await get("api/start");
  } catch (why) {
    return failure(why);
  }
  const texts = new Texts();
  const name = () => texts.fileName();
  const editor = createEditor({
    parent: byId("editor"),
    nonce: document.querySelector('meta[name="csp-nonce"]').content,
    label: "Program",
    describedby: "keys",
    onChange: (text) => {
      texts.change(text);
      files.changed();
      findings.changed();
    },
    hover: (at) => ask("api/hover", { name: name(), text: editor.text(), at }, null),
    complete: async (at) => (await ask("api/complete", { name: name(), text: editor.text(), at }, { items: [] })).items,
    render: markdown,
    announce,
  });
  const runs = new Runs(start, new Results(), () => ({ name: name(), text: editor.text() }));
  const findings = new Findings(editor, name, (found) => runs.offer(found));
  const files = new Files(start, texts, editor, () => findings.opened());

  const keys = (event) => {
    const withControl = (isMac ? event.metaKey : event.ctrlKey) && !event.altKey && !event.shiftKey;
    const act = withControl
      ? { Enter: () => runs.run("solve"), s: () => files.save(), ".": () => runs.cancel() }[event.key]
      : event.altKey && event.shiftKey && event.code === "KeyF" && (() => files.format());
    if (!act || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };
  // before the editor, which has meanings of its own for some of them
  window.addEventListener("keydown", keys, { capture: true });
  for (const [id, key] of [["run", "Enter"], ["save", "S"], ["cancel", "."]]) {
    byId(id).title = `${control}+${key}`;
  }
  for (const key of document.querySelectorAll("kbd.control")) key.textContent = control;
  const { version, folder, limits } = start;
  byId("footer").replaceChildren(
    element("span", {}, `blo ${version}`),
    element("span", {}, `folder ${folder}`),
    element("span", {}, `a run ends after ${limits.seconds} s, or with more than ${limits.memory}`),
    element("span", {}, "everything stays on this machine"),
  );
  await files.begin();
}

begin();
