/**
 * Makes what browsers load of the sources: one file for the way of most visitors, and a few that
 * are fetched when they are wanted. The name of each of these holds a digest of its content, so
 * that browsers may keep it for ever.
 */
import { createHash } from "node:crypto";
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

/** By the sources' names: what is fetched when it is wanted. */
const PIECES = [
  "lazy/web-authorization",
  "lazy/phone",
  "lazy/layered-dialog",
  "locale/en",
  "locale/zh-TW",
];

/** @param {string} content */
function digest(content) {
  return createHash("sha256").update(content).digest("hex").slice(0, 12);
}

/**
 * @param {string} entry
 * @param {import("esbuild").Plugin[]} plugins
 */
async function bundle(entry, plugins = []) {
  const result = await build({
    absWorkingDir: ROOT,
    bundle: true,
    charset: "utf8",
    entryPoints: [path.join(SOURCES, entry)],
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

/** A style sheet that a script imports is a text. @type {import("esbuild").Plugin} */
const inlinedStyles = {
  name: "styles",
  setup(build) {
    build.onLoad({ filter: /\.css$/ }, async ({ path: file }) => ({
      contents: await styleSheet(path.relative(SOURCES, file)),
      loader: "text",
    }));
  },
};

/**
 * Every file by its name.
 *
 * @returns {Promise<Map<string, string>>}
 */
export async function bundles() {
  /** @type {Map<string, string>} */
  const files = new Map();
  const styles = await styleSheet("styles.css");
  const others = ["lazy/web-authorization.css", "styles-older.css"].map(styleSheet);
  const sheet = [styles, ...(await Promise.all(others))].join("");
  const sheetName = `wechat-login.styles.${digest(sheet)}.css`;
  files.set(sheetName, sheet);

  /** @type {Map<string, string>} */
  const names = new Map();
  for (const piece of PIECES) {
    const content = await bundle(`${piece}.js`, [inlinedStyles]);
    const name = `wechat-login.${path.basename(piece)}.${digest(content)}.js`;
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
      build.onLoad({ filter: /styles\.css$/ }, () => ({
        contents: `export default ${JSON.stringify(styles)};
          export const file = ${JSON.stringify(sheetName)};`,
        loader: "js",
      }));
    },
  };
  files.set(MAIN, await bundle(MAIN, [plugin]));
  files.set("files.rs", listing([...files.keys()]));
  return new Map([...files].sort(([one], [other]) => (one < other ? -1 : 1)));
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
