// Byte-compile Python sources with the very Python that will run them.   node live/compile_sources.mjs PYODIDE_FOLDER
// In: JSON {name: source} on standard input. Out: JSON {name of the .pyc: base64} on the last line.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const folder = resolve(process.argv[2]);
const given = readFileSync(0, "utf8"); // before Python starts, which makes standard input its own
try {
  const { loadPyodide } = await import(join(folder, "pyodide.mjs"));
  const python = await loadPyodide({ indexURL: `${folder}/` });
  python.globals.set("given", given);
  const compiled = python.runPython(`
import base64, importlib.util, json, marshal, sys

# Marked unchecked, so that no time stamp is compared.
header = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + bytes(8)
compiled = {}
for name, source in json.loads(given).items():
    folder, _, file = name.rpartition("/")
    code = compile(source, name, "exec", dont_inherit=True)
    compiled[f"{folder}/__pycache__/{file[:-3]}.{sys.implementation.cache_tag}.pyc"] = base64.b64encode(
        header + marshal.dumps(code)
    ).decode()
json.dumps(compiled)
`);
  console.log(compiled);
} catch (error) {
  console.error(String(error.message ?? error).slice(-500)); // not the source line, which is a megabyte
  process.exit(1);
}
