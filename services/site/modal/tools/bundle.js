/**
 * Makes what browsers load of the sources: one file for the way of most visitors, and a few that
 * are fetched when they are wanted. The name of each of these holds a digest of its content, so
 * that browsers may keep it for ever.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { build, transform } from "esbuild";

export const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SOURCES = path.join(ROOT, "src");

/** The oldest browsers that run the modal; README.md says what they lack. */
const TARGET = ["chrome87", "edge87", "firefox90", "safari15"];

/** The stable name, whose content changes with each version. */
export const MAIN = "wechat-login.js";

/** Where the others are: owners' reverse proxies let these paths through. */
const FOLDER = "wechat-login";

/** By the sources' names: what is fetched when it is wanted. */
const PIECES = [
  "lazy/web-authorization",
  "lazy/other-ways",
  "lazy/phone",
  "lazy/problems",
  "lazy/layered-dialog",
  "locale/en",
  "locale/zh-TW",
];

/** @param {string} content */
function digest(content) {
  return createHash("sha256").update(content).digest("hex").slice(0, 8);
}

/**
 * @param {string} entry
 * @param {import("esbuild").Plugin[]} plugins
 */
export async function bundle(entry, plugins = []) {
  const result = await build({
    absWorkingDir: ROOT,
    bundle: true,
    charset: "utf8",
    entryPoints: [path.resolve(SOURCES, entry)],
    format: "esm",
    legalComments: "none",
    logLevel: "error",
    minify: true,
    plugins,
    // Chromium before 91 gets it wrong for a spread argument alone, of which there is none.
    supported: { "optional-chain": true },
    target: TARGET,
    write: false,
  });
  return result.outputFiles[0].text;
}

/** @param {string} name */
async function styleSheet(name) {
  const css = await readFile(path.join(SOURCES, name), "utf8");
  const { code } = await transform(css, {
    charset: "utf8",
    loader: "css",
    minify: true,
    target: TARGET,
  });
  return code.trim();
}

/**
 * A style sheet that a script imports is its text, and the name of the file with the whole sheet.
 *
 * @param {string} file
 * @returns {import("esbuild").Plugin}
 */
function styleTexts(file) {
  return {
    name: "styles",
    setup(build) {
      build.onLoad({ filter: /\.css$/ }, async (sheet) => {
        const text = JSON.stringify(await styleSheet(path.relative(SOURCES, sheet.path)));
        const name = `export const file = ${JSON.stringify(file)};`;
        return { contents: `export default ${text}; ${name}`, loader: "js" };
      });
    },
  };
}

/** The sheet as older browsers read it: whole, with what the pieces add. */
export async function wholeStyleSheet() {
  const lazy = PIECES.map((piece) => `${piece}.css`).filter((name) =>
    existsSync(path.join(SOURCES, name)),
  );
  const sheets = await Promise.all(["styles.css", ...lazy, "styles-older.css"].map(styleSheet));
  const content = sheets.join("");
  const name = `${FOLDER}/styles.${digest(content)}.css`;
  return { name, content, plugin: styleTexts(name) };
}

/**
 * Every file by its name.
 *
 * @returns {Promise<Map<string, string>>}
 */
export async function bundles() {
  /** @type {Map<string, string>} */
  const files = new Map();
  const sheet = await wholeStyleSheet();
  files.set(sheet.name, sheet.content);

  /** @type {Map<string, string>} */
  const names = new Map();
  for (const piece of PIECES) {
    const content = await bundle(`${piece}.js`, [sheet.plugin]);
    const name = `${FOLDER}/${path.basename(piece)}.${digest(content)}.js`;
    names.set(path.join(SOURCES, `${piece}.js`), name);
    files.set(name, content);
  }

  const plugin = {
    name: "pieces",
    /** @param {import("esbuild").PluginBuild} build */
    setup(build) {
      build.onResolve({ filter: /.*/ }, ({ kind, path: wanted, resolveDir }) => {
        if (kind !== "dynamic-import") return undefined;
        const name = names.get(path.resolve(resolveDir, wanted));
        if (!name) return { errors: [{ text: `${wanted} is no piece of tools/bundle.js` }] };
        return { path: `./${name}`, external: true };
      });
    },
  };
  files.set(MAIN, withRetries(await bundle(MAIN, [plugin, sheet.plugin])));
  files.set("files.rs", listing([...files.keys()]));
  return new Map([...files].sort(([one], [other]) => (one < other ? -1 : 1)));
}

/**
 * Asks again for a piece that didn't come, where src/pieces.js wants it: browsers before 2026 keep in
 * mind for the whole page that a script failed (https://github.com/whatwg/html/issues/6768), and ask
 * only for another address. The first import stays as it is, since bundlers follow it.
 *
 * @param {string} script
 */
function withRetries(script) {
  const retry = "$1=>$1?import(/*@vite-ignore*/$2+$1):import($2)";
  return script.replace(/\b(\w+)=>import\((".*?")\)/g, retry);
}

/**
 * The files as a Rust expression, which the site includes.
 *
 * @param {string[]} names
 */
function listing(names) {
  const lines = [...names].sort().map((name) => `    ("${name}", include_str!("${name}")),\n`);
  return `// Made by tools/build.js.\n[\n${lines.join("")}]\n`;
}
