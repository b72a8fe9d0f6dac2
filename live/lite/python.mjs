// A notebook's Python: what JupyterLite's kernel takes for Pyodide. It starts when `begin` is called, or when the kernel
// asks for it; packages are unpacked as the book's pages do it, and what every notebook imports is imported.
// Written by live/build_lite.py, which puts in addresses.
import { install, unzipped } from "../_static/ck/unpack.mjs";

const here = (address) => new URL(address, import.meta.url).href;
const home = here("@PYODIDE@");
const say = { stdout: console.log, stderr: console.error }; // until the kernel says where Python's words go
let begun;

// `pyodide_kernel` first: it stands in for modules that a browser lacks. Python's search for what is no longer needed
// would go through all that is imported here again and again, so it is put off.
const IMPORTS = `
import gc
gc.disable()
import pyodide_kernel, piplite.piplite
import ipywidgets, matplotlib.pyplot
import coursekit, coursekit.plotting._parts, coursekit.experiments._bench, coursekit.interactive.widget
gc.freeze()
gc.enable()
`;

export function begin() {
  begun ??= start();
  begun.catch(() => {}); // the kernel hears of it when it asks
  return begun;
}

export function loadPyodide({ stdout, stderr }) {
  Object.assign(say, { stdout, stderr });
  return begin();
}

async function start() {
  const { loadPyodide: load } = await import(`${home}pyodide.mjs`);
  const get = (address) => fetch(here(address)).then((answer) => (answer.ok ? answer : Promise.reject(lost(answer))));
  const [py, wheel, ...bundles] = await Promise.all([
    load({
      indexURL: home,
      lockFileURL: here("pyodide-lock.json"),
      env: { COURSEKIT_DATA_URL: here("../_static/ck/data/"), HOME: "/home/pyodide", OPENBLAS_NUM_THREADS: "1" },
      stdout: (text) => say.stdout(text),
      stderr: (text) => say.stderr(text),
    }),
    get("@WHEEL@").then((answer) => answer.arrayBuffer()),
    ...@BUNDLES@.map((address) => get(address).then(unzipped)),
  ]);
  for (const packages of bundles) install(py, packages);
  py.unpackArchive(wheel, "wheel");
  py.runPython(IMPORTS);
  return py;
}

function lost(answer) {
  return new Error(`${answer.url.split("/").pop()} could not be loaded: the server answered ${answer.status}`);
}
