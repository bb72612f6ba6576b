// The line below the header: what has been done with a text, and what could not be.

import { byId, element } from "./dom.js";

/**
 * Shows a notice in the place of the one before.
 * @param {string|Node[]} text
 * @param {{tone?: "plain"|"error", more?: Node[]}} [options] `more`: buttons and fields beside it
 */
export function notice(text, { tone = "plain", more = [] } = {}) {
  const place = byId("notice");
  place.hidden = false;
  place.dataset.tone = tone;
  byId("notice-text").replaceChildren(...(typeof text === "string" ? [text] : text));
  byId("notice-more").replaceChildren(...more);
}

/** Hides it; the focus goes to `next` if it was there. @param {HTMLElement} [next] */
export function closeNotice(next) {
  const place = byId("notice");
  if (place.contains(document.activeElement)) next?.focus();
  place.hidden = true;
  byId("notice-text").replaceChildren();
  byId("notice-more").replaceChildren();
}

/** Shows why something did not work. */
export const failure = (why, more = []) => notice(why.message, { tone: "error", more });

/** A button for a notice. @param {string} label @param {() => void} act */
export const noticeButton = (label, act) => element("button", { type: "button", click: act }, label);
