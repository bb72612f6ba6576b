// The texts that the page holds: files of the folder, programs of the gallery, one that came with a link, and a new one. Each
// keeps its own changes, also over a reload of the page: they are in the session storage of this tab.

/**
 * @typedef {"file"|"gallery"|"link"|"new"} Kind
 * @typedef {object} Text
 * @property {Kind} kind
 * @property {string} name of a file its path in the folder, of a program of the gallery its name
 * @property {string} text as it is now
 * @property {string} was as it was opened
 */

const PLACE = "blo play";

const NEW = `## A leader x and a follower y who stays near x.
upper {
  var x in [-2, 2]
  minimize (x - 1)^2 + y^2
}

lower {
  var y
  minimize (y - x)^2
}
`;

/** Text as the editor counts it, with one end of lines; the server keeps that of the file. @param {string} text */
export const lines = (text) => text.replace(/\r\n?/g, "\n");

/** @param {Kind} kind @param {string} name */
export const keyOf = (kind, name) => `${kind}:${name}`;

export class Texts {
  constructor() {
    /** @type {Map<string, Text>} those that were opened */
    this.opened = new Map();
    /** @type {Text} */
    this.current = { kind: "new", name: "", text: NEW, was: NEW };
    /** The fragment whose text is among these. */
    this.fragment = "";
  }

  /** @param {Kind} kind @param {string} name @returns {Text|undefined} */
  find(kind, name) {
    return this.opened.get(keyOf(kind, name));
  }

  /** Makes a text the current one, with the changes that it had before. @param {Kind} kind @param {string} name @param {string} opened */
  open(kind, name, opened) {
    const was = lines(opened);
    const before = this.find(kind, name);
    const isEdited = before && before.text !== before.was;
    this.current = isEdited ? before : { kind, name, text: was, was };
    this.opened.set(keyOf(kind, name), this.current);
    this.keep();
    return this.current;
  }

  openNew() {
    return this.open("new", "", NEW);
  }

  /** @param {string} text what the current one has become */
  change(text) {
    this.current.text = text;
    this.keep();
  }

  /** The current text is in a file now. @param {string} name @param {string} text what was saved */
  saved(name, text) {
    this.opened.delete(keyOf(this.current.kind, this.current.name));
    this.current = { kind: "file", name, text: this.current.text, was: text };
    this.opened.set(keyOf("file", name), this.current);
    this.keep();
  }

  /** @param {Text} [text] */
  isEdited(text = this.current) {
    return text.text !== text.was;
  }

  /** Files with changes that are not in the folder. */
  unsavedFiles() {
    return [...this.opened.values()].filter((t) => t.kind === "file" && this.isEdited(t));
  }

  /** The name that the server sees: of a text without a file, one that a file might have. */
  fileName() {
    const { kind, name } = this.current;
    if (kind === "file") return name;
    return kind === "gallery" ? `${name}.blo` : "problem.blo";
  }

  keep() {
    const edited = [...this.opened.values()].filter((t) => this.isEdited(t) || t === this.current);
    const kept = { page: location.pathname, fragment: this.fragment, current: edited.indexOf(this.current), texts: edited };
    try {
      sessionStorage.setItem(PLACE, JSON.stringify(kept));
    } catch {
      // a browser without storage, or a full one: the text is on the page, and a reload loses it
    }
  }

  /**
   * Brings back what this tab had. A page of another server brings back changes only, since it opens with a text of its own.
   * @returns {boolean} whether there is a current text
   */
  restore() {
    let kept;
    try {
      kept = JSON.parse(sessionStorage.getItem(PLACE) ?? "null");
    } catch {
      return false;
    }
    if (!kept || !Array.isArray(kept.texts)) return false;
    for (const text of kept.texts) this.opened.set(keyOf(text.kind, text.name), text);
    const current = kept.texts[kept.current];
    const isSame = kept.page === location.pathname;
    if (!current || !(isSame || this.isEdited(current))) return false;
    this.current = current;
    this.fragment = kept.fragment;
    return true;
  }
}
