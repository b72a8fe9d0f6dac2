// A line at the foot of a notebook that says what the reader waits for: Python's start, then the cells that still run.
// Collapsed cells without an output say how to see what is in them (loading.css).
(() => {
  "use strict";
  const megabytes = document.currentScript.dataset.megabytes;
  const line = document.createElement("div");
  line.id = "ck-loading";
  line.setAttribute("role", "status");
  const began = performance.now();
  let ready = false;
  let running = null; // the cell that runs, and since when
  let since = 0;

  const seconds = (from) => Math.round((performance.now() - from) / 1000);

  function say() {
    const cells = [...document.querySelectorAll(".jp-Notebook .jp-CodeCell")];
    if (!cells.length) return "";
    const prompts = cells.map((cell) => cell.querySelector(".jp-InputPrompt")?.textContent ?? "");
    const status = document.querySelector(".jp-Notebook-ExecutionIndicator")?.dataset.status;
    ready ||= status === "idle" || prompts.some((prompt) => /\d/.test(prompt));
    const waiting = cells.filter((_, k) => prompts[k].includes("*"));
    if (!ready) {
      const then = waiting.length ? " Your cells run as soon as it is there." : "";
      return `Python is starting in your browser, ${seconds(began)} s. The first time it loads ${megabytes} MB, which the browser keeps.${then}`;
    }
    if (!waiting.length) {
      running = null;
      return "";
    }
    if (waiting[0] !== running) {
      running = waiting[0];
      since = performance.now();
    }
    const left = waiting.length - 1;
    const place = `Cell ${cells.indexOf(running) + 1} of ${cells.length} is running, ${seconds(since)} s`;
    return left ? `${place}; ${left} more ${left === 1 ? "waits" : "wait"}.` : `${place}.`;
  }

  addEventListener("DOMContentLoaded", () => {
    document.body.append(line);
    setInterval(() => {
      const text = say();
      if (line.textContent !== text) line.textContent = text;
      line.hidden = !text;
    }, 500);
  });
})();
