// Python for one page: a single worker, shared by its explorers, its code cells and its exercises.
(() => {
  "use strict";
  const BASE = new URL("ck/", document.currentScript.src);

  window.ckPython = {
    worker: null,
    ready: null,
    held: false, // a code cell has used it: an explorer that is cancelled leaves it running
    waiting: new Map(), // id -> {resolve, heard}
    count: 0,
    listeners: new Set(),
    start(live) {
      this.ready ??= new Promise((resolve, reject) => {
        this.fail = reject;
        let worker;
        try {
          worker = new Worker(new URL("worker.mjs", BASE), { type: "module" });
        } catch (error) {
          reject(error);
          return;
        }
        this.worker = worker;
        worker.onerror = (event) => {
          event.preventDefault();
          reject(new Error(event.message || "the worker script could not be loaded"));
          this.stop("Python stopped");
        };
        worker.onmessage = ({ data }) => {
          if (data.type === "progress") this.listeners.forEach((tell) => tell(data));
          else if (data.type === "ready") resolve(data);
          else if (data.type === "failed") {
            reject(new Error(data.error));
            this.stop(data.error);
          } else if (data.type === "said") this.waiting.get(data.id)?.heard?.(data.event);
          else {
            this.waiting.get(data.id)?.resolve(data);
            this.waiting.delete(data.id);
          }
        };
        worker.postMessage({ type: "start", ...live, base: BASE.href });
      });
      return this.ready;
    },
    // The answer to a message; `heard` is called with what Python says on the way.
    ask(message, heard) {
      if (!this.worker) return Promise.resolve({ type: "stopped", error: "it was stopped" });
      return new Promise((resolve) => {
        const id = ++this.count;
        this.waiting.set(id, { resolve, heard });
        this.worker.postMessage({ ...message, id });
      });
    },
    stop(reason) {
      this.worker?.terminate();
      this.worker = this.ready = null;
      this.fail?.(new Error(reason)); // whoever still waits for the start
      const waiting = [...this.waiting.values()];
      this.waiting.clear();
      waiting.forEach(({ resolve }) => resolve({ type: "stopped", error: reason }));
    },
  };
})();
