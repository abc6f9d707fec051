// Reads an AsyncAPI document from standard input, prints what the official parser has against it, one finding a line,
// and fails if that makes the document invalid.
import { readFileSync } from "node:fs";

import { Parser } from "@asyncapi/parser";

const ERROR = 0;
const WARNING = 1;

const { document, diagnostics } = await new Parser().parse(readFileSync(0, "utf8"));
for (const { severity, path, message } of diagnostics) {
  if (severity <= WARNING) console.log(`${severity === ERROR ? "error" : "warning"} ${path.join("/")}: ${message}`);
}
process.exitCode = document === undefined || diagnostics.some(({ severity }) => severity === ERROR) ? 1 : 0;
