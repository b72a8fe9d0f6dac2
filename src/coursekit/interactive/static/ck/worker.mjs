// Python for the explorers of one page: Pyodide, NumPy, Matplotlib and the wheel of coursekit, all from the book's site.
// In: {type: "start", base, pyodide, wheel, data, bytes}, then {type: "draw" | "arrays", id, address, settings, ...}
// or {type: "cell", id, request}: JSON for coursekit.interactive.cells.answer.
// Out: {type: "progress", text, done, total}, {type: "ready", ms} or {type: "failed", error}; one answer for each id, and
// before that of a cell {type: "said", id, event} for what it prints and shows.

import { install, unzipped } from "./unpack.mjs";

let python;
let lose; // Pyodide may wait for ever for a file that does not come, so the first one that fails ends the start
const lost = new Promise((_, reject) => (lose = reject));
lost.catch(() => {});

onmessage = async ({ data: message }) => {
  if (message.type === "start") {
    try {
      const began = performance.now();
      python = await Promise.race([start(message), lost]);
      postMessage({ type: "ready", ms: performance.now() - began, steps: python.steps });
    } catch (error) {
      postMessage({ type: "failed", error: sentence(error) });
    }
    return;
  }
  if (message.type === "cell") return runCell(message);
  const { id, address, settings, prefix, steps, fresh } = message;
  const narrow = Boolean(message.narrow);
  const began = performance.now();
  let answer;
  try {
    const tasks = {
      draw: () => python.draw(address, settings, prefix, narrow),
      train: () => python.train(address, settings, prefix, steps, fresh, narrow),
      arrays: () => python.arrays(address, settings),
    };
    answer = JSON.parse(tasks[message.type]());
  } catch (error) {
    answer = { error: `Python stopped with an error (${sentence(error)}).` };
  }
  postMessage({ id, type: answer.error ? "error" : "drawn", ms: performance.now() - began, ...answer });
  python.collect(); // while the page shows the picture
};

function runCell({ id, request }) {
  const began = performance.now();
  const say = (event) => postMessage({ type: "said", id, event: JSON.parse(event) });
  let answer;
  try {
    python.cells ??= python.module("coursekit.interactive.cells");
    answer = JSON.parse(python.cells.answer(request, say));
  } catch (error) {
    answer = { error: `Python stopped with an error (${sentence(error)}).` };
  }
  postMessage({ id, type: answer.error ? "error" : "ran", ms: performance.now() - began, ...answer });
  python.collect();
}

async function start({ base, pyodide: folder, wheel, data, bytes }) {
  const steps = {};
  const began = performance.now();
  const mark = (name) => (steps[name] = Math.round(performance.now() - began));
  const home = new URL(folder, base).href;
  const progress = countBytes(bytes);
  const { loadPyodide } = await import(new URL("pyodide.mjs", home).href);
  const [py, packages, coursekit] = await Promise.all([
    loadPyodide({ indexURL: home, env: { MPLBACKEND: "Agg", HOME: "/home/pyodide" } }),
    fetch(new URL("packages.bin", home)).then(unzipped),
    fetch(new URL(wheel, base)).then((answer) => answer.arrayBuffer()),
  ]);
  install(py, packages);
  mark("Pyodide, NumPy, Matplotlib");
  progress("Starting coursekit…");
  // Python's search for what is no longer needed would begin in the middle of imports and of pictures, and go through
  // Matplotlib's own objects each time: a tenth of the time, and most of the slowest pictures. It is asked for between
  // pictures instead.
  const gc = py.pyimport("gc");
  gc.disable();
  py.unpackArchive(coursekit, "wheel");
  const live = py.pyimport("coursekit.interactive.live");
  live.start(new URL(data, base).href);
  gc.freeze();
  mark("coursekit");
  return { steps, draw: live.draw, train: live.train, arrays: live.arrays, collect: () => gc.collect(), module: (name) => py.pyimport(name) };
}

// Tell the page how much has been loaded, and what could not be: every file of the start passes through fetch.
function countBytes(total) {
  const plain = self.fetch.bind(self);
  let done = 0;
  let last = 0;
  const tell = (text, now = false) => {
    if (!now && performance.now() - last < 80) return;
    last = performance.now();
    postMessage({ type: "progress", text, done: Math.min(done, total), total });
  };
  self.fetch = async (...given) => {
    const file = String(given[0]?.url ?? given[0]).split("/").pop();
    const name = file.split("-")[0];
    const fail = (why) => {
      const error = new Error(`${file} could not be loaded (${why})`);
      lose(error);
      throw error;
    };
    const answer = await plain(...given).catch((error) => fail(error.message));
    if (!answer.ok) fail(`the server answered ${answer.status}`);
    const counter = new TransformStream({
      transform(chunk, controller) {
        done += chunk.byteLength;
        const size = `${(Math.min(done, total) / 1e6).toFixed(0)} of ${(total / 1e6).toFixed(0)} MB`;
        tell(`Loading Python: ${name}, ${size}`);
        controller.enqueue(chunk);
      },
    });
    const { status, statusText, headers } = answer;
    const counted = new Response(answer.body.pipeThrough(counter), { status, statusText, headers });
    Object.defineProperty(counted, "url", { value: answer.url });
    return counted;
  };
  return (text) => tell(text, true);
}

function sentence(error) {
  const text = String(error?.message ?? error).trim();
  if (/dynamically imported/i.test(text)) return "pyodide.mjs could not be loaded";
  return text.split("\n").filter(Boolean).pop().slice(0, 300);
}
