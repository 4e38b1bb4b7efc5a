/** Writes the bundle into dist/. `--check` writes nothing, and fails where dist/ is another one. */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";

import { bundles, ROOT } from "./bundle.js";

const FOLDER = path.join(ROOT, "dist");

const wanted = await bundles();
const present = new Map();
await mkdir(FOLDER, { recursive: true });
for (const name of await readdir(FOLDER)) {
  present.set(name, await readFile(path.join(FOLDER, name), "utf8"));
}
const changed = [...wanted].filter(([name, content]) => present.get(name) !== content);
const extra = [...present.keys()].filter((name) => !wanted.has(name));

if (process.argv.includes("--check")) {
  if (changed.length > 0 || extra.length > 0) {
    const names = [...changed.map(([name]) => name), ...extra].join(", ");
    console.error(`dist/ isn't what the sources make: ${names}. Run \`npm run build\`.`);
    process.exitCode = 1;
  }
} else {
  for (const name of extra) await rm(path.join(FOLDER, name));
  for (const [name, content] of changed) await writeFile(path.join(FOLDER, name), content);
}
