// Elements of the page.

/** The element of an id, which index.html has. @param {string} id @returns {any} */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no #${id}`);
  return found;
}

/**
 * A new element.
 * @param {string} tag
 * @param {Record<string, any>} [properties] attributes; functions are listeners, `false` and `null` leave an attribute out
 * @param {...(Node|string)} children
 * @returns {any}
 */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value !== false && value !== null) made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children);
  return made;
}

/** Whether a button does something now. It keeps its place in the order of Tab, and says why when it is pressed. */
export function enable(button, enabled) {
  if (enabled) button.removeAttribute("aria-disabled");
  else button.setAttribute("aria-disabled", "true");
}

/** @param {Element} button */
export const isEnabled = (button) => button.getAttribute("aria-disabled") !== "true";

/** Calls `act` once after `pause` ms without another call. @param {number} pause @param {() => void} act */
export function later(pause, act) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(act, pause);
  };
}

/** Says something to screen readers only. */
export function announce(said) {
  const place = byId("said");
  place.textContent = "";
  // a text that is the same as before would not be said again
  requestAnimationFrame(() => (place.textContent = said));
}
