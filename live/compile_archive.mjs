// Byte-compile what drawing a figure loads, with the very Python that will run it: compiling is most of what starting
// Python in a page costs.   node live/compile_archive.mjs PYODIDE_FOLDER
// The wheels and the standard library in the folder are rewritten in place.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const folder = resolve(process.argv[2]);
try {
  const { loadPyodide } = await import(join(folder, "pyodide.mjs"));
  const python = await loadPyodide({ indexURL: `${folder}/`, packages: ["matplotlib"], env: { MPLBACKEND: "Agg" } });
  python.runPython(readFileSync(new URL("compile_archive.py", import.meta.url), "utf8"));
  const inUse = python.runPython("files_in_use()");
  const compile = python.globals.get("compile_archive");
  for (const file of readdirSync(folder).filter((name) => /\.(whl|zip)$/.test(name))) {
    python.FS.writeFile("/tmp/archive", readFileSync(join(folder, file)));
    compile("/tmp/archive", file.endsWith(".zip"), inUse);
    writeFileSync(join(folder, file), python.FS.readFile("/tmp/archive"));
  }
} catch (error) {
  console.error(String(error.message ?? error).slice(-500)); // not the source line, which is a megabyte
  process.exit(1);
}
