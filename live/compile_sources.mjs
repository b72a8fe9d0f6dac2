// Byte-compile Python sources with the very Python that will run them.   node live/compile_sources.mjs PYODIDE_FOLDER
// In: JSON {name: source} on standard input. Out: JSON {name of the .pyc: base64} on the last line.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const folder = resolve(process.argv[2]);
const given = readFileSync(0, "utf8"); // before Python starts, which makes standard input its own
try {
  const { loadPyodide } = await import(join(folder, "pyodide.mjs"));
  const python = await loadPyodide({ indexURL: `${folder}/` });
  python.runPython(readFileSync(new URL("compile_archive.py", import.meta.url), "utf8"));
  python.globals.set("given", given);
  const compiled = python.runPython("import json; json.dumps(compile_sources(json.loads(given)))");
  console.log(compiled);
} catch (error) {
  console.error(String(error.message ?? error).slice(-500)); // not the source line, which is a megabyte
  process.exit(1);
}
