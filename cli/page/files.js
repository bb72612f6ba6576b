// The header: which text is open, and Save, Revert, Format and Share.

import { byId, element, enable, isEnabled } from "./dom.js";
import { closeNotice, failure, notice, noticeButton } from "./notice.js";
import { post, Refusal } from "./server.js";
import { isPacked, pack, unpack } from "./share.js";
import { keyOf, lines } from "./texts.js";

/** Characters of a title in the list. */
const TITLE = 64;

export class Files {
  /**
   * @param {any} start what the server has said at the start
   * @param {import("./texts.js").Texts} texts
   * @param {any} editor
   * @param {() => void} opened is called when there is another text
   */
  constructor(start, texts, editor, opened) {
    this.start = start;
    this.texts = texts;
    this.editor = editor;
    this.opened = opened;
    this.select = byId("file");
    this.select.addEventListener("change", () => this.choose(this.select.value));
    byId("save").addEventListener("click", () => this.save());
    byId("revert").addEventListener("click", () => isEnabled(byId("revert")) && this.editor.replace(texts.current.was));
    byId("format").addEventListener("click", () => this.format());
    byId("share").addEventListener("click", () => this.share());
    byId("notice-close").addEventListener("click", () => closeNotice(this.select));
    byId("save-form").addEventListener("submit", (event) => this.submit(event));
    byId("save-cancel").addEventListener("click", () => byId("save-dialog").close());
    byId("save-folder").textContent = start.folder;
    window.addEventListener("hashchange", () => this.followLink());
    window.addEventListener("beforeunload", (event) => {
      if (texts.unsavedFiles().length > 0) event.preventDefault();
    });
    this.list();
  }

  /** Opens what the page begins with. */
  async begin() {
    const { texts, start } = this;
    const restored = texts.restore();
    const fragment = location.hash;
    if (isPacked(fragment) && fragment !== texts.fragment) return this.followLink();
    if (restored) return this.show();
    if (start.text !== null && start.text !== undefined) texts.open("link", "", start.text);
    else if (start.file) texts.open("file", start.file.name, start.file.text);
    else {
      const first = start.gallery.find((g) => g.landscape) ?? start.gallery[0];
      if (first) texts.open("gallery", first.name, first.text);
      else texts.openNew();
    }
    this.show();
  }

  /** Opens the text of the address. */
  async followLink() {
    const fragment = location.hash;
    if (!isPacked(fragment) || fragment === this.texts.fragment) return;
    try {
      const text = await unpack(fragment);
      // another link is another text, whatever was changed in the one before
      this.texts.opened.delete(keyOf("link", ""));
      this.texts.fragment = fragment;
      this.texts.open("link", "", text);
    } catch (why) {
      failure(why);
      if (!this.texts.restore()) this.texts.openNew();
    }
    this.show();
  }

  /** Makes the list of all texts. */
  list() {
    const { start, texts } = this;
    const option = (kind, name, label) => element("option", { value: keyOf(kind, name) }, label);
    const options = (kind, entries) => entries.map(([name, label]) => option(kind, name, label));
    const group = (label, children) => (children.length > 0 ? [element("optgroup", { label }, ...children)] : []);
    const edited = (kind, name) => {
      const text = texts.find(kind, name);
      return text && texts.isEdited(text) ? " (edited)" : "";
    };
    const title = (g) => (g.title.length > TITLE ? `${g.title.slice(0, TITLE).trimEnd()}…` : g.title);
    const files = start.files.map((name) => [name, name + edited("file", name)]);
    const gallery = start.gallery.map((g) => [g.name, `${g.name}${edited("gallery", g.name)} · ${title(g)}`]);
    const link = texts.find("link", "") ? [["", "Shared program"]] : [];
    this.select.replaceChildren(
      option("new", "", "New program"),
      ...options("link", link),
      ...group(`Folder ${start.folder}`, options("file", files)),
      ...group("Gallery", options("gallery", gallery)),
    );
    this.select.value = keyOf(texts.current.kind, texts.current.name);
  }

  /** @param {string} key */
  async choose(key) {
    const [kind, name] = [key.slice(0, key.indexOf(":")), key.slice(key.indexOf(":") + 1)];
    const { texts, start } = this;
    closeNotice();
    try {
      const before = texts.find(kind, name);
      if (before && texts.isEdited(before)) texts.open(kind, name, before.was);
      else if (kind === "file") texts.open(kind, name, (await post("api/open", { name })).text);
      else if (kind === "gallery") texts.open(kind, name, start.gallery.find((g) => g.name === name).text);
      else if (kind === "link") texts.open(kind, name, before.was);
      else texts.openNew();
      // the address goes with the text that was shared
      if (kind !== "link" && location.hash) {
        history.replaceState(null, "", location.pathname);
        texts.fragment = "";
        texts.keep();
      }
      this.show();
    } catch (why) {
      failure(why);
      this.list();
    }
  }

  /** Puts the current text into the editor. */
  show() {
    this.editor.open(this.texts.current.text);
    this.list();
    this.changed();
    this.opened();
  }

  /** The text in the editor has changed. */
  changed() {
    const { texts } = this;
    const { kind, name } = texts.current;
    const label = { file: name, gallery: name, link: "shared program", new: "new program" }[kind];
    const isEdited = texts.isEdited();
    byId("name").textContent = label;
    const mark = byId("unsaved");
    if (mark.hidden === isEdited) {
      mark.hidden = !isEdited;
      this.list();
    }
    mark.textContent = kind === "file" ? "not saved" : "edited";
    enable(byId("revert"), isEdited);
    document.title = `${isEdited && kind === "file" ? "* " : ""}${label} - blo play`;
  }

  save() {
    if (this.texts.current.kind === "file") return this.write(this.texts.current.name, this.texts.current.was);
    this.ask(this.texts.fileName());
  }

  /** Asks for a name. @param {string} name a proposal */
  ask(name) {
    byId("save-error").textContent = "";
    byId("save-name").value = name;
    byId("save-dialog").showModal();
    byId("save-name").select();
  }

  async submit(event) {
    event.preventDefault();
    const typed = byId("save-name").value.trim();
    if (!typed) {
      byId("save-error").textContent = "Type a name for the file.";
      return;
    }
    const name = typed.endsWith(".blo") ? typed : `${typed}.blo`;
    try {
      await this.send(name, null);
      byId("save-dialog").close();
    } catch (why) {
      byId("save-error").textContent = why.message;
    }
  }

  async send(name, was) {
    const text = this.editor.text();
    await post("api/save", { name, text, was });
    this.texts.saved(name, text);
    if (!this.start.files.includes(name)) this.start.files = [...this.start.files, name].sort();
    this.list();
    this.changed();
    notice(`Saved ${name} in ${this.start.folder}.`);
  }

  async write(name, was) {
    try {
      await this.send(name, was);
    } catch (why) {
      if (!(why instanceof Refusal && why.status === 409)) return failure(why);
      failure(why, [
        noticeButton("Save under another name", () => this.ask(name.replace(/(\.blo)?$/, "_2.blo"))),
        noticeButton("Open the version of the folder", () => this.reopen(name)),
      ]);
    }
  }

  /** Replaces the text by that of the file; this can be undone. */
  async reopen(name) {
    try {
      const text = lines((await post("api/open", { name })).text);
      this.texts.current.was = text;
      this.editor.replace(text);
      this.changed();
      notice(`Opened ${name} as it is in the folder. Undo in the editor brings back your text.`);
    } catch (why) {
      failure(why);
    }
  }

  async format() {
    const text = this.editor.text();
    try {
      const answer = await post("api/format", { text });
      if (answer.refused) return notice(answer.refused, { tone: "error" });
      // who has typed meanwhile asks again
      if (this.editor.text() !== text) return;
      notice(answer.text === text ? "The layout is right already." : "Formatted.");
      this.editor.replace(answer.text);
    } catch (why) {
      failure(why);
    }
  }

  async share() {
    try {
      const fragment = await pack(this.editor.text());
      this.texts.fragment = fragment;
      this.texts.keep();
      history.replaceState(null, "", fragment);
      const link = `${location.origin}/${fragment}`;
      const copied = await navigator.clipboard.writeText(link).then(() => true, () => false);
      const field = element("input", { id: "link", readonly: true, value: link, "aria-label": "Link", size: 28 });
      field.addEventListener("focus", () => field.select());
      const said = [
        copied ? "Link copied. " : "The browser does not let this page copy: copy the link from the field. ",
        "Whoever has blo opens it with ",
        element("code", {}, "blo play 'LINK'"),
        ".",
      ];
      notice(said, { more: [field] });
    } catch (why) {
      failure(why);
    }
  }
}
