// The editor of the page: CodeMirror 6 with what `blo` says of a text. It knows neither the server nor the page. Places are
// counted in UTF-16 code units from the start of the text, as CodeMirror does.

import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentLess, indentMore, isolateHistory } from "@codemirror/commands";
import { bracketMatching, indentUnit } from "@codemirror/language";
import { forEachDiagnostic, lintGutter, nextDiagnostic, previousDiagnostic, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { EditorSelection, EditorState, Prec, StateEffect, StateField, Transaction } from "@codemirror/state";
import {
  Decoration,
  drawSelection,
  dropCursor,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  hoverTooltip,
  keymap,
  lineNumbers,
  rectangularSelection,
  showTooltip,
} from "@codemirror/view";

/**
 * @typedef {{from: number, to: number, insert: string}} Edit
 * @typedef {{title: string, safe: boolean, edits: Edit[]}} Fix
 * @typedef {{from: number, to: number, severity: "error"|"warning"|"note", code: string, message: string, fix: Fix|null}}
 *   Finding
 * @typedef {{from: number, to: number, markdown: string}} Hover
 * @typedef {{label: string, kind: string, detail?: string, doc?: string, from: number, to: number, insert: string}} Item
 *
 * @typedef {object} Options
 * @property {Element} parent
 * @property {string} nonce of the style elements that CodeMirror adds
 * @property {string} label the name of the editor for screen readers
 * @property {string} describedby the id of the text that says which keys there are
 * @property {(text: string) => void} onChange
 * @property {(at: number) => Promise<Hover|null>} hover
 * @property {(at: number) => Promise<Item[]>} complete
 * @property {(markdown: string) => Node} render makes a node of Markdown
 * @property {(said: string) => void} announce to screen readers
 */

// Colors of words. They move with the text until the next ones come.
const setTokens = StateEffect.define();
const marks = new Map();

/** @param {string} type a type of semantic tokens */
function mark(type) {
  const name = type.replace(/[^A-Za-z]/g, "");
  if (!marks.has(name)) marks.set(name, Decoration.mark({ class: `tok-${name}` }));
  return marks.get(name);
}

const tokens = StateField.define({
  create: () => Decoration.none,
  update(old, change) {
    const effect = change.effects.find((e) => e.is(setTokens));
    if (!effect) return old.map(change.changes);
    const end = change.state.doc.length;
    const there = effect.value.filter(([from, to]) => from < to && to <= end);
    return Decoration.set(there.map(([from, to, type]) => mark(type).range(from, to)), true);
  },
  provide: (field) => EditorView.decorations.from(field),
});

// What is known of the word at the caret, for who has no mouse.
const setAtCaret = StateEffect.define();
const atCaret = StateField.define({
  create: () => null,
  update(old, change) {
    const effect = change.effects.find((e) => e.is(setAtCaret));
    if (effect) return effect.value;
    return change.docChanged || change.selection ? null : old;
  },
  provide: (field) => showTooltip.from(field),
});

/** @param {Options} options @param {Hover} found */
function tooltip(options, found) {
  return {
    pos: found.from,
    end: found.to,
    above: true,
    create() {
      const dom = document.createElement("div");
      dom.className = "doc-tooltip";
      dom.append(options.render(found.markdown));
      return { dom };
    },
  };
}

/** @param {Options} options */
function showAtCaret(options) {
  return (view) => {
    options.hover(view.state.selection.main.head).then((found) => {
      if (!found) return options.announce("Nothing is known of the word at the caret.");
      const shown = tooltip(options, found);
      view.dispatch({ effects: setAtCaret.of(shown) });
      options.announce(options.render(found.markdown).textContent ?? "");
    });
    return true;
  };
}

function hideAtCaret(view) {
  if (!view.state.field(atCaret)) return false;
  view.dispatch({ effects: setAtCaret.of(null) });
  return true;
}

/** @param {Options} options */
function completions(options) {
  return async (context) => {
    const word = context.matchBefore(/[\p{L}\p{N}_]+$/u);
    const opens = context.matchBefore(/["./]$/);
    if (!word && !opens && !context.explicit) return null;
    const items = await options.complete(context.pos);
    if (context.aborted || items.length === 0) return null;
    const from = Math.min(...items.map((i) => i.from));
    return {
      from,
      options: items.map((item) => ({
        label: item.label,
        detail: item.detail || undefined,
        type: item.kind,
        info: item.doc ? () => options.render(item.doc) : undefined,
        apply: (view, _, __, to) => {
          const changes = { from: Math.min(item.from, to), to, insert: item.insert };
          const end = changes.from + item.insert.length;
          view.dispatch({ changes, selection: { anchor: end }, userEvent: "input.complete" });
        },
      })),
      validFor: /^[\p{L}\p{N}_]*$/u,
    };
  };
}

// Typing over a selection: a browser keeps the style of what was selected in a style attribute, which the page's policy refuses
// with an error. So this kind of input does not reach it.
const typeOver = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { from, to, empty } = view.state.selection.main;
    if (event.inputType !== "insertText" || event.isComposing || view.composing || empty || event.data === null) return false;
    const insert = () => view.state.update(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
    const isTaken = view.state.facet(EditorView.inputHandler).some((take) => take(view, from, to, event.data, insert));
    if (!isTaken) view.dispatch(insert());
    event.preventDefault();
    return true;
  },
});

const theme = EditorView.theme({
  "&": { height: "100%", color: "var(--text)", backgroundColor: "var(--surface)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", fontSize: "var(--code-size)", lineHeight: "1.55" },
  ".cm-content": { padding: "10px 0", caretColor: "var(--text)" },
  ".cm-line": { padding: "0 12px 0 6px" },
  ".cm-cursor": { borderLeftColor: "var(--text)", borderLeftWidth: "2px" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "var(--selection)",
  },
  ".cm-gutters": { backgroundColor: "var(--surface)", color: "var(--faint)", border: "none" },
  ".cm-lineNumbers .cm-gutterElement": { padding: "0 8px 0 4px", minWidth: "2.2em" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "transparent" },
  "&.cm-focused .cm-activeLine, &.cm-focused .cm-activeLineGutter": { backgroundColor: "var(--line)" },
  ".cm-activeLineGutter": { color: "var(--text)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--bracket)" },
  ".cm-selectionMatch": { backgroundColor: "var(--bracket)" },
  ".cm-gutter-lint": { width: "16px" },
  ".cm-gutter-lint .cm-gutterElement": { padding: "0 0 0 4px" },
  ".cm-lint-marker": { content: "none", width: "9px", height: "9px", marginTop: "0.5em", borderRadius: "50%" },
  ".cm-lint-marker-error": { backgroundColor: "var(--error)" },
  ".cm-lint-marker-warning": { backgroundColor: "var(--warning)", borderRadius: "1px" },
  ".cm-lint-marker-info": { border: "2px solid var(--note)", boxSizing: "border-box" },
  ".cm-lintRange": { backgroundImage: "none", textDecoration: "underline wavy 1.2px", textUnderlineOffset: "3px" },
  ".cm-lintRange-error": { textDecorationColor: "var(--error)" },
  ".cm-lintRange-warning": { textDecorationColor: "var(--warning)" },
  ".cm-lintRange-info": { textDecorationColor: "var(--note)", textDecorationStyle: "dotted" },
  ".cm-lintRange-active": { backgroundColor: "var(--bracket)" },
  ".cm-tooltip": {
    color: "var(--text)",
    backgroundColor: "var(--raised)",
    border: "1px solid var(--edge)",
    borderRadius: "6px",
    boxShadow: "var(--shadow)",
    maxWidth: "min(34rem, 92vw)",
    overflow: "hidden",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", fontSize: "13px", maxHeight: "15em" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "3px 10px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": {
    color: "var(--on-accent)",
    backgroundColor: "var(--accent)",
  },
  "li[aria-selected] .cm-completionDetail": { color: "var(--on-accent)" },
  ".cm-completionDetail": { color: "var(--muted)", fontStyle: "normal" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700" },
  ".cm-tooltip.cm-completionInfo": { padding: "8px 12px" },
  ".cm-diagnostic": { padding: "6px 12px", borderLeft: "3px solid var(--note)", whiteSpace: "pre-wrap" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--error)" },
  ".cm-diagnostic-warning": { borderLeftColor: "var(--warning)" },
  ".cm-diagnosticAction": {
    color: "var(--on-accent)",
    backgroundColor: "var(--accent)",
    borderRadius: "4px",
    padding: "2px 8px",
  },
  ".cm-diagnosticSource": { color: "var(--muted)", opacity: "1", fontSize: "12px" },
  ".cm-panels": { color: "var(--text)", backgroundColor: "var(--raised)", borderColor: "var(--edge)" },
  ".cm-panels button, .cm-panels input": { font: "13px var(--sans)" },
  ".cm-textfield": { color: "var(--text)", backgroundColor: "var(--surface)", border: "1px solid var(--control)" },
  ".cm-button": {
    color: "var(--text)",
    background: "none",
    backgroundColor: "var(--surface)",
    border: "1px solid var(--control)",
    borderRadius: "4px",
  },
  ".cm-searchMatch": { backgroundColor: "var(--match)" },
  ".cm-searchMatch-selected": { outline: "2px solid var(--accent)" },
  ".cm-button:focus-visible, .cm-textfield:focus-visible": { outline: "2px solid var(--accent)" },
});

/** @param {Options} options @param {() => void} changed */
function extensions(options, changed) {
  return [
    EditorView.cspNonce.of(options.nonce),
    lineNumbers(),
    lintGutter(),
    tokens,
    atCaret,
    history(),
    drawSelection(),
    dropCursor(),
    rectangularSelection(),
    bracketMatching(),
    closeBrackets(),
    typeOver,
    highlightActiveLine(),
    highlightActiveLineGutter(),
    highlightSelectionMatches(),
    search({ top: true }),
    indentUnit.of("  "),
    EditorState.tabSize.of(2),
    EditorState.languageData.of(() => [
      { commentTokens: { line: "#" }, closeBrackets: { brackets: ["(", "[", "{", '"'] } },
    ]),
    autocompletion({ override: [completions(options)], icons: false }),
    hoverTooltip(async (_, at) => {
      const found = await options.hover(at);
      return found && tooltip(options, found);
    }),
    EditorView.contentAttributes.of({
      tabindex: "0",
      "aria-label": options.label,
      "aria-describedby": options.describedby,
      autocapitalize: "off",
      spellcheck: "false",
    }),
    Prec.high(
      keymap.of([
        { key: "Mod-i", run: showAtCaret(options) },
        { key: "Escape", run: hideAtCaret },
        { key: "F8", run: nextDiagnostic, shift: previousDiagnostic },
        { key: "Mod-]", run: indentMore, preventDefault: true },
        { key: "Mod-[", run: indentLess, preventDefault: true },
      ]),
    ),
    // Tab is not among them: it leaves the editor
    keymap.of([...closeBracketsKeymap, ...completionKeymap, ...searchKeymap, ...historyKeymap, ...defaultKeymap]),
    EditorView.updateListener.of((update) => update.docChanged && changed()),
    theme,
  ];
}

/** The smallest replacement that makes `after` of `before`, so that caret and marks stay where they are. */
function difference(before, after) {
  let from = 0;
  const most = Math.min(before.length, after.length);
  while (from < most && before.charCodeAt(from) === after.charCodeAt(from)) from++;
  let tail = 0;
  while (tail < most - from && before.charCodeAt(before.length - 1 - tail) === after.charCodeAt(after.length - 1 - tail)) tail++;
  return { from, to: before.length - tail, insert: after.slice(from, after.length - tail) };
}

/** @param {Options} options */
export function createEditor(options) {
  const fresh = (text) => EditorState.create({ doc: text, extensions: extensions(options, () => options.onChange(read())) });
  const view = new EditorView({ parent: options.parent, state: fresh("") });
  const read = () => view.state.doc.toString();

  return {
    text: read,
    focus: () => view.focus(),
    hasFocus: () => view.hasFocus,

    /** Opens another text: nothing before it can be undone. */
    open(text) {
      view.setState(fresh(text));
      view.scrollDOM.scrollTop = 0;
    },

    /** Changes the text to another one; this can be undone in one step. */
    replace(text) {
      if (text === read()) return;
      view.dispatch({ changes: difference(read(), text), annotations: isolateHistory.of("full"), userEvent: "input.replace" });
    },

    /** @param {[number, number, string][]} found */
    setTokens(found) {
      view.dispatch({ effects: setTokens.of(found), annotations: Transaction.addToHistory.of(false) });
    },

    /** @param {Finding[]} findings */
    setFindings(findings) {
      const end = view.state.doc.length;
      const text = read();
      const shown = findings.map((finding, index) => {
        const from = Math.min(finding.from, end);
        return {
          index,
          from,
          to: Math.min(Math.max(finding.to, from), end),
          severity: finding.severity === "note" ? "info" : finding.severity,
          source: finding.code,
          message: finding.message,
          actions: finding.fix ? [{ name: finding.fix.title, apply: () => this.edit(finding.fix.edits, text) }] : [],
        };
      });
      view.dispatch(setDiagnostics(view.state, shown));
    },

    /** Where a finding is now: findings move with the text. */
    placeOf(index) {
      let found = null;
      forEachDiagnostic(view.state, (shown, from, to) => {
        if (shown.index === index) found = { from, to };
      });
      return found;
    },

    /** Puts the caret at a place and shows it. */
    goTo(from, to = from) {
      const end = view.state.doc.length;
      const selection = EditorSelection.single(Math.min(from, end), Math.min(to, end));
      view.dispatch({ selection, effects: EditorView.scrollIntoView(selection.main, { y: "center" }) });
      view.focus();
    },

    /** Makes edits of a text, unless there is another one meanwhile. @param {Edit[]} edits @param {string} text */
    edit(edits, text) {
      if (read() !== text) return false;
      const changes = view.state.changes(edits);
      view.dispatch({ changes, annotations: isolateHistory.of("full"), userEvent: "input.fix", scrollIntoView: true });
      return true;
    },

    /** Line and column of a place, from 1. */
    position(at) {
      const line = view.state.doc.lineAt(Math.min(at, view.state.doc.length));
      return { line: line.number, column: at - line.from + 1 };
    },
  };
}
