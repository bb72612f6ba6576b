// The Markdown that `blo` writes, as nodes: paragraphs, headings, lists, code, bold words. Whatever else there is stays as text.
// Nothing is parsed as HTML.

import { element } from "./dom.js";

// a single star is a product here
const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\([^)]*\)/g;

/** The nodes of a line. @param {string} text @returns {(Node|string)[]} */
export function inline(text) {
  const nodes = [];
  let end = 0;
  for (const found of text.matchAll(INLINE)) {
    nodes.push(text.slice(end, found.index));
    const [whole, code, strong, link] = found;
    if (code !== undefined) nodes.push(element("code", {}, code));
    else if (strong !== undefined) nodes.push(element("strong", {}, strong));
    // addresses within the documentation lead nowhere from here
    else nodes.push(link);
    end = found.index + whole.length;
  }
  nodes.push(text.slice(end));
  return nodes;
}

function paragraph(lines) {
  const made = element("p");
  lines.forEach((line, i) => {
    made.append(...inline(line.trimEnd()));
    if (i + 1 < lines.length) made.append(line.endsWith("  ") ? element("br") : " ");
  });
  return made;
}

const isIndented = (line) => /^ {2,}\S/.test(line);
const item = (line) => line.match(/^ ?[-*] (.*)$/);
const heading = (line) => line.match(/^#{1,6} (.*)$/);

/** Lines from `at` on while `test` holds of them, and where they end. */
function while_(lines, at, test) {
  let end = at;
  while (end < lines.length && test(lines[end], end)) end++;
  return [lines.slice(at, end), end];
}

/** @param {string[]} lines */
function dedented(lines) {
  const depths = lines.filter((l) => l.trim()).map((l) => l.search(/\S/));
  const depth = Math.min(...depths);
  return lines.map((l) => l.slice(depth)).join("\n").trimEnd();
}

/** @param {string} text @returns {DocumentFragment} */
export function markdown(text) {
  const made = document.createDocumentFragment();
  const lines = text.split("\n");
  const code = (body) => made.append(element("pre", {}, element("code", {}, body)));
  let at = 0;
  while (at < lines.length) {
    const line = lines[at];
    let block;
    if (!line.trim()) {
      at++;
    } else if (line.startsWith("```")) {
      [block, at] = while_(lines, at + 1, (l) => !l.startsWith("```"));
      code(block.join("\n"));
      at++;
    } else if (isIndented(line)) {
      [block, at] = while_(lines, at, (l, i) => isIndented(l) || (!l.trim() && isIndented(lines[i + 1] ?? "")));
      code(dedented(block));
    } else if (heading(line)) {
      made.append(element("h3", {}, ...inline(heading(line)[1])));
      at++;
    } else if (item(line)) {
      [block, at] = while_(lines, at, (l) => item(l));
      made.append(element("ul", {}, ...block.map((l) => element("li", {}, ...inline(item(l)[1])))));
    } else {
      [block, at] = while_(lines, at, (l, i) => l.trim() && !l.startsWith("```") && !(i > at && isIndented(l)));
      made.append(paragraph(block));
    }
  }
  return made;
}
