// Requests to the server that has served this page. Addresses are relative: the path of the page holds its token.

import { byId } from "./dom.js";

/** What the server refuses, in its own words. */
export class Refusal extends Error {
  /** @param {number} status @param {any} answer */
  constructor(status, answer) {
    super(answer?.message ?? `the server answered with ${status}`);
    this.status = status;
    /** Another page has asked for a check meanwhile, and the server makes one at a time. */
    this.stale = answer?.stale === true;
  }
}

/** The server does not answer. */
export class Gone extends Error {
  constructor() {
    super("The server does not answer.");
  }
}

async function send(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (why) {
    if (options.signal?.aborted) throw why;
    gone(true);
    throw new Gone();
  }
  gone(false);
  if (response.ok) return response;
  const answer = await response.json().catch(() => null);
  throw new Refusal(response.status, answer);
}

/** Tells that there is no server, until there is one again. */
function gone(is) {
  const place = byId("gone");
  if (place.hidden !== is) return;
  place.hidden = !is;
  place.textContent = is
    ? "The server of this page does not answer. Your text is still here: start `blo play` again and copy it there, " +
      "or save it from the clipboard."
    : "";
}

const json = { "Content-Type": "application/json" };

/** @param {string} path */
export const get = async (path) => (await send(path, { cache: "no-store" })).json();

/** @param {string} path @param {object} asked @param {AbortSignal} [signal] @returns {Promise<any>} */
export const post = async (path, asked, signal) =>
  (await send(path, { method: "POST", headers: json, body: JSON.stringify(asked), signal })).json();

/** Events of a run, a line each. @param {string} path @param {object} asked */
export async function* stream(path, asked) {
  const response = await send(path, { method: "POST", headers: json, body: JSON.stringify(asked) });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(() => {
        gone(true);
        throw new Gone();
      });
      if (done) break;
      const lines = (rest + value).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line.trim()) yield JSON.parse(line);
    }
    if (rest.trim()) yield JSON.parse(rest);
  } finally {
    reader.cancel().catch(() => {});
  }
}
