// Python starts while JupyterLab's own scripts are loading: the worker that the kernel will ask for is made at once.
// A second kernel, or one that was restarted, gets a worker of its own.
(() => {
  "use strict";
  const Plain = window.Worker;
  if (!Plain || window.crossOriginIsolated) return; // the kernel has another kind of worker there
  let early = new Plain(new URL("../early.mjs", document.baseURI), { type: "module" });
  window.Worker = class Worker extends Plain {
    constructor(address, options) {
      if (early && /\/comlink\.worker\.\w+\.js$/.test(new URL(address, document.baseURI).pathname)) {
        const ready = early;
        early = null;
        return ready;
      }
      super(address, options);
    }
  };
})();
