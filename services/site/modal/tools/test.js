/**
 * `npm test`: that dist/ is what the sources make, that the sources and the public types are right,
 * and that the packed package works where it is installed: in a page that a server renders, for
 * TypeScript with React 18 and 19, and for vue-tsc. Files in tests/types/fails must not compile.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";

import { ROOT } from "./bundle.js";

const MODULES = path.join(ROOT, "node_modules");
const project = mkdtempSync(path.join(tmpdir(), "wechat-login-element-"));
process.on("exit", () => rmSync(project, { recursive: true, force: true }));

/**
 * @param {string} what
 * @param {() => void} check throws where it isn't so
 */
function check(what, check) {
  try {
    check();
    console.log(`ok   ${what}`);
  } catch (error) {
    console.error(`FAIL ${what}\n${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}

/**
 * @param {string} program
 * @param {string[]} args
 * @param {string} folder
 */
function run(program, args, folder) {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: folder, encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}\n${stdout}${stderr}`);
  return stdout;
}

/** @param {string} name of a compiler */
const compiler = (name) => path.join(MODULES, ".bin", name);

/** @param {string} source a module that has to run without complaint */
const node = (source) => run("node", ["--input-type=module", "--eval", source], project);

check("dist/ is what the sources make", () => run("node", ["tools/build.js", "--check"], ROOT));
check("the sources are typed", () => run(compiler("tsc"), ["-p", "."], ROOT));
check("older browsers understand the style sheet", () => {
  const css = built(".css").join("");
  const supported = /@supports \(color:\s?color-mix\([^{]*\{[^{]*\{[^}]*\}\}/g;
  if (!supported.test(css)) throw new Error("nothing stands in @supports");
  const rest = css.replace(supported, "");
  for (const pattern of [/color-mix/, /:is\(/, /:where\(/, /:has\(/, /:not\([^)]*,/, /@layer/]) {
    if (pattern.test(rest)) throw new Error(`${pattern} is too new`);
  }
});

check("older browsers have what the scripts call", () => {
  // Of Chromium 88 and Safari 15.1 and later. (What syntax they know esbuild knows.)
  const tooNew =
    /throwIfAborted|AbortSignal\.|structuredClone|replaceChildren|hasOwn|\.at\(|\.aria[A-Z]\w+ ?=|findLast/;
  for (const script of built(".js")) {
    const [found] = tooNew.exec(script) ?? [];
    if (found) throw new Error(found);
  }
});

check("the work for a login is done, two at a time", () => {
  const piece = pathToFileURL(path.join(ROOT, "src/lazy/proof-of-work.js")).href;
  node(`
    import { strict as assert } from "node:assert";
    import { createHash } from "node:crypto";
    import { solve } from ${JSON.stringify(piece)};
    const { signal } = new AbortController();
    const work = async (salt, number) => {
      const challenge = createHash("sha256").update(salt + number).digest("hex");
      const asked = { algorithm: "SHA-256", challenge, maxnumber: 50_000, salt, signature: "s" };
      const proof = JSON.parse(atob(await solve(asked, signal)));
      assert.deepEqual(proof, { algorithm: "SHA-256", challenge, number, salt, signature: "s" });
    };
    for (const number of [0, 1, 9, 10, 99, 100, 12_345]) await work("", number);
    for (const length of [1, 2, 3, 30, 45]) await work("x".repeat(length), 4_321);
    await Promise.all([work("0123456789abcdef?expires=1795780800&", 50_000), work("other&", 49_999)]);
    const none = { algorithm: "SHA-256", challenge: "0".repeat(64), maxnumber: 99, salt: "x", signature: "" };
    await assert.rejects(solve(none, signal));
    await assert.rejects(solve({ ...none, algorithm: "SHA-512" }, signal));
    const stop = new AbortController();
    const stopped = solve({ ...none, maxnumber: 1e9 }, stop.signal);
    setTimeout(() => stop.abort());
    await assert.rejects(stopped);
  `);
});

/** @param {string} ending of the names of the built files to read */
function built(ending) {
  const folder = path.join(ROOT, "dist");
  const names = readdirSync(folder, { encoding: "utf8", recursive: true });
  const found = names.filter((name) => name.endsWith(ending));
  return found.map((name) => readFileSync(path.join(folder, name), "utf8"));
}

check("it packs and installs", () => {
  const packed = run("npm", ["pack", "--silent", "--pack-destination", project], ROOT).trim();
  writeFileSync(path.join(project, "package.json"), '{ "private": true, "type": "module" }');
  run("npm", ["install", "--offline", "--no-save", `./${packed}`], project);
  const others = ["react", "react-dom", "scheduler", "vue", "@vue", "csstype"];
  for (const name of others) symlinkSync(path.join(MODULES, name), inProject(name));
  mkdirSync(inProject("@types"), { recursive: true });
});

/** @param {string} name */
function inProject(name) {
  return path.join(project, "node_modules", name);
}

check("it is imported without a DOM", () => {
  node(`
    import { WechatLogin, addLocale } from "wechat-login-element";
    addLocale("ja", { title: "WeChat でログイン" });
    if (typeof WechatLogin !== "function" || WechatLogin.addLocale !== addLocale) process.exit(1);`);
});
check("React renders it on a server", () => {
  const html = node(`
    import { createElement } from "react";
    import { renderToString } from "react-dom/server";
    import { WechatLogin } from "wechat-login-element/react";
    const properties = { api: "https://login.example.com", accountName: "花店", inline: true };
    console.log(renderToString(createElement(WechatLogin, properties, createElement("b"))));`);
  expectHtml(html, ['api="https://login.example.com"', 'account-name="花店"', 'inline=""', "<b>"]);
});
check("Vue renders it on a server", () => {
  const html = node(`
    import { createSSRApp, h } from "vue";
    import { renderToString } from "vue/server-renderer";
    import { WechatLogin } from "wechat-login-element/vue";
    const properties = { api: "https://login.example.com", accountName: "花店", inline: true };
    console.log(await renderToString(createSSRApp({ render: () => h(WechatLogin, properties) })));`);
  expectHtml(html, ["<wechat-login", "https://login.example.com", "花店"]);
});

/**
 * @param {string} html
 * @param {string[]} parts
 */
function expectHtml(html, parts) {
  for (const part of parts) if (!html.includes(part)) throw new Error(`${part} isn't in ${html}`);
}

const TYPES = path.join(project, "types");
cpSync(path.join(ROOT, "tests", "types"), TYPES, { recursive: true });
for (const [version, folder] of [["18", "react-18"], ["19", "react"]]) {
  rmSync(inProject("@types/react"), { force: true });
  symlinkSync(path.join(MODULES, "@types", folder), inProject("@types/react"));
  const others = path.join(TYPES, "tsconfig.react.json");
  writeFileSync(others, '{ "extends": "./tsconfig.json", "files": ["element.ts", "react.tsx"] }');
  check(`it compiles with React ${version}`, () => run(compiler("tsc"), ["-p", others], project));
}
check("it compiles with Vue", () => run(compiler("vue-tsc"), ["-p", TYPES], project));

for (const name of readdirSync(path.join(TYPES, "fails"))) {
  check(`${name} doesn't compile`, () => {
    const file = path.join(TYPES, "fails", name);
    const [, expected] = /expected: (TS\d+)/.exec(readFileSync(file, "utf8")) ?? [];
    const config = path.join(TYPES, `tsconfig.${name}.json`);
    writeFileSync(config, JSON.stringify({ extends: "./tsconfig.json", files: [file] }));
    const program = compiler(name.endsWith(".vue") ? "vue-tsc" : "tsc");
    const { status, stdout } = spawnSync(program, ["-p", config, "--pretty", "false"], {
      encoding: "utf8",
    });
    const codes = [...stdout.matchAll(/error (TS\d+)/g)].map(([, code]) => code);
    if (status === 0) throw new Error("it compiles");
    if (codes.length !== 1 || codes[0] !== expected) throw new Error(`not ${expected}: ${stdout}`);
  });
}
