// A program in the fragment of an address: `#blo1=`, then the text in UTF-8, deflated, in base64 for addresses. Browsers do not
// send fragments, so the text goes to nobody.

const MARK = "#blo1=";
/** Bytes that a link may unpack to: a few can hold very many. */
const MOST = 4 << 20;

async function through(bytes, transform) {
  const reader = new Blob([bytes]).stream().pipeThrough(transform).getReader();
  const parts = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > MOST) {
      await reader.cancel();
      throw new Error("the link holds more than a program may have");
    }
    parts.push(value);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** The fragment of a text. @param {string} text */
export async function pack(text) {
  const bytes = await through(new TextEncoder().encode(text), new CompressionStream("deflate-raw"));
  let letters = "";
  for (const byte of bytes) letters += String.fromCharCode(byte);
  return MARK + btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** Whether a fragment holds a program. @param {string} fragment */
export const isPacked = (fragment) => fragment.startsWith(MARK);

/** The text of a fragment. @param {string} fragment @returns {Promise<string>} */
export async function unpack(fragment) {
  try {
    const letters = atob(fragment.slice(MARK.length).replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
    const text = await through(bytes, new DecompressionStream("deflate-raw"));
    return new TextDecoder("utf-8", { fatal: true }).decode(text);
  } catch {
    throw new Error("The link does not hold a whole program. Copy it again.");
  }
}
