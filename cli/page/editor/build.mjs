// Bundles editor.mjs to ../editor.js, or into the folder that is named, and gathers the licenses of what is bundled beside it
// in LICENSES.txt. The same versions give the same bytes.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const into = process.argv[2];
const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: ["editor.mjs"],
  outfile: into ? join(into, "editor.js") : "../editor.js",
  bundle: true,
  format: "esm",
  minify: true,
  charset: "utf8",
  legalComments: "none",
  target: ["es2022"],
  banner: { js: "// Made of cli/page/editor; licenses in cli/page/editor/LICENSES.txt. Do not edit." },
  metafile: true,
});

const packages = new Set();
for (const input of Object.keys(metafile.inputs)) {
  const found = input.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)\//);
  if (found) packages.add(found[1]);
}
const texts = new Map();
for (const name of [...packages].sort()) {
  const folder = join(here, "node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const text = readFileSync(join(folder, "LICENSE"), "utf8").trim();
  texts.set(text, [...(texts.get(text) ?? []), `${name} ${version} (${license})`]);
}
const parts = [...texts].map(([text, names]) => `${names.join("\n")}\n\n${text}\n`);
const head = "What is bundled in cli/page/editor.js, with its licenses.\n";
writeFileSync(into ? join(into, "LICENSES.txt") : join(here, "LICENSES.txt"), [head, ...parts].join(`\n${"-".repeat(80)}\n\n`));
