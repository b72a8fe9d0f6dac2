// A line at the foot of a notebook that says what the reader waits for: Python's start, then the cells that still run.
// Collapsed cells without an output say how to see what is in them (loading.css), but for those that only name numbers.
(() => {
  "use strict";
  const megabytes = document.currentScript.dataset.megabytes;
  const line = document.createElement("div");
  line.id = "ck-loading";
  line.setAttribute("role", "status");
  const began = performance.now();
  let connecting = false; // a page says "idle" until it asks for a kernel, and "unknown" while one starts
  let ready = false;
  let running = null; // the cell that runs, and since when
  let since = 0;

  const seconds = (from) => Math.round((performance.now() - from) / 1000);

  function mark() {
    for (const place of document.querySelectorAll(".jp-InputPlaceholder")) {
      place.classList.toggle("ck-shows", !/^\s*glue\(/.test(place.querySelector(".jp-Placeholder-content")?.textContent));
    }
  }

  function say() {
    const cells = [...document.querySelectorAll(".jp-Notebook .jp-CodeCell")];
    if (!cells.length) return "";
    const prompts = cells.map((cell) => [...cell.querySelectorAll(".jp-InputPrompt")].map((p) => p.textContent).join());
    const status = document.querySelector(".jp-Notebook-ExecutionIndicator")?.dataset.status;
    connecting ||= status === "unknown" || seconds(began) > 20;
    ready ||= (connecting && status === "idle") || prompts.some((prompt) => /\d/.test(prompt));
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
      mark();
      const text = say();
      if (line.textContent !== text) line.textContent = text;
      line.hidden = !text;
    }, 500);
  });
})();
