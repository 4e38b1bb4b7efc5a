/**
 * The gallery of all states: `npm run gallery` serves it on this machine, and
 * `node tools/gallery.js FOLDER` writes it there.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";

import { bundle, ROOT, wholeStyleSheet } from "./bundle.js";

const SOURCES = path.join(ROOT, "gallery");

const sheet = await wholeStyleSheet();
/** @type {Map<string, string>} */
const files = new Map([
  ["index.html", await readFile(path.join(SOURCES, "index.html"), "utf8")],
  ["gallery.css", await readFile(path.join(SOURCES, "gallery.css"), "utf8")],
  ["gallery.js", await bundle(path.join(SOURCES, "gallery.js"), [sheet.plugin])],
  [sheet.name, sheet.content],
]);

const TYPES = { html: "text/html", css: "text/css", js: "text/javascript" };

const [, , folder] = process.argv;
if (folder) {
  await mkdir(folder, { recursive: true });
  for (const [name, content] of files) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  }
} else {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const name = pathname.slice(1) || "index.html";
    const content = files.get(name);
    const type = TYPES[/** @type {keyof typeof TYPES} */ (path.extname(name).slice(1))];
    response.writeHead(content ? 200 : 404, { "content-type": `${type}; charset=utf-8` });
    response.end(content);
  });
  server.listen(0, "127.0.0.1", () => {
    const address = /** @type {import("node:net").AddressInfo} */ (server.address());
    console.log(`http://127.0.0.1:${address.port}/`);
  });
}
